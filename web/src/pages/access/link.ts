/**
 * The secret of a one-time link: it stands behind the `#`, which no browser sends to a server and no server logs.
 * `#SECRET` and `#link=SECRET` mean the same.
 */
export function linkSecret(hash = window.location.hash): string | undefined {
  const text = hash.replace(/^#/, '');
  const named = /^(?:link|token)=(.*)$/.exec(text);
  const secret = (named?.[1] ?? text).trim();
  return secret === '' ? undefined : secret;
}

/** Where to go after the sign-in: a place of this interface, never another site. */
export function placeAfter(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) && !to.startsWith('/sign-in') ? to : '/';
}
