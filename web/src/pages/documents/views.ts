/** Saved views of the list, as the server keeps them for each person. */
import { answer, api } from '../../api/client';
import type { Search } from '../../router';

export type View = { name: string; view: Search };

const PAGE = 'documents';
export const VIEW_CHARS_MAX = 60;

export async function loadViews(signal: AbortSignal): Promise<View[]> {
  const { items } = await answer(
    api.GET('/api/v1/views/{page}', { params: { path: { page: PAGE } }, signal }),
  );
  return items.map(({ name, view }) => ({ name, view: view as Search }));
}

export async function putView({ name, view }: View): Promise<void> {
  await api.PUT('/api/v1/views/{page}/{name}', { params: { path: { page: PAGE, name } }, body: { view } });
}

export async function dropView(name: string): Promise<void> {
  await api.DELETE('/api/v1/views/{page}/{name}', { params: { path: { page: PAGE, name } } });
}
