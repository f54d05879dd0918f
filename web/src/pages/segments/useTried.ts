/** Who would belong to a definition as it stands: asked after a pause in writing, and no longer wanted once it changes. */
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { failureOf } from '../../api/problem';
import { type DefinitionTried, type FileProblem, segments } from './api';

const PAUSE_MS = 350;

export type Tried = {
  told: DefinitionTried | undefined;
  /** What is told belongs to an earlier text. */
  isOld: boolean;
  /** Mistakes in the text. */
  problems: FileProblem[];
  error: unknown;
  retry: () => void;
};

const NONE: FileProblem[] = [];

export function useTried(text: string | undefined): Tried {
  const [settled] = useDebouncedValue(text, PAUSE_MS);
  const query = useQuery({
    queryKey: ['segments', 'tried', settled],
    queryFn: ({ signal }) => segments.tryOut(settled ?? '', signal),
    enabled: settled !== undefined && settled !== '',
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 10_000,
  });
  // A text with a mistake has no count of its own: the last one stays, and says that it is old.
  const [last, setLast] = useState<DefinitionTried>();
  const { data } = query;
  useEffect(() => {
    if (data !== undefined) {
      setLast(data);
    }
  }, [data]);
  const problems = useMemo(() => problemsOf(query.error) ?? NONE, [query.error]);
  return {
    told: data ?? last,
    isOld: query.isPlaceholderData || query.isFetching || settled !== text || query.isError,
    problems,
    error: query.error !== null && problemsOf(query.error) === undefined ? query.error : undefined,
    retry: () => query.refetch(),
  };
}

/** The mistakes that a refusal names; `undefined` when it is about something else. */
export function problemsOf(error: unknown): FileProblem[] | undefined {
  if (error === null || error === undefined) {
    return undefined;
  }
  const { problem, status } = failureOf(error);
  return status === 422 && Array.isArray(problem.problems) ? (problem.problems as FileProblem[]) : undefined;
}
