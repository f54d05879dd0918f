/** What the pages before the sign-in ask of the server. */
import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '../../api/client';
import { failureOf } from '../../api/problem';
import { queries } from '../../api/queries';
import type { components } from '../../api/schema';
import { session } from '../../api/session';
import { type Session, sessionQuery } from '../../shell/useSession';

type Schemas = components['schemas'];

/** How one may sign in here: before anybody is there it is by setting up. */
export const waysQuery = queryOptions({
  queryKey: ['session', 'ways'],
  queryFn: () => answer(api.GET('/api/v1/session/ways')),
});

/** Signs in; calls that waited for it go on. */
export async function signIn(body: Schemas['SignIn']): Promise<void> {
  begun(await answer(api.POST('/api/v1/session', { body })));
}

/** Makes the first admin, who is then signed in. */
export async function setUp(body: Schemas['Setup']): Promise<void> {
  begun(await answer(api.POST('/api/v1/setup', { body })));
}

export async function forgot(address: string): Promise<void> {
  await answer(api.POST('/api/v1/password/forgotten', { body: { address } }));
}

export async function reset(token: string, password: string): Promise<void> {
  await answer(api.POST('/api/v1/password/reset', { body: { token, password } }));
}

export type InvitationShown = Schemas['Invitation'];

export function invitation(token: string): Promise<InvitationShown> {
  return answer(api.GET('/api/v1/invitations/{token}', { params: { path: { token } } }));
}

/** Follows an invitation; whoever does is then signed in. */
export async function accept(token: string, body: Schemas['InvitationPost']): Promise<void> {
  begun(await answer(api.POST('/api/v1/invitations/{token}', { params: { path: { token } }, body })));
}

/** Somebody is signed in: pages know it, and calls that waited are made once more. */
export function begun(mine: Session): void {
  // First the token of changes, which calls of pages that appear now carry.
  session.signedIn(mine.csrf ?? undefined);
  queries.setQueryData(sessionQuery.queryKey, mine);
}

/** Whether the server asks for the second factor. */
export function asksForCode(error: unknown): boolean {
  return failureOf(error).problem.code === 'code_needed';
}
