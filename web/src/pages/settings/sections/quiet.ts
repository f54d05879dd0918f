/** Quiet hours as a form: periods of a week, each with its days and its hours. */
import type { FieldProblem } from '../edit/problems';
import { asText } from '../parts/values';

export const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof WEEK)[number];
/** Days by name, or the working days of a contact's calendar. */
export type Days = readonly Day[] | 'bd';

export type Period = { days: Days; from: string; to: string };
/** By channel; what is not there has no quiet hours. */
export type QuietForm = Record<string, Period[]>;

export const EVERY_DAY: Days = WEEK;
/** Periods of one channel, as many as the server takes. */
export const PERIODS_MAX = 8;
const DAY_MINUTES = 1_440;

/** `mon-fri`, `sat,sun`, `fri-mon`, `bd`; nothing means every day. */
export function readDays(text: unknown): Days {
  const word = asText(text).trim().toLowerCase();
  if (word === '') {
    return EVERY_DAY;
  }
  if (word === 'bd') {
    return 'bd';
  }
  const found = new Set<Day>();
  for (const part of word.split(',')) {
    const [first = '', last = first] = part.split('-').map((one) => one.trim());
    const [from, to] = [WEEK.indexOf(first as Day), WEEK.indexOf(last as Day)];
    if (from < 0 || to < 0) {
      continue;
    }
    for (let at = from; ; at = (at + 1) % WEEK.length) {
      found.add(WEEK[at] as Day);
      if (at === to) {
        break;
      }
    }
  }
  return WEEK.filter((one) => found.has(one));
}

/** The shortest writing; `null` for every day. */
export function writeDays(days: Days): string | null {
  if (days === 'bd') {
    return 'bd';
  }
  if (days.length === WEEK.length) {
    return null;
  }
  const runs: Day[][] = [];
  for (const day of WEEK.filter((one) => days.includes(one))) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run !== undefined && before !== undefined && WEEK.indexOf(day) === WEEK.indexOf(before) + 1) {
      run.push(day);
    } else {
      runs.push([day]);
    }
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]}-${run.at(-1)}` : run.join(','))).join(',');
}

function readHours(text: unknown, days: Days): Period[] {
  return asText(text)
    .split(',')
    .map((span) => {
      const [from = '', to = ''] = span.split('-').map((one) => one.trim());
      return { days, from, to };
    })
    .filter((one) => one.from !== '' || one.to !== '');
}

export function readQuiet(value: unknown): QuietForm {
  if (typeof value !== 'object' || value === null) {
    return {};
  }
  const all = Object.entries(value).map(([channel, hours]: [string, unknown]) => {
    const periods = Array.isArray(hours)
      ? hours.flatMap((one: Record<string, unknown>) => readHours(one.hours, readDays(one.days)))
      : readHours(hours, EVERY_DAY);
    return [channel, periods] as const;
  });
  return Object.fromEntries(all.filter(([, periods]) => periods.length > 0));
}

/** One period of every day is written as its hours alone. */
export function writeQuiet(form: QuietForm): Record<string, unknown> {
  const all = Object.entries(form)
    .filter(([, periods]) => periods.length > 0)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([channel, periods]) => {
      const [first] = periods;
      if (periods.length === 1 && first !== undefined && writeDays(first.days) === null) {
        return [channel, `${first.from}-${first.to}`] as const;
      }
      return [
        channel,
        periods.map(({ days, from, to }) => ({ days: writeDays(days), hours: `${from}-${to}` })),
      ] as const;
    });
  return Object.fromEntries(all);
}

/** `21:30` as minutes of the day; `24:00` is its end. */
export function minutesOf(text: string): number | undefined {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text);
  if (match === null) {
    return undefined;
  }
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  return Number(match[2]) < 60 && minutes <= DAY_MINUTES ? minutes : undefined;
}

/** `9`, `930`, `9.30` as `09:00`, `09:30`; what is no time stays as it was typed. Midnight ends a day as 24:00. */
export function tidyTime(text: string, isEnd: boolean): string {
  const match = /^\s*(\d{1,2})\s*[:.-]?\s*(\d{2})?\s*$/.exec(text.normalize('NFKC'));
  if (match === null) {
    return text;
  }
  const time = `${(match[1] ?? '').padStart(2, '0')}:${match[2] ?? '00'}`;
  return isEnd && time === '00:00' ? '24:00' : time;
}

/** What is quiet of each day of a week, Monday first, as parts of the day from 0 to 1; over midnight into the next day. */
export function quietOfWeek(periods: readonly Period[]): { from: number; to: number }[][] {
  const week: { from: number; to: number }[][] = WEEK.map(() => []);
  for (const { days, from, to } of periods) {
    const [start, end] = [minutesOf(from), minutesOf(to)];
    if (start === undefined || end === undefined || start === end) {
      continue;
    }
    const own = days === 'bd' ? WEEK.slice(0, 5) : days;
    for (const day of own) {
      const at = WEEK.indexOf(day);
      const last = end > start ? end : DAY_MINUTES;
      week[at]?.push({ from: start / DAY_MINUTES, to: last / DAY_MINUTES });
      if (end < start) {
        week[(at + 1) % WEEK.length]?.push({ from: 0, to: end / DAY_MINUTES });
      }
    }
  }
  return week;
}

/** Whether nothing of the week is left. */
function isAlwaysQuiet(periods: readonly Period[]): boolean {
  return quietOfWeek(periods).every((spans) => {
    let reached = 0;
    for (const { from, to } of [...spans].sort((one, other) => one.from - other.from)) {
      if (from > reached) {
        return false;
      }
      reached = Math.max(reached, to);
    }
    return reached >= 1;
  });
}

type Words = (key: string) => string;

export function checkQuiet(form: QuietForm, t: Words): FieldProblem[] {
  return Object.entries(form).flatMap(([channel, periods]) => {
    const found: FieldProblem[] = periods.flatMap(({ days, from, to }, place) => {
      const [start, end] = [minutesOf(from), minutesOf(to)];
      const field = `${channel}.${place}`;
      if (start === undefined || end === undefined) {
        return [{ field, message: t('settings:quiet.wrongTime') }];
      }
      if (start === end) {
        return [{ field, message: t('settings:quiet.wrongEmpty') }];
      }
      return days !== 'bd' && days.length === 0 ? [{ field, message: t('settings:quiet.wrongDays') }] : [];
    });
    return found.length === 0 && isAlwaysQuiet(periods)
      ? [{ field: `${channel}.0`, message: t('settings:quiet.wrongAlways') }]
      : found;
  });
}
