/** Payments as the server has them, and what a person decides about them. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type Payment = Schemas['PaymentRow'];
export type Candidate = Schemas['CandidateShown'];
export type Counts = Schemas['PaymentCounts'];
export type Taken = Schemas['StatementTaken'];
export type Said = Schemas['SaidDocument'];

/** What needs a person stands first. */
export const STATES = ['unclear', 'matched', 'part', 'over', 'joint', 'ignored'] as const;
export type State = (typeof STATES)[number];

const LIMIT = 50;

export function loadPayments(
  filters: { state?: string; search?: string },
  cursor: string | undefined,
  signal: AbortSignal,
) {
  const query = { limit: LIMIT, ...filters, ...(cursor === undefined ? {} : { cursor }) };
  return answer(api.GET('/api/v1/payments', { params: { query }, signal }));
}

export const countsQuery = queryOptions({
  // A payment changes documents: what tells of these tells of payments.
  queryKey: ['documents', 'payments', 'counts'],
  queryFn: ({ signal }) => answer(api.GET('/api/v1/payments/counts', { signal })),
});

export function paymentQuery(id: string) {
  return queryOptions({
    queryKey: ['documents', 'payments', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/payments/{id}', { params: { path: { id } }, signal })),
  });
}

const of = (id: string) => ({ params: { path: { id } } });

export const assign = (id: string, documents: Said[]) =>
  answer(api.POST('/api/v1/payments/{id}/assign', { ...of(id), body: { documents } }));
export const ignore = (id: string) => answer(api.POST('/api/v1/payments/{id}/ignore', of(id)));
export const undo = (id: string) => answer(api.POST('/api/v1/payments/{id}/undo', of(id)));

/** As the server limits it. */
export const STATEMENT_BYTES_MAX = 32 * 1024 ** 2;

/** Sends a statement as it lies on the disk. */
export function takeStatement(file: File): Promise<Taken> {
  return answer(
    api.POST('/api/v1/statements', {
      params: { query: { name: file.name.slice(0, 200) } },
      body: file as unknown as string,
      bodySerializer: (body) => body,
      headers: { 'Content-Type': 'application/octet-stream' },
    }),
  );
}

/** What speaks against a candidate: it is not chosen without being looked at. */
const AGAINST = new Set(['other_currency', 'other_payer', 'paid_already', 'other_number']);

export const isAgainst = (reason: string) => AGAINST.has(reason);

export function isDoubtful(candidate: Candidate): boolean {
  return candidate.reasons.some(isAgainst);
}

/** Whether money came, and nothing is decided about it. */
export function waits(payment: Payment): boolean {
  return payment.state === 'unclear' && !payment.amount.startsWith('-');
}

/** What was done about a payment can be taken back, unless the bank did it. */
export function isUndoable(payment: Payment): boolean {
  const byBank = ['reversed', 'reversal', 'unknown_reversal'].includes(payment.note ?? '');
  return payment.state !== 'unclear' && !byBank;
}
