/** Times that reports are asked for, as first and last day. */

export const SPANS = ['month', 'lastMonth', 'quarter', 'year', 'lastYear'] as const;
export type Span = (typeof SPANS)[number];

const iso = (date: Date) => date.toISOString().slice(0, 10);
const day = (year: number, month: number, date: number) => new Date(Date.UTC(year, month, date));

/** Without a last day it is today's: the server knows the workspace's. */
export function spanOf(span: Span, now: Date): { from: string; to?: string } {
  const year = now.getUTCFullYear();
  const month = now.getUTCMonth();
  switch (span) {
    case 'month':
      return { from: iso(day(year, month, 1)) };
    case 'lastMonth':
      return { from: iso(day(year, month - 1, 1)), to: iso(day(year, month, 0)) };
    case 'quarter':
      return { from: iso(day(year, month - (month % 3), 1)) };
    case 'year':
      return { from: iso(day(year, 0, 1)) };
    case 'lastYear':
      return { from: iso(day(year - 1, 0, 1)), to: iso(day(year, 0, 0)) };
  }
}
