/** By which rules documents are recognised in sent mail, and what would be found in a mailbox. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '../../api/client';
import { failureOf } from '../../api/problem';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type Mail = Schemas['SeenMail'];
export type Fired = Schemas['FiredRule'];
export type Rule = Schemas['RecognitionRule'];
export type Bundled = Schemas['BundledRule'];
export type When = Schemas['RecognitionWhen'];
export type Then = Schemas['RecognitionThen'];
export type RuleMail = Schemas['RecognitionRuleMail'];
export type Registered = Schemas['RegisteredMail'];
export type Place = Schemas['RegisteredDocument'];
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
export const FIELDS = ['from', 'to', 'domain', 'subject', 'file'] as const;
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
export const addRule = (when: When, then: Then, of?: RuleMail) =>
  answer(
    api.POST('/api/v1/recognition/rules', { body: { when, then, ...(of === undefined ? {} : { of }) } }),
  );
export const removeRule = (id: string) =>
  answer(api.DELETE('/api/v1/recognition/rules/{id}', { params: { path: { id } } }));
/** Says what a mail is; of one that is `never` anything, what the registry has of it is withdrawn. */
export const register = (mailbox: string, message_id: string, kind: Then, remember?: When) =>
  answer(
    api.POST('/api/v1/recognition/register', {
      body: { mailbox, message_id, kind, ...(remember === undefined ? {} : { remember }) },
    }),
  );
/** What one mail would be, given as a file. */
export const lookAt = (file: File, mailbox: string | undefined) =>
  answer(
    api.POST('/api/v1/recognition/mail', {
      params: { query: mailbox === undefined ? {} : { mailbox } },
      body: file as unknown as string,
      bodySerializer: (body) => body,
      headers: { 'Content-Type': 'message/rfc822' },
    }),
  );

export type Group = 'found' | 'left_out' | 'not';

export function groupOf(mail: Mail): Group {
  return mail.found !== null ? 'found' : mail.left_out != null ? 'left_out' : 'not';
}

/** What a rule is made of. */
export type Texts = Record<Field, string>;
export const NO_TEXTS: Texts = { from: '', to: '', domain: '', subject: '', file: '' };

/** What a rule about this mail would go by, in each way. */
export function offered(
  mail: { to: readonly string[]; subject: string; attachments?: readonly string[] },
  from: string,
): Texts {
  const to = mail.to[0] ?? '';
  return {
    from,
    to,
    domain: to.split('@')[1] ?? '',
    subject: mail.subject.slice(0, TEXT_MAX),
    file: (mail.attachments?.[0] ?? '').replace(/\.[a-z0-9]{1,5}$/i, '').slice(0, TEXT_MAX),
  };
}

/** Characters of one text of a rule. */
export const TEXT_MAX = 200;

/** The mail of a rule, for whoever reads the rules. */
export const mailOf = (mail: Mail, mailbox: string): RuleMail => ({
  mailbox,
  subject: mail.subject.slice(0, TEXT_MAX),
  ...(mail.message_id === '' ? {} : { message_id: mail.message_id }),
  ...(mail.registered == null
    ? {}
    : { contact: mail.registered.contact, document: mail.registered.document }),
});

/** The field that the server refuses, and why. */
export function refusedField(error: unknown): { field: string; code: string } | undefined {
  const { fields } = failureOf(error).problem;
  const first: unknown = Array.isArray(fields) ? fields[0] : undefined;
  if (typeof first !== 'object' || first === null || !('field' in first) || !('code' in first)) {
    return undefined;
  }
  const { field, code } = first;
  return typeof field === 'string' && typeof code === 'string' ? { field, code } : undefined;
}
