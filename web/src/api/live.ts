/** Tells lists that something changed: the server says which topics, the queries of these topics are read anew. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

/** The first part of every query key is one of these. */
export const TOPICS = [
  'overview',
  'approvals',
  'documents',
  'contacts',
  'tasks',
  'journeys',
  'segments',
  'templates',
  'imports',
] as const;
export type Topic = (typeof TOPICS)[number];

const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;

/** Keeps lists up to date while the page is open. `false` while the server cannot be reached. */
export function useLive(): boolean {
  const queries = useQueryClient();
  const [reached, setReached] = useState(true);
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wait = RETRY_MS_MIN;
    let missed = false;
    const open = () => {
      source = new EventSource('/api/v1/live');
      source.onopen = () => {
        wait = RETRY_MS_MIN;
        setReached(true);
        if (missed) {
          // What changed meanwhile was not told.
          missed = false;
          queries.invalidateQueries();
        }
      };
      source.addEventListener('changed', (event) => {
        const { topics } = JSON.parse(event.data) as { topics: string[] };
        for (const topic of topics) {
          queries.invalidateQueries({ queryKey: [topic] });
        }
      });
      source.onerror = () => {
        source?.close();
        missed = true;
        setReached(false);
        timer = setTimeout(open, wait);
        wait = Math.min(wait * 2, RETRY_MS_MAX);
      };
    };
    open();
    return () => {
      source?.close();
      clearTimeout(timer);
    };
  }, [queries]);
  return reached;
}
