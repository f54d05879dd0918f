/** Times as the language writes them (`3bd`, `1h 30m`): read, written, said. */
import type { TFunction } from 'i18next';

export const UNITS = ['m', 'h', 'd', 'bd', 'w', 'mo', 'y', 's'] as const;
export type Unit = (typeof UNITS)[number];
export type Part = { count: number; unit: Unit };

/** The parts of a time; `undefined` where it is none. */
export function readDuration(text: string): Part[] | undefined {
  const trimmed = text.trim();
  if (!/^(\d+\s*(bd|mo|s|m|h|d|w|y)\s*)+$/.test(trimmed)) {
    return undefined;
  }
  return [...trimmed.matchAll(/(\d+)\s*(bd|mo|s|m|h|d|w|y)/g)].map(([, count, unit]) => ({
    count: Number(count),
    unit: unit as Unit,
  }));
}

/** A time in words: "3 working days"; what is no time stays as it is written. */
export function sayDuration(t: TFunction, value: unknown): string {
  const text = String(value ?? '');
  const parts = readDuration(text);
  if (parts === undefined) {
    return text;
  }
  return parts.map(({ count, unit }) => t(`journeys:time.${unit}`, { count })).join(' ');
}

/** A distance from a date in words: "2 working days before". */
export function sayOffset(t: TFunction, value: unknown): { time: string; before: boolean } | undefined {
  const text = String(value ?? '').trim();
  const before = /^[-\u2212]/.test(text);
  const time = text.replace(/^[-\u2212+]\s*/, '');
  return readDuration(time) === undefined ? undefined : { time: sayDuration(t, time), before };
}
