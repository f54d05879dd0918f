/** By which rules documents are recognised in sent mail, and what would be found in a mailbox. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type Mail = Schemas['SeenMail'];
export type Fired = Schemas['FiredRule'];
export type Rule = Schemas['RecognitionRule'];
export type Bundled = Schemas['BundledRule'];
export type When = Schemas['RecognitionWhen'];
export type Then = Schemas['RecognitionThen'];
/** What a trial ends with. */
export type Tried = {
  mailbox: string;
  days: number;
  read: number;
  documents: number;
  new: number;
  cut: boolean;
  items: Mail[];
};

export const THENS = ['never', 'invoice', 'offer'] as const;
/** What a rule may go by. */
export const FIELDS = ['to', 'domain', 'subject', 'file'] as const;
export type Field = (typeof FIELDS)[number];

const POLL_MS = 700;

export const rulesQuery = queryOptions({
  queryKey: ['documents', 'recognition', 'rules'],
  queryFn: ({ signal }) => answer(api.GET('/api/v1/recognition/rules', { signal })),
});

export function jobQuery(id: string) {
  return queryOptions({
    // Changes of documents do not change what was tried: it is not read anew with them.
    queryKey: ['imports', 'recognition', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/jobs/{id}', { params: { path: { id } }, signal })),
    refetchInterval: (query) => (query.state.data?.state === 'running' ? POLL_MS : false),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function triedOf(result: unknown): Tried | undefined {
  const isTried = typeof result === 'object' && result !== null && 'items' in result;
  return isTried ? (result as Tried) : undefined;
}

export const tryMailbox = (mailbox: string, days: number) =>
  answer(api.POST('/api/v1/recognition/try', { body: { mailbox, days } }));
export const stopJob = (id: string) => answer(api.DELETE('/api/v1/jobs/{id}', { params: { path: { id } } }));
export const addRule = (when: When, then: Then) =>
  answer(api.POST('/api/v1/recognition/rules', { body: { when, then } }));
export const removeRule = (id: string) =>
  answer(api.DELETE('/api/v1/recognition/rules/{id}', { params: { path: { id } } }));
export const register = (mailbox: string, mail: Mail, kind: 'invoice' | 'offer') =>
  answer(api.POST('/api/v1/recognition/register', { body: { mailbox, message_id: mail.message_id, kind } }));

/** The registry's row of a mail: the registry is asked by what a search finds, and told apart by the Message-ID. */
export async function documentOf(mail: Mail): Promise<{ contact: string; id: string } | undefined> {
  const asked = [mail.found?.number, mail.to[0]].filter((text) => text != null && text !== '');
  for (const search of asked) {
    const page = await answer(
      api.GET('/api/v1/documents', { params: { query: { search: search ?? '', limit: 100 } } }),
    );
    const row = page.items.find(
      (one) => one.id === mail.message_id || one.fields.message_id === mail.message_id,
    );
    if (row !== undefined) {
      return { contact: row.contact, id: row.id };
    }
  }
  return undefined;
}

export type Group = 'found' | 'left_out' | 'not';

export function groupOf(mail: Mail): Group {
  return mail.found !== null ? 'found' : mail.left_out != null ? 'left_out' : 'not';
}

/** What a rule about this mail would go by, in each way. */
export function offered(mail: Mail): Record<Field, string> {
  const to = mail.to[0] ?? '';
  return {
    to,
    domain: to.split('@')[1] ?? '',
    subject: mail.subject,
    file: (mail.attachments[0] ?? '').replace(/\.[a-z0-9]{1,5}$/i, ''),
  };
}
