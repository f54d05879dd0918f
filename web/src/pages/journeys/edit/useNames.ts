import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { answer, api } from '../../../api/client';
import { journeys, lists, segments, templates } from '../calls';
import { eventsIn, type Names } from '../model/complete';

const FRESH_MS = 60_000;

/** Names that a journey may speak of; what could not be read is simply not offered. */
export function useNames(texts: readonly string[]): Names {
  const known = useQuery({
    queryKey: ['templates', 'names'],
    queryFn: ({ signal }) => templates(signal),
    staleTime: FRESH_MS,
    retry: false,
  });
  const groups = useQuery({
    queryKey: ['segments', 'names', 'ids'],
    queryFn: ({ signal }) => segments(signal),
    staleTime: FRESH_MS,
    retry: false,
  });
  const contents = useQuery({
    queryKey: ['templates', 'lists', 'names'],
    queryFn: ({ signal }) => lists(signal),
    staleTime: FRESH_MS,
    retry: false,
  });
  const all = useQuery({
    queryKey: ['journeys', 'names'],
    queryFn: ({ signal }) => journeys(undefined, signal, 200),
    staleTime: FRESH_MS,
    retry: false,
  });
  const seen = useQuery({
    queryKey: ['segments', 'names', 'events'],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/v1/names', { params: { query: { kind: 'events' } }, signal })),
    staleTime: FRESH_MS,
    retry: false,
  });
  const spoken = texts.join('\n');
  return useMemo(
    () => ({
      events: [
        ...new Set([...(seen.data?.items.map((one) => one.name) ?? []), ...eventsIn([spoken])]),
      ].sort(),
      templates: ids(known.data),
      segments: ids(groups.data),
      journeys: ids(all.data),
      lists: ids(contents.data),
    }),
    [spoken, known.data, groups.data, all.data, contents.data, seen.data],
  );
}

function ids(page: { items: readonly { id: string }[] } | undefined): string[] {
  return page?.items.map((one) => one.id) ?? [];
}
