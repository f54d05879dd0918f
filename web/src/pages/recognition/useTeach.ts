import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../../api/client';
import { tellFailure, tellUndoable } from '../../shared/tell';
import {
  addRule,
  documentOf,
  jobQuery,
  type Mail,
  type Rule,
  register,
  removeRule,
  rulesQuery,
  type Then,
  type When,
} from './api';

/** What a person puts right; each can be taken back. */
export function useTeach() {
  const queries = useQueryClient();
  const { t } = useTranslation('recognition');
  const rules = () => queries.invalidateQueries({ queryKey: rulesQuery.queryKey });
  const take = async (id: string) => {
    await removeRule(id);
    await rules();
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
          await addRule(rule.when, rule.then);
          await rules();
        });
      } catch (error) {
        tellFailure(error);
      }
    },
    register: async (job: string, mailbox: string, mail: Mail, kind: 'invoice' | 'offer') => {
      const show = (now: Mail) =>
        queries.setQueryData(jobQuery(job).queryKey, (before) => {
          const tried = before?.result as { items: Mail[] } | null | undefined;
          if (before === undefined || tried == null) {
            return before;
          }
          const items = tried.items.map((one) => (one.message_id === mail.message_id ? now : one));
          return { ...before, result: { ...tried, items } as unknown as NonNullable<typeof before.result> };
        });
      try {
        const now = await register(mailbox, mail, kind);
        show({ ...mail, found: now.found, left_out: null, known: true });
        queries.invalidateQueries({ queryKey: ['documents'] });
        tellUndoable(t(`told.${kind}`), async () => {
          const row = await documentOf({ ...mail, found: now.found });
          if (row === undefined) {
            throw new Error(t('told.lost'));
          }
          await answer(
            api.POST('/api/v1/contacts/{id}/documents/{document}/correct', {
              params: { path: { id: row.contact, document: row.id } },
              body: { kind: 'never' },
            }),
          );
          show(mail);
          queries.invalidateQueries({ queryKey: ['documents'] });
        });
      } catch (error) {
        tellFailure(error);
      }
    },
  };
}
