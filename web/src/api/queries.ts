import { QueryClient } from '@tanstack/react-query';
import { Failure } from './problem';

/** Tries of a reading call that the server could not answer; a refusal is not asked again. */
const TRIES_MAX = 3;
/** Lists are told of changes (see live.ts); beyond that they are read anew after this long. */
const FRESH_MS = 30_000;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      retry: (tries, error) =>
        tries < TRIES_MAX && !(error instanceof Failure && error.status >= 400 && error.status < 500),
      refetchOnWindowFocus: true,
    },
  },
});
