/** Messages that somebody began to rewrite: they stay while the tab is open, whatever else is looked at meanwhile. */

const KEPT = 'relance-approval-drafts';
const DRAFTS_MAX = 100;

function read(): Record<string, string> {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}');
    return typeof kept === 'object' && kept !== null ? (kept as Record<string, string>) : {};
  } catch {
    return {};
  }
}

export function draftOf(id: string): string | undefined {
  const kept = read()[id];
  return typeof kept === 'string' ? kept : undefined;
}

/** Keeps a draft; `undefined` forgets it. */
export function keepDraft(id: string, text: string | undefined): void {
  const { [id]: _before, ...others } = read();
  const all = text === undefined ? others : { ...others, [id]: text };
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(Object.entries(all).slice(-DRAFTS_MAX))));
  } catch {
    // No room: the draft lives as long as the page.
  }
}
