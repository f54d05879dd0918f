/** What the pages of content lists ask of the server. */
import { call } from '../../shared/call';
import { sendText } from '../../shared/editing/sendText';

export type ListSummary = {
  id: string;
  file: string;
  items: number;
  updated_at: string;
  name?: string | null;
};
export type ListShown = ListSummary & { text: string; revision: string };

export const lists = {
  list: (signal: AbortSignal) =>
    call<{ items: ListSummary[]; next?: string | null }>('GET', '/api/v1/lists', { signal }),
  show: (id: string, signal: AbortSignal) =>
    call<ListShown>('GET', '/api/v1/lists/{id}', { params: { path: { id } }, signal }),
  /** A stale revision is refused with 412. */
  put: (id: string, text: string, revision: string | undefined) =>
    sendText<ListShown>('PUT', '/api/v1/lists/{id}', text, {
      path: { id },
      headers: revision === undefined ? {} : { 'If-Match': revision },
    }),
};
