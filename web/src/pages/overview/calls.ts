/** What the overview asks of the server. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type Answer = Schemas['Overview'];
export type Day = Schemas['DayCounts'];
export type Count = Schemas['WaitingCount'];
export type Mailbox = Schemas['MailboxHealth'];

/** The shell asks the same for its menu, so that it is asked once. */
export const overviewQuery = queryOptions({
  queryKey: ['overview', 'waiting'],
  queryFn: () => answer(api.GET('/api/v1/overview')),
});

/** Lines that are shown. */
const SHOWN = 14;

export type Happened = Schemas['FeedItem'];

/** What happened, the last first; sentences come in the reader's language. */
export const feedQuery = (language: string) =>
  queryOptions({
    queryKey: ['overview', 'feed', language],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/feed', { params: { query: { language, limit: SHOWN } }, signal })),
  });
