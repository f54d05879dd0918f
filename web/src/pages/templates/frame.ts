/** A message's HTML for a frame without rights: nothing in it runs, calls anybody or leads away. */

export type Look = 'desktop' | 'phone' | 'dark';

/** Nothing but styles and pictures that the message brings along. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";
/** What mail programs do that turn the colours of mails over which have none of their own for the dark. */
const TURNED =
  'html{filter:invert(1) hue-rotate(180deg);background:#fff}img{filter:invert(1) hue-rotate(180deg)}';

export function framed(html: string, look: Look): string {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  for (const link of parsed.querySelectorAll('a[href], area[href]')) {
    // Where it leads is shown; following it would put another page into the frame.
    link.setAttribute('title', link.getAttribute('href') ?? '');
    link.setAttribute('href', '#');
    link.removeAttribute('target');
  }
  for (const one of parsed.querySelectorAll(
    'script, base, meta[http-equiv], link, iframe, object, embed, form',
  )) {
    one.remove();
  }
  for (const picture of parsed.querySelectorAll('img[src]')) {
    // The frame would not fetch it: its text stands there, as where pictures are blocked.
    if (!/^data:/i.test(picture.getAttribute('src') ?? '')) {
      picture.removeAttribute('src');
      picture.removeAttribute('srcset');
    }
  }
  const policy = parsed.createElement('meta');
  policy.setAttribute('http-equiv', 'Content-Security-Policy');
  policy.setAttribute('content', POLICY);
  parsed.head.prepend(policy);
  const blocked = parsed.createElement('style');
  blocked.textContent = 'img:not([src]){outline:1px dashed #8a939b;outline-offset:-1px}';
  parsed.head.append(blocked);
  if (look === 'dark' && !hasOwnDark(html)) {
    const style = parsed.createElement('style');
    style.textContent = TURNED;
    parsed.head.append(style);
  }
  return `<!doctype html>${parsed.documentElement.outerHTML}`;
}

/** Whether the message says itself how it looks in the dark. */
export function hasOwnDark(html: string): boolean {
  return /prefers-color-scheme\s*:\s*dark/.test(html);
}

/** Whether it has pictures that lie elsewhere: the frame does not fetch them. */
export function hasFarPictures(html: string): boolean {
  return /<img[^>]+src\s*=\s*["']?\s*(https?:)?\/\//i.test(html);
}
