import i18next from 'i18next';
import { useEffect, useSyncExternalStore } from 'react';
import { failureOf } from '../../api/problem';
import { queries } from '../../api/queries';
import { tellFailure, tellLook } from '../../shared/tell';
import { useSession } from '../../shell/useSession';
import { sendAnswers } from './api';
import { Outbox, type State } from './outbox';

/** What changes with an answer. */
const CHANGED = ['approvals', 'overview', 'documents', 'contacts', 'tasks'];

let current: { user: string; outbox: Outbox } | undefined;

/** One for each person who signs in on this page. */
function outboxOf(user: string): Outbox {
  if (current?.user !== user) {
    const outbox = new Outbox(
      {
        send: sendAnswers,
        unreached: (error) => failureOf(error).status === 0,
        refused: tellFailure,
        settled: (told) => {
          const before = told.filter((one) => !one.done).length;
          if (before > 0) {
            tellLook(i18next.t('approvals:before', { count: before }));
          }
          for (const topic of CHANGED) {
            queries.invalidateQueries({ queryKey: [topic] });
          }
        },
      },
      window.localStorage,
      `relance-answers:${user}`,
    );
    current = { user, outbox };
    outbox.resume();
  }
  return current.outbox;
}

/** Answers that are on their way. They go at once when the page is left or closed. */
export function useOutbox(): [Outbox, State] {
  const user = useSession()?.user?.address ?? '';
  const outbox = outboxOf(user);
  const state = useSyncExternalStore(outbox.subscribe, outbox.get);
  useEffect(() => {
    const close = () => outbox.flush(true);
    // A phone ends pages that are not looked at without telling them.
    const hide = () => {
      if (document.visibilityState === 'hidden' && window.matchMedia('(pointer: coarse)').matches) {
        outbox.flush(true);
      }
    };
    window.addEventListener('pagehide', close);
    document.addEventListener('visibilitychange', hide);
    return () => {
      window.removeEventListener('pagehide', close);
      document.removeEventListener('visibilitychange', hide);
      outbox.flush();
    };
  }, [outbox]);
  return [outbox, state];
}
