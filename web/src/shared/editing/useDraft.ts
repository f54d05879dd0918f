/**
 * What a person has written and not saved yet: it stays in the browser, and so outlives a closed page, an ended
 * session and a restarted server. What the server has is followed as long as nothing was written.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

type Kept<T> = {
  /** The state of the server's text that it began from. */
  base: string;
  value: T;
  at: string;
};

export type Draft<T> = {
  /** What is shown: what was written, else what the server has. */
  value: T | undefined;
  set: (next: T) => void;
  isChanged: boolean;
  /** When it was written, if it comes from an earlier visit. */
  restoredAt: string | undefined;
  /** The server has a newer text than the one that was begun from. */
  isStale: boolean;
  /** What is sent as `If-Match`: the state that the text began from. */
  base: string | undefined;
  /** Goes back to what the server has. */
  discard: () => void;
  /** Takes the server's newer text as seen: what is saved next may replace it. */
  rebase: () => void;
};

const PREFIX = 'relance-draft:';
/** Writing to the browser's store waits for a pause in typing. */
const PAUSE_MS = 400;

export function useDraft<T>(key: string, saved: T | undefined, revision: string | undefined): Draft<T> {
  const name = PREFIX + key;
  const [kept, setKept] = useState<Kept<T> | undefined>(() => read<T>(name));
  const [restoredAt, setRestoredAt] = useState(kept?.at);
  const shown = useRef(name);
  if (shown.current !== name) {
    shown.current = name;
    const other = read<T>(name);
    setKept(other);
    setRestoredAt(other?.at);
  }
  const savedText = useMemo(() => JSON.stringify(saved), [saved]);
  const isChanged = kept !== undefined && saved !== undefined && JSON.stringify(kept.value) !== savedText;

  const pending = useRef<Kept<T>>(undefined);
  const flush = useCallback(() => {
    if (pending.current !== undefined) {
      write(name, pending.current);
      pending.current = undefined;
    }
  }, [name]);
  useEffect(() => {
    window.addEventListener('pagehide', flush);
    return () => {
      window.removeEventListener('pagehide', flush);
      flush();
    };
  }, [flush]);
  useEffect(() => {
    if (kept === undefined) {
      return;
    }
    pending.current = kept;
    const timer = setTimeout(flush, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [kept, flush]);

  const forget = useCallback(() => {
    pending.current = undefined;
    localStorage.removeItem(name);
    setKept(undefined);
    setRestoredAt(undefined);
  }, [name]);
  // What was written has become what the server has: there is nothing to keep.
  useEffect(() => {
    if (kept !== undefined && savedText !== undefined && JSON.stringify(kept.value) === savedText) {
      forget();
    }
  }, [kept, savedText, forget]);

  const set = useCallback(
    (value: T) =>
      setKept((before) => ({ base: before?.base ?? revision ?? '', value, at: new Date().toISOString() })),
    [revision],
  );
  const rebase = useCallback(
    () => setKept((before) => (before === undefined ? before : { ...before, base: revision ?? '' })),
    [revision],
  );
  return {
    value: kept?.value ?? saved,
    set,
    isChanged,
    restoredAt: isChanged ? restoredAt : undefined,
    isStale: isChanged && revision !== undefined && kept.base !== revision,
    base: kept?.base ?? revision,
    discard: forget,
    rebase,
  };
}

function read<T>(name: string): Kept<T> | undefined {
  try {
    const text = localStorage.getItem(name);
    return text === null ? undefined : (JSON.parse(text) as Kept<T>);
  } catch {
    return undefined;
  }
}

function write<T>(name: string, kept: Kept<T>): void {
  try {
    localStorage.setItem(name, JSON.stringify(kept));
  } catch {
    // The browser's store is full or closed: the page still holds the text.
  }
}
