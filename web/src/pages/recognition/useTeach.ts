import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { tellFailure, tellUndoable } from '../../shared/tell';
import {
  addRule,
  type Mail,
  mailOf,
  type Rule,
  register,
  removeRule,
  rulesQuery,
  type Then,
  type When,
} from './api';

/** What changes when a document comes or goes. */
const CHANGED = ['documents', 'approvals', 'overview', 'tasks', 'contacts'];

type Said = {
  mailbox: string;
  mail: Mail;
  kind: Then;
  /** The rule that is made of it. */
  remember?: When | undefined;
  /** Shows the mail as it is now. */
  show: (mail: Mail) => void;
};

/** What a person puts right; each can be taken back. */
export function useTeach() {
  const queries = useQueryClient();
  const { t } = useTranslation('recognition');
  const rules = () => queries.invalidateQueries({ queryKey: rulesQuery.queryKey });
  const take = async (id: string) => {
    await removeRule(id);
    await rules();
  };
  const changed = () => {
    for (const topic of CHANGED) {
      queries.invalidateQueries({ queryKey: [topic] });
    }
  };

  /** A rule alone: nothing is in the registry that it would take out. */
  const ruleOnly = async ({ mailbox, mail, kind, show }: Said, when: When) => {
    const rule = await addRule(when, kind, mailOf(mail, mailbox));
    await rules();
    show({ ...mail, found: null, left_out: 'never', rule: rule.id });
    tellUndoable(t('told.rule'), async () => {
      await take(rule.id);
      show(mail);
    });
  };

  const registered = async ({ mailbox, mail, kind, remember, show }: Said) => {
    const now = await register(mailbox, mail.message_id, kind, remember);
    const isKnown = now.registered != null || mail.known;
    show({
      ...mail,
      found: now.found,
      left_out: now.left_out ?? null,
      lacks: [],
      known: isKnown,
      registered: now.registered ?? null,
      ...(now.remembered == null ? {} : { rule: now.remembered.id }),
    });
    changed();
    const told = kind === 'never' ? 'told.withdrawn' : `told.${kind}`;
    tellUndoable(t(now.remembered == null ? told : `${told}Rule`), async () => {
      if (now.remembered != null) {
        await take(now.remembered.id);
      }
      // What was in the registry goes back to what it was; what was not is taken out.
      const was = mail.registered?.withdrawn === false ? mail.registered.kind : undefined;
      const before = await register(
        mailbox,
        mail.message_id,
        was === 'offer' || was === 'invoice' ? was : 'never',
      );
      show({ ...mail, known: true, registered: before.registered ?? null });
      changed();
    });
  };

  return {
    add: async (when: When, then: Then) => {
      const rule = await addRule(when, then);
      await rules();
      tellUndoable(t('told.rule'), () => take(rule.id));
    },
    remove: async (rule: Rule) => {
      try {
        await take(rule.id);
        tellUndoable(t('told.removed'), async () => {
          await addRule(rule.when, rule.then, rule.of ?? undefined);
          await rules();
        });
      } catch (error) {
        tellFailure(error);
      }
    },
    /** Says what a mail is, once or for all of its like. Fails where the person must hear of it. */
    say: async (said: Said) => {
      const isKnown = said.mail.registered?.withdrawn === false;
      if (said.kind === 'never' && !isKnown && said.remember !== undefined) {
        await ruleOnly(said, said.remember);
      } else {
        await registered(said);
      }
    },
  };
}
