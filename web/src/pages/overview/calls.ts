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

/** Lists that the latest is put together from, and how many of each. */
const LISTS = ['accepted', 'held', 'dropped', 'withdrawn'] as const;
const EACH = 8;
/** Rows that are shown. */
const SHOWN = 12;

export const latestQuery = queryOptions({
  queryKey: ['overview', 'latest'],
  queryFn: async () => {
    const lists = await Promise.all(
      LISTS.map((state) =>
        answer(api.GET('/api/v1/touchpoints', { params: { query: { state, limit: EACH } } })).then((page) =>
          page.items.map((item) => ({ ...item, list: state })),
        ),
      ),
    );
    const latest = lists
      .flat()
      .sort((one, other) => (one.at < other.at ? 1 : -1))
      .slice(0, SHOWN);
    return latest.map((one) => ({ ...one, name: one.contact_name ?? one.contact }));
  },
});
