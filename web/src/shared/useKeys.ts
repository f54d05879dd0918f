import { useEffect, useRef } from 'react';
import { isTyping } from './keys';

/** Keys of the page, by the letter on the key; where letters are not Latin, by the key's place. */
export type Keys = Record<string, () => void>;

/** How long the search may take to open. */
const SEARCH_OPENS_MS = 1_500;

/** Listens while the page is open. A button that has the focus keeps Enter and the space bar, unless it says otherwise. */
export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    let searchesUntil = 0;
    const press = (event: KeyboardEvent) => {
      // What is typed right after Ctrl K is meant for the search, which may still be on its way.
      if ((event.ctrlKey || event.metaKey) && event.code === 'KeyK') {
        searchesUntil = Date.now() + SEARCH_OPENS_MS;
      }
      const isCovered = document.querySelector('[aria-modal="true"]') !== null;
      if (isTyping(event) || isCovered || Date.now() < searchesUntil) {
        return;
      }
      const run = current.current[nameOf(event)];
      const target = event.target instanceof Element ? event.target.closest('button, a, input') : null;
      const isButtons = event.key === 'Enter' || event.key === ' ';
      if (run === undefined || (isButtons && target !== null && !target.hasAttribute('data-question'))) {
        return;
      }
      event.preventDefault();
      run();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
}

/** `a`, `Shift+A`, `enter`: a Russian or Japanese layout has the letters of `KeyA` elsewhere. */
function nameOf(event: KeyboardEvent): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  if (letter !== undefined) {
    return event.shiftKey ? `Shift+${letter}` : letter.toLowerCase();
  }
  return event.key.length === 1 && event.shiftKey
    ? `Shift+${event.key.toUpperCase()}`
    : event.key.toLowerCase();
}
