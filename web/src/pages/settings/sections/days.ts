/** Names of weekdays in the reader's language, Monday first. */
import { type Days, WEEK } from './quiet';

/** A Monday. */
const MONDAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

export function weekdayNames(language: string, weekday: 'short' | 'long'): string[] {
  const format = new Intl.DateTimeFormat(language, { weekday, timeZone: 'UTC' });
  return WEEK.map((_, place) => format.format(MONDAY + place * DAY_MS));
}

type Words = (key: string) => string;

/** "every day", "Mon–Fri", "Mon, Wed". */
export function sayDays(days: Days, language: string, t: Words): string {
  if (days === 'bd') {
    return t('settings:quiet.workingDays');
  }
  if (days.length === WEEK.length) {
    return t('settings:quiet.everyDay');
  }
  const names = weekdayNames(language, 'short');
  const places = WEEK.flatMap((day, place) => (days.includes(day) ? [place] : []));
  const [first = 0, last = 0] = [places[0], places.at(-1)];
  return places.length > 2 && last - first === places.length - 1
    ? `${names[first]}–${names[last]}`
    : places.map((place) => names[place]).join(', ');
}
