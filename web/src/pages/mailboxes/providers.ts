/** What is known of mail providers beside what the server says. */
import type { Found } from './calls';

export type Button = 'google' | 'microsoft';

/** By whose button it connects. */
export function buttonOf(found: Found): Button | undefined {
  const { oauth, auth } = found;
  return auth.includes('oauth') && (oauth === 'google' || oauth === 'microsoft') ? oauth : undefined;
}

/** Providers whose way to a password has words of its own: `hint.NAME`. */
const HINTS = ['gmail', 'yandex', 'mailru', 'icloud', 'microsoft'];

/** Which password is wanted, as the words call it. */
export function hintOf({ provider, hint }: Found): string {
  if (provider != null && HINTS.includes(provider)) {
    return provider;
  }
  switch (hint) {
    case 'app_password':
      return 'app';
    case 'enable_imap':
      return 'imap';
    case 'app_password_and_imap':
      return 'both';
    default:
      return 'plain';
  }
}

/** A password for programs, not the usual one. */
export const isAppPassword = ({ hint }: Found) => hint.startsWith('app_password');

/** Their own names, which are the same in every language. */
const NAMES: Record<string, string> = {
  gmail: 'Gmail',
  microsoft: 'Microsoft 365',
  yandex: 'Yandex',
  mailru: 'Mail.ru',
  rambler: 'Rambler',
  icloud: 'iCloud',
  fastmail: 'Fastmail',
  zoho: 'Zoho',
  gmx: 'GMX',
  yahoo: 'Yahoo',
};

export function providerName(provider: string | null | undefined): string | undefined {
  return provider == null ? undefined : NAMES[provider];
}
