/** Words that the configuration knows, and reading values whose shape the server gives freely. */
import { asText } from '../parts/values';

export const CHANNELS = ['email', 'sms', 'voice', 'whatsapp', 'telegram', 'webhook', 'letter'] as const;
export const CALENDARS = ['none', 'ru', 'jp', 'jp-business', 'de', 'us', 'gb'] as const;

export type Raw = Record<string, unknown>;

export function asRaw(value: unknown): Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : {};
}

/** A number of a field; nothing where it is empty. */
export function asNumber(value: unknown): number | '' {
  const text = asText(value).trim();
  const number = Number(text);
  return text === '' || Number.isNaN(number) ? '' : number;
}

/** What was not filled in is not set. */
export function orNull(text: string): string | null {
  const own = text.trim();
  return own === '' ? null : own;
}

/** Codes of countries that the browser has names for, by their name. */
export function countries(language: string): { value: string; label: string }[] {
  const names = new Intl.DisplayNames(language, { type: 'region', fallback: 'none' });
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  const codes = letters.flatMap((one) => letters.map((other) => one + other));
  return codes
    .filter((code) => !NO_COUNTRIES.has(code) && !/^(X[A-JL-Z]|Q[M-Z]|AA|ZZ)$/.test(code))
    .flatMap((code) => {
      const name = names.of(code);
      const isCurrent = new Intl.Locale(`und-${code}`).region === code;
      return name === undefined || !isCurrent ? [] : [{ value: code, label: `${name} (${code})` }];
    })
    .sort((one, other) => one.label.localeCompare(other.label, language));
}

/** Unions and reserved codes. */
const NO_COUNTRIES = new Set(['EU', 'EZ', 'UN', 'CP', 'DG', 'EA', 'IC', 'TA', 'AC', 'CQ']);
