/** Topics as a form: each by its id, with its names in the languages of contacts. */
import { LANGUAGES } from '../../../words';
import type { FieldProblem } from '../edit/problems';
import { asList, asText } from '../parts/values';
import { asRaw, type Raw } from './values';

/** `key` tells rows apart while they are edited; `isNew` lets the id be chosen. */
export type Topic = {
  key: number;
  id: string;
  isNew: boolean;
  name: Record<string, string>;
  description: Record<string, string>;
};
export type TopicsForm = { list: Topic[] };

const texts = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(asRaw(value)).map(([language, text]) => [language, asText(text)]));

export const readTopics = (value: unknown): TopicsForm => ({
  list: asList(value).map((one, key) => ({
    key,
    id: asText(one.id),
    isNew: false,
    name: texts(one.name),
    description: texts(one.description),
  })),
});

const filled = (all: Record<string, string>): Raw =>
  Object.fromEntries(Object.entries(all).filter(([, text]) => text.trim() !== ''));

export const writeTopics = ({ list }: TopicsForm) =>
  list.map(({ id, name, description }) => ({
    id: id.trim(),
    name: filled(name),
    description: filled(description),
  }));

type Words = (key: string) => string;

export function checkTopics({ list }: TopicsForm, t: Words): FieldProblem[] {
  return list.flatMap(({ id, name }, place) => {
    const own = id.trim();
    if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(own)) {
      return [{ field: `${place}.id`, message: t('settings:topics.wrongId') }];
    }
    if (list.some((other, at) => at < place && other.id.trim() === own)) {
      return [{ field: `${place}.id`, message: t('settings:topics.twice') }];
    }
    return Object.keys(filled(name)).length === 0
      ? [{ field: `${place}.name`, message: t('settings:topics.noName') }]
      : [];
  });
}

/** A text that is given in several languages, in the reader's. */
export function inWords(value: unknown, language: string): string {
  const all = asRaw(value);
  return asText(all[language] ?? all.en ?? Object.values(all)[0]);
}

/** Languages of the interface, and whichever else is written already. */
export function languagesOf({ list }: TopicsForm): string[] {
  return [...new Set([...LANGUAGES, ...list.flatMap((one) => Object.keys(one.name))])];
}

/** The list with one moved up or down. */
export function moved<T>(list: readonly T[], from: number, by: -1 | 1): T[] {
  const next = [...list];
  const [one] = next.splice(from, 1);
  if (one !== undefined) {
    next.splice(Math.max(0, from + by), 0, one);
  }
  return next;
}
