/** Contacts as the server has them. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type TimelineItem = Schemas['TimelineItem'];
export type ConsentLine = Schemas['ConsentLine'];
export type Wishes = Schemas['WishesShown'];
export type ObjectRow = Schemas['Object'];
export type Membership = Schemas['Membership'];
export type Pair = Schemas['DoubtShown'];
export type Run = Schemas['RunRow'];

export type ContactFilters = { search?: string; owner?: string; segment?: string };

const LIMIT = 50;
/** Journeys and segments that are offered to choose from. */
const CHOICES_MAX = 500;

const paging = (cursor: string | undefined) => (cursor === undefined ? {} : { cursor });

export function loadContacts(
  filters: ContactFilters & { sort?: string; order?: string; limit?: number },
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Schemas['ContactPage']> {
  const query = { limit: LIMIT, ...filters, ...paging(cursor) };
  return answer(api.GET('/api/v1/contacts', { params: { query }, signal }));
}

export function contactQuery(id: string) {
  return queryOptions({
    queryKey: ['contacts', 'one', id],
    queryFn: ({ signal }) => answer(api.GET('/api/v1/contacts/{id}', { params: { path: { id } }, signal })),
  });
}

export const TIMELINE_KINDS = ['event', 'message', 'ledger', 'task', 'consent'] as const;

export function loadTimeline(
  id: string,
  kinds: string | undefined,
  language: string,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  const query = { language, ...(kinds === undefined ? {} : { kinds }), ...paging(cursor) };
  return answer(api.GET('/api/v1/contacts/{id}/timeline', { params: { path: { id }, query }, signal }));
}

export function explainJourney(id: string, journey: string, lang: string, signal: AbortSignal) {
  return answer(
    api.GET('/api/v1/contacts/{id}/explain', { params: { path: { id }, query: { journey, lang } }, signal }),
  );
}

export function explainMessage(id: string, lang: string, signal: AbortSignal) {
  return answer(
    api.GET('/api/v1/touchpoints/{id}/explain', { params: { path: { id }, query: { lang } }, signal }),
  );
}

export function loadMessages(id: string, signal: AbortSignal) {
  return answer(
    api.GET('/api/v1/contacts/{id}/touchpoints', {
      params: { path: { id }, query: { limit: LIMIT } },
      signal,
    }),
  );
}

export function consentsQuery(id: string) {
  return queryOptions({
    queryKey: ['contacts', 'consents', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/contacts/{id}/consents', { params: { path: { id } }, signal })),
  });
}

export function tellConsent(id: string, told: Schemas['ConsentTold']) {
  return answer(api.POST('/api/v1/contacts/{id}/consents', { params: { path: { id } }, body: told }));
}

export function preferencesQuery(id: string) {
  return queryOptions({
    queryKey: ['contacts', 'preferences', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/contacts/{id}/preferences', { params: { path: { id } }, signal })),
  });
}

export function putPreferences(id: string, wishes: Record<string, unknown>) {
  // The document calls the wishes an object of any shape.
  const body: object = { ...wishes, source: 'person' };
  return answer(
    api.PUT('/api/v1/contacts/{id}/preferences', {
      params: { path: { id } },
      body: body as Record<string, never>,
    }),
  );
}

export async function loadObjects(
  id: string,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<{ items: ObjectRow[]; next: string | null }> {
  const page = await answer(
    api.GET('/api/v1/contacts/{id}/objects', { params: { path: { id }, query: paging(cursor) }, signal }),
  );
  // The document calls the page an object of any shape.
  return page as { items: ObjectRow[]; next: string | null };
}

export function loadSegments(id: string, signal: AbortSignal) {
  return answer(api.GET('/api/v1/contacts/{id}/segments', { params: { path: { id } }, signal }));
}

export function loadRuns(id: string, cursor: string | undefined, signal: AbortSignal) {
  return answer(
    api.GET('/api/v1/contacts/{id}/enrollments', { params: { path: { id }, query: paging(cursor) }, signal }),
  );
}

export function loadDuplicates(signal: AbortSignal) {
  return answer(
    api.GET('/api/v1/contacts/duplicates', { params: { query: { limit: CHOICES_MAX } }, signal }),
  );
}

export function merge(id: string, absorb: string) {
  return answer(api.POST('/api/v1/contacts/{id}/merge', { params: { path: { id } }, body: { absorb } }));
}

export function unmerge(absorbed: string) {
  return answer(api.POST('/api/v1/contacts/{id}/unmerge', { params: { path: { id: absorbed } }, body: {} }));
}

export function erase(id: string) {
  return answer(api.DELETE('/api/v1/contacts/{id}', { params: { path: { id } } }));
}

export function loadErasure(id: string, signal: AbortSignal) {
  return answer(api.GET('/api/v1/erasures/{id}', { params: { path: { id } }, signal }));
}

/** Journeys to choose from. */
export const journeysQuery = queryOptions({
  queryKey: ['journeys', 'choice'],
  queryFn: ({ signal }) =>
    answer(api.GET('/api/v1/journeys', { params: { query: { limit: CHOICES_MAX } }, signal })),
});

/** Segments to choose from. */
export const segmentsQuery = queryOptions({
  queryKey: ['segments', 'choice'],
  queryFn: ({ signal }) =>
    answer(api.GET('/api/v1/segments', { params: { query: { limit: CHOICES_MAX } }, signal })),
});
