/** Reading what the server tells of its configuration, whose fields are free. */
import type { Fields } from '../calls';

export function asText(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}

/** A list of sections; what is none is left out. */
export function asList(value: unknown): Fields[] {
  return Array.isArray(value)
    ? value.filter((one): one is Fields => typeof one === 'object' && one !== null)
    : [];
}

export function asTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(asText) : [];
}
