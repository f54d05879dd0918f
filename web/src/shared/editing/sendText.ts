import type { paths } from '../../api/schema';
import { call } from '../call';

type More = {
  query?: Record<string, unknown>;
  path?: Record<string, string>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

/** Sends a text as it is: YAML stays YAML. */
export function sendText<T>(
  method: 'POST' | 'PUT',
  path: keyof paths,
  text: string,
  more: More = {},
): Promise<T> {
  return call<T>(method, path, {
    params: { path: more.path ?? {}, query: more.query ?? {} },
    body: text,
    bodySerializer: String,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', ...more.headers },
    ...(more.signal === undefined ? {} : { signal: more.signal }),
  });
}
