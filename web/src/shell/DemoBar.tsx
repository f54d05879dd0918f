import { queryOptions, useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { answer, api } from '../api/client';
import { failureOf } from '../api/problem';
import type { components } from '../api/schema';

/** Few workspaces are demonstrations: the others load nothing of it. */
const DemoControls = lazy(() =>
  import('./DemoControls').then((module) => ({ default: module.DemoControls })),
);

/** `speed` is virtual seconds in a real one; 0 is as fast as it goes. */
export type Demo = components['schemas']['Demo'];

/** How often the clock is asked for. */
export const ASKED_MS = 2_000;

/** How the demonstration goes; `null` in every other workspace. */
export const demoQuery = queryOptions({
  queryKey: ['demo'],
  queryFn: async () => {
    try {
      return await answer(api.GET('/api/v1/demo'));
    } catch (error) {
      if (failureOf(error).status === 404) {
        return null;
      }
      throw error;
    }
  },
  // A real workspace does not become a demonstration.
  staleTime: Number.POSITIVE_INFINITY,
  refetchOnWindowFocus: false,
});

/** Shown where the workspace is the demonstration: its clock, how fast it goes, the tour. */
export function DemoBar() {
  const { data } = useQuery({
    ...demoQuery,
    refetchInterval: (query) => (query.state.data && !query.state.data.ended ? ASKED_MS : false),
  });
  return data ? (
    <Suspense>
      <DemoControls demo={data} />
    </Suspense>
  ) : null;
}
