/** The template as it would be sent: asked after a pause in writing, and no longer wanted once it changes. */
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { type Files, type Rendered, templates } from './api';

const PAUSE_MS = 300;

export type Live = {
  /** The newest answer: mistakes, checks, variables. */
  rendered: Rendered | undefined;
  /** The newest message: while the text has mistakes, the one before them. */
  message: Rendered | undefined;
  isOld: boolean;
  error: unknown;
  retry: () => void;
};

export function useRendered(files: Files, language: string | undefined, contact: string | undefined): Live {
  const wanted = useMemo(() => ({ files, language, contact }), [files, language, contact]);
  const [settled] = useDebouncedValue(wanted, PAUSE_MS);
  const query = useQuery({
    queryKey: ['templates', 'rendered', settled],
    queryFn: ({ signal }) => templates.render(settled, signal),
    enabled: Object.keys(settled.files).length > 0,
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 60_000,
  });
  const { data } = query;
  const [good, setGood] = useState<Rendered>();
  useEffect(() => {
    if (data !== undefined && data.mistakes.length === 0) {
      setGood(data);
    }
  }, [data]);
  const hasMistakes = (data?.mistakes.length ?? 0) > 0;
  return {
    rendered: data,
    message: hasMistakes || data === undefined ? (good ?? data) : data,
    isOld: hasMistakes || query.isFetching || query.isPlaceholderData || settled !== wanted,
    error: query.error,
    retry: () => query.refetch(),
  };
}
