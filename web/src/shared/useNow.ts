/** The workspace's clock. It is not the reader's: a demonstration plays weeks in minutes. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { answer, api } from '../api/client';
import { useSession } from '../shell/useSession';

const DAY_MS = 86_400_000;

/** What the shell asks for as well, so that it is asked once. */
export const waitingQuery = queryOptions({
  queryKey: ['overview', 'waiting'],
  queryFn: () => answer(api.GET('/api/v1/overview')),
});

export function useNow(): number {
  const { data, dataUpdatedAt } = useQuery(waitingQuery);
  const at = data?.now === undefined ? Number.NaN : Date.parse(data.now);
  return Number.isNaN(at) ? Date.now() : at + Math.max(0, Date.now() - dataUpdatedAt);
}

/** The workspace's day as `2026-12-24`. */
export function useToday(): string {
  const now = useNow();
  const zone = useSession()?.workspace.zone;
  const day = Math.floor(now / 60_000);
  return useMemo(() => civilDay(day * 60_000, zone), [day, zone]);
}

/** The day of a moment in a zone. */
export function civilDay(at: number, zone: string | undefined): string {
  try {
    return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(at);
  } catch {
    return new Date(at).toISOString().slice(0, 10);
  }
}

/** Days from one to the other; `undefined` when either is no day. */
export function daysBetween(from: string | undefined, to: string | undefined): number | undefined {
  const [start, end] = [from, to].map((one) =>
    one === undefined ? Number.NaN : Date.parse(one.slice(0, 10)),
  );
  if (start === undefined || end === undefined || Number.isNaN(start) || Number.isNaN(end)) {
    return undefined;
  }
  return Math.round((end - start) / DAY_MS);
}
