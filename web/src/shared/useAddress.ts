/** What the address says beside its path: filters, order, tab, row. A page that is opened by it again looks the same. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import type { Search } from '../router';

/** Changes some of it; `undefined` takes away. Going back passes over changes, but for those that `push`. */
export type ChangeAddress = (patch: Search, how?: { push?: boolean }) => void;

export function useAddress(): [Search, ChangeAddress] {
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = useCallback<ChangeAddress>(
    (patch, how) => {
      navigate({
        to: '.',
        search: (before: Search) => ({ ...before, ...patch }),
        replace: how?.push !== true,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [search, change];
}

/** What stands in the address as a text; a number that somebody typed is one too. */
export function textOf(value: Search[string]): string | undefined {
  return value === undefined || value === '' ? undefined : String(value);
}
