/** What a person opened from the search last, on this machine. */
export type Found = {
  kind: 'contact' | 'document' | 'journey' | 'page';
  to: string;
  title: string;
  more: string;
};

const RECENT_MAX = 8;
const keyOf = (user: string) => `relance-recent:${user}`;

export function recentOf(user: string): Found[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(user)) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isFound).slice(0, RECENT_MAX) : [];
  } catch {
    return [];
  }
}

export function keepRecent(user: string, one: Found): void {
  const others = recentOf(user).filter((other) => other.to !== one.to);
  try {
    localStorage.setItem(keyOf(user), JSON.stringify([one, ...others].slice(0, RECENT_MAX)));
  } catch {
    // No room: it is found again by searching.
  }
}

/** Only pages of our own: what lies in a browser may have been put there by anybody. */
function isFound(one: unknown): one is Found {
  if (typeof one !== 'object' || one === null) {
    return false;
  }
  const found = one as Record<string, unknown>;
  return (
    ['contact', 'document', 'journey', 'page'].some((kind) => kind === found.kind) &&
    typeof found.to === 'string' &&
    /^\/(?!\/)/.test(found.to) &&
    typeof found.title === 'string' &&
    typeof found.more === 'string'
  );
}
