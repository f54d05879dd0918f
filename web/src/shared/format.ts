/** Moments, days, amounts and numbers as the reader writes them; moments in the workspace's zone. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useSession } from '../shell/useSession';

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
/** Beyond it a moment is told by its date. */
const RELATIVE_DAYS_MAX = 7;

export type Format = {
  /** Day and time. */
  moment(at: string | undefined | null): string;
  /** The day alone. */
  day(at: string | undefined | null): string;
  /** The day without the year, where it is this one: for lists. */
  brief(at: string | undefined | null): string;
  /** The time of day alone. */
  time(at: string | undefined | null): string;
  /** "3 minutes ago", "in 2 days"; later than a week the day. */
  relative(at: string | undefined | null, now?: number): string;
  /** An amount of money; an unknown currency stays as it is written. */
  amount(value: string | number | undefined | null, currency: string | undefined | null): string;
  number(value: number): string;
  share(value: number): string;
};

export function makeFormat(language: string, zone: string | undefined): Format {
  const timeZone = isZone(zone) ? zone : undefined;
  const moment = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone });
  const short = { month: 'short', day: 'numeric' } as const;
  const brief = new Intl.DateTimeFormat(language, { ...short, timeZone });
  const civilBrief = new Intl.DateTimeFormat(language, { ...short, timeZone: 'UTC' });
  const time = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone,
  });
  const civil = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const number = new Intl.NumberFormat(language);
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const read = (at: string | undefined | null) => {
    const date = at === undefined || at === null ? undefined : new Date(at);
    return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
  };
  return {
    moment: (at) => {
      const date = read(at);
      return date === undefined ? (at ?? '') : moment.format(date);
    },
    day: (at) => {
      const date = read(at);
      if (date === undefined) {
        return at ?? '';
      }
      // A bare date belongs to no zone.
      return /^\d{4}-\d{2}-\d{2}$/.test(at ?? '') ? civil.format(date) : day.format(date);
    },
    brief: (at) => {
      const date = read(at);
      if (date === undefined) {
        return at ?? '';
      }
      const isCivil = /^\d{4}-\d{2}-\d{2}$/.test(at ?? '');
      const isThisYear = date.getUTCFullYear() === new Date().getUTCFullYear();
      return isThisYear ? (isCivil ? civilBrief : brief).format(date) : (isCivil ? civil : day).format(date);
    },
    time: (at) => {
      const date = read(at);
      return date === undefined ? '' : time.format(date);
    },
    relative: (at, now = Date.now()) => {
      const date = read(at);
      if (date === undefined) {
        return at ?? '';
      }
      const seconds = (date.getTime() - now) / 1_000;
      const size = Math.abs(seconds);
      if (size < MINUTE_S) {
        return relative.format(Math.round(seconds), 'second');
      }
      if (size < HOUR_S) {
        return relative.format(Math.round(seconds / MINUTE_S), 'minute');
      }
      if (size < DAY_S) {
        return relative.format(Math.round(seconds / HOUR_S), 'hour');
      }
      return size < RELATIVE_DAYS_MAX * DAY_S
        ? relative.format(Math.round(seconds / DAY_S), 'day')
        : day.format(date);
    },
    amount: (value, currency) => {
      if (value === undefined || value === null || value === '') {
        return '';
      }
      // Intl takes a decimal text exactly; a number would round it.
      const exact = value as Intl.StringNumericLiteral | number;
      if (currency !== undefined && currency !== null && /^[A-Z]{3}$/.test(currency)) {
        return new Intl.NumberFormat(language, {
          style: 'currency',
          currency,
          trailingZeroDisplay: 'stripIfInteger',
        }).format(exact);
      }
      const plain = number.format(exact);
      return currency ? `${plain} ${currency}` : plain;
    },
    number: (value) => number.format(value),
    share: (value) => share.format(value),
  };
}

function isZone(zone: string | undefined): zone is string {
  if (zone === undefined) {
    return false;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  const zone = useSession()?.workspace.zone;
  return useMemo(() => makeFormat(i18n.language, zone), [i18n.language, zone]);
}
