/** Documents as the server has them. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';
import { plain } from '../contacts/people';

type Schemas = components['schemas'];
export type DocumentRow = Schemas['DocumentRow'];
export type DocumentDetail = Schemas['DocumentDetail'];
export type Next = Schemas['NextAction'];
export type Totals = Schemas['DocumentTotals'];
export type Message = Schemas['Touchpoint'];
export type Reply = Schemas['ReplyShown'];
export type LedgerLine = Schemas['ToldLine'];
export type Task = Schemas['TaskRow'];
export type Corrected = Schemas['CorrectAsked'];

export const STATES = ['open', 'answered', 'paid', 'won', 'lost', 'withdrawn'] as const;
export const KINDS = ['invoice', 'offer', 'other'] as const;
/** Of these something is still expected. */
const OPEN: readonly string[] = ['open', 'answered'];
const OPEN_MESSAGE = new Set(['queued', 'held', 'awaiting_approval', 'sending', 'postponed']);

/** When a message left or was given up; of one that waits, when it was meant: `at` is then the end of its wait. */
export function whenOf(message: Message): string {
  return OPEN_MESSAGE.has(message.state) ? message.created_at : message.at;
}

/** A document's fields as a list shows them; what came from outside may be anything. */
export function factsOf(row: DocumentRow) {
  const text = (name: string) => {
    const value = row.fields[name];
    return typeof value === 'string' || typeof value === 'number' ? plain(String(value)) : undefined;
  };
  return {
    kind: row.document_kind ?? text('kind') ?? 'other',
    number: text('number') ?? row.id,
    amount: row.amount ?? text('amount'),
    currency: row.currency ?? text('currency'),
    issued: row.issued ?? text('issued') ?? text('sent_at')?.slice(0, 10),
    due: row.due ?? text('due'),
    to: text('to'),
    mailbox: text('mailbox'),
    client: typeof row.client === 'string' ? plain(row.client) : undefined,
    subject: text('mail_subject'),
    sentAt: text('sent_at'),
    paidAt: text('paid_at'),
  };
}

export function stateOf(row: DocumentRow): string {
  return row.state ?? 'open';
}

export function isOpen(row: DocumentRow): boolean {
  return OPEN.includes(stateOf(row));
}

/** What the list is asked for, as it stands in the address. */
export type Filters = {
  kind?: string;
  state?: string;
  owner?: string;
  currency?: string;
  search?: string;
  overdue?: boolean;
  from?: string;
  to?: string;
};

const LIMIT = 50;

export function loadDocuments(
  filters: Filters & { sort?: string; order?: string; limit?: number },
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Schemas['DocumentPage']> {
  const query = { limit: LIMIT, ...filters, ...(cursor === undefined ? {} : { cursor }) };
  return answer(api.GET('/api/v1/documents', { params: { query }, signal }));
}

export function loadTotals(filters: Filters, signal: AbortSignal): Promise<Totals> {
  return answer(api.GET('/api/v1/documents/totals', { params: { query: filters }, signal }));
}

/** A document with its messages, and what happened to it in the reader's language. */
export function documentQuery(contact: string, document: string, language: string) {
  return queryOptions({
    queryKey: ['documents', 'one', contact, document, language],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/api/v1/contacts/{id}/documents/{document}', {
          params: { path: { id: contact, document }, query: { language } },
          signal,
        }),
      ),
  });
}

/** A message to read: as it left, or as it would be. */
export function messageQuery(id: string) {
  return queryOptions({
    queryKey: ['contacts', 'message', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/touchpoints/{id}/message', { params: { path: { id } }, signal })),
  });
}

/** Tells that documents are paid, or that they are not after all. */
export async function tellPaid(row: Pick<DocumentRow, 'contact' | 'id'>, paid: boolean): Promise<void> {
  await api.POST('/api/v1/contacts/{id}/documents/{document}/paid', {
    params: { path: { id: row.contact, document: row.id } },
    body: { paid },
  });
}

/** Puts right what was read; `never`: it is no document. */
export function correct(
  row: Pick<DocumentRow, 'contact' | 'id'>,
  body: Corrected,
): Promise<Schemas['CorrectedDocument']> {
  return answer(
    api.POST('/api/v1/contacts/{id}/documents/{document}/correct', {
      params: { path: { id: row.contact, document: row.id } },
      body,
    }),
  );
}
