import { useMemo, useState } from 'react';
import type { Selection } from './DataList';

/** Rows that were chosen, by key. */
export function useSelection(): Selection & { keys: string[]; clear: () => void } {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  return useMemo(
    () => ({
      keys: [...chosen],
      has: (key) => chosen.has(key),
      toggle: (key) =>
        setChosen((before) => {
          const all = new Set(before);
          return all.delete(key) ? all : all.add(key);
        }),
      all: (keys, on) =>
        setChosen((before) => {
          const all = new Set(before);
          for (const key of keys) {
            on ? all.add(key) : all.delete(key);
          }
          return all;
        }),
      clear: () => setChosen(new Set()),
    }),
    [chosen],
  );
}
