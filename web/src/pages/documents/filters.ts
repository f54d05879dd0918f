/** Filters and order of the list, as they stand in the address. */
import type { Search } from '../../router';
import type { Sort } from '../../shared/DataList';
import { textOf } from '../../shared/useAddress';
import type { Filters } from './api';

const TEXTS = ['kind', 'state', 'owner', 'currency', 'search', 'from', 'to'] as const;
/** What a saved view keeps. */
export const KEPT = [...TEXTS, 'overdue', 'sort', 'order'] as const;
const SORTS = ['issued', 'due', 'amount', 'updated', 'number', 'client', 'owner', 'next'];
export const SORT_FIRST: Sort = { by: 'issued', order: 'desc' };

/** Filters by the address; what is not set is left out. */
export function filtersOf(address: Search): Filters {
  const filters: Filters = {};
  for (const name of TEXTS) {
    const value = textOf(address[name]);
    if (value !== undefined) {
      filters[name] = value;
    }
  }
  if (address.overdue === true || address.overdue === 'true') {
    filters.overdue = true;
  }
  return filters;
}

export function sortOf(address: Search): Sort {
  const by = textOf(address.sort);
  return by !== undefined && SORTS.includes(by)
    ? { by, order: address.order === 'asc' ? 'asc' : 'desc' }
    : SORT_FIRST;
}

/** The part of the address that a saved view keeps. */
export function keptOf(address: Search): Search {
  const kept: Search = {};
  for (const name of KEPT) {
    const value = address[name];
    if (value !== undefined && value !== '') {
      kept[name] = value;
    }
  }
  return kept;
}

/** An address with these filters and no others. */
export function only(kept: Search): Search {
  const all: Search = {};
  for (const name of KEPT) {
    all[name] = kept[name];
  }
  return all;
}

export function sameView(one: Search, other: Search): boolean {
  return KEPT.every((name) => String(one[name] ?? '') === String(other[name] ?? ''));
}

/** The filters as a query of a link. */
export function queryOf(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    query.set(name, String(value));
  }
  return query;
}
