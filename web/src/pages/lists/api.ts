/** What the pages of content lists ask of the server. */
import { answer, api } from '../../api/client';
import type { components } from '../../api/schema';

type Schemas = components['schemas'];
export type ListSummary = Schemas['ListSummary'];
export type ListShown = Schemas['ListShown'];

/** Lists of one answer; few workspaces have more. */
const PAGE_ROWS = 500;

export const lists = {
  /** All of them, page by page. */
  list: async (signal: AbortSignal): Promise<{ items: ListSummary[] }> => {
    const items: ListSummary[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: PAGE_ROWS, ...(cursor === undefined ? {} : { cursor }) };
      const page = await answer(api.GET('/api/v1/lists', { params: { query }, signal }));
      items.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return { items };
  },
  show: (id: string, signal: AbortSignal) =>
    answer(api.GET('/api/v1/lists/{id}', { params: { path: { id } }, signal })),
  /** A stale revision is refused with 412. */
  put: (id: string, text: string, revision: string | undefined) =>
    answer(
      api.PUT('/api/v1/lists/{id}', {
        params: { path: { id }, header: revision === undefined ? {} : { 'If-Match': revision } },
        body: text,
        bodySerializer: String,
        headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      }),
    ),
  /** What a journey sends of is refused with 409 and the journey's name. */
  remove: (id: string) => answer(api.DELETE('/api/v1/lists/{id}', { params: { path: { id } } })),
};
