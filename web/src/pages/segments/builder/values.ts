/** Values between what is typed and what is written. */

const NUMBER = /^-?(0|[1-9]\d{0,14})(\.\d{1,10})?$/;

/** What a person typed, as YAML would read it: numbers are numbers, yes and no are not texts. */
export function typedValue(text: string): string | number | boolean {
  const trimmed = text.trim();
  if (NUMBER.test(trimmed)) {
    return Number(trimmed);
  }
  return trimmed === 'true' ? true : trimmed === 'false' ? false : text;
}

export function shown(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export const UNITS = ['m', 'h', 'd', 'w', 'mo', 'y'] as const;
export type Unit = (typeof UNITS)[number];

/** `30d` as its number and unit; what is made of several, or of working days, stays text. */
export function spanOf(text: string): { count: number; unit: Unit } | undefined {
  const match = /^\s*(\d{1,6})\s*(mo|m|h|d|w|y)\s*$/.exec(text);
  const unit = UNITS.find((one) => one === match?.[2]);
  return match === null || unit === undefined ? undefined : { count: Number(match[1]), unit };
}

/** A moment that is counted from now. */
export function relativeOf(value: unknown): { way: 'ago' | 'in'; span: string } | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const { ago, in: later } = value as { ago?: unknown; in?: unknown };
  if (typeof ago === 'string') {
    return { way: 'ago', span: ago };
  }
  return typeof later === 'string' ? { way: 'in', span: later } : undefined;
}
