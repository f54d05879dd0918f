/**
 * The way to the server: typed by the OpenAPI document, nothing else is called.
 *
 * A session that ended in the middle of work loses nothing: the call waits until the person has signed in again,
 * on top of the page, and is then made once more.
 */
import createClient, { type Middleware } from 'openapi-fetch';
import { Failure, readProblem } from './problem';
import type { paths } from './schema';
import { session } from './session';

const CHANGES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** Where an answer of 401 means a wrong password, not an ended session. */
const SIGN_IN_PATHS = ['/api/v1/session', '/api/v1/setup', '/api/v1/password', '/api/v1/invitations'];

async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await fetch(withToken(request));
  const path = new URL(request.url).pathname;
  if (response.status !== 401 || SIGN_IN_PATHS.some((one) => path.startsWith(one))) {
    return response;
  }
  await session.signInAgain();
  return fetch(withToken(again));
}

function withToken(request: Request): Request {
  if (CHANGES.has(request.method) && session.csrf !== undefined) {
    request.headers.set('X-Relance-Csrf', session.csrf);
  }
  return request;
}

/** Every refusal becomes a [`Failure`] with its problem, so that callers see answers only. */
const refusals: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) {
      throw new Failure(response.status, await readProblem(response));
    }
  },
  onError({ error }) {
    return error instanceof Failure
      ? error
      : new Failure(0, { code: 'unreachable', title: '', detail: String(error) });
  },
};

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: send,
  credentials: 'same-origin',
});
api.use(refusals);

/** The body of an answer; what a refusal would be was thrown before. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}
