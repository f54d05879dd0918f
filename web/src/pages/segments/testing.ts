/** A server of a test's own for bodies that are no JSON, and for refusals: an answer with a `status` is one. */
import { vi } from 'vitest';

export { showAt } from '../../testing/address';

export type TextCall = {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
  /** The revision that a writing was made from. */
  match: string | null;
};

const SESSION = {
  user: { address: 'mara@northlight.example', name: 'Mara', role: 'marketer', language: 'en' },
  permissions: ['see', 'segments', 'journeys', 'templates', 'import'],
  csrf: 'token',
  workspace: { name: 'Northlight', zone: 'UTC', language: 'en', public_url: 'http://localhost' },
  quiet: false,
  setup_needed: false,
};

export function serveTexts(answers: (call: TextCall) => unknown): TextCall[] {
  const calls: TextCall[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url, 'http://localhost');
    const call = {
      method: request.method,
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      body: await request.clone().text(),
      match: request.headers.get('If-Match'),
    };
    calls.push(call);
    const told = call.path === '/api/v1/session' ? SESSION : answers(call);
    const status = (told as { status?: unknown } | undefined)?.status;
    if (told === undefined) {
      return Response.json({ code: 'not_found', detail: 'it is not there' }, { status: 404 });
    }
    return Response.json(told, { status: typeof status === 'number' ? status : 200 });
  });
  return calls;
}
