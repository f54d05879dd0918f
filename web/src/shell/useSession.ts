import { queryOptions, useQuery } from '@tanstack/react-query';
import { answer, api } from '../api/client';
import type { components } from '../api/schema';
import { session } from '../api/session';

export type Session = components['schemas']['Session'];

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async () => {
    const mine = await answer(api.GET('/api/v1/session'));
    session.signedIn(mine.csrf ?? undefined);
    return mine;
  },
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

/** Who is signed in; `undefined` while it is not known. */
export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data;
}

/** The words of core's `Permission`: what a role may do. Looking is `see`. */
export type Permission =
  | 'see'
  | 'work'
  | 'approve'
  | 'contacts'
  | 'merge'
  | 'export'
  | 'import'
  | 'suppress'
  | 'erase'
  | 'segments'
  | 'journeys'
  | 'templates'
  | 'settings'
  | 'release'
  | 'users'
  | 'keys'
  | 'audit';

/** Whether the person may do this; what they may not is not offered. */
export function useMay(): (permission: Permission) => boolean {
  const mine = useSession();
  return (permission) => mine?.permissions.includes(permission) ?? false;
}
