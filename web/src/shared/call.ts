/** Calls whose answers a page describes by itself. The path must be one of the document's. */
import { api } from '../api/client';
import type { paths } from '../api/schema';

type Init = {
  params?: { path?: Record<string, string>; query?: Record<string, unknown> };
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** For a body that is no JSON. */
  bodySerializer?: (body: unknown) => string;
};
type Caller = Record<
  'GET' | 'POST' | 'PUT' | 'DELETE',
  (path: string, init?: Init) => Promise<{ data?: unknown }>
>;

export async function call<T>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: keyof paths,
  init: Init = {},
): Promise<T> {
  const { data } = await (api as unknown as Caller)[method](path, init);
  return data as T;
}
