import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serverCodes } from '../../testing/serverCodes';

type Catalogue = Record<string, Record<string, unknown> | undefined>;
const read = (path: string): Catalogue => JSON.parse(readFileSync(join(import.meta.dirname, path), 'utf8'));

/** Problems that arise on the way, before the server or without it. */
const OF_OUR_OWN = ['unreachable', 'overloaded'];

describe('the problems of the server', () => {
  const { answers, statements, strange } = serverCodes();

  it('are all found in its sources', () => {
    expect(strange).toEqual([]);
    expect([...answers.keys()]).toEqual(
      expect.arrayContaining([
        'not_found',
        'stale',
        'wrong_credentials',
        'connect_again',
        'unauthorised',
        'quiet',
      ]),
    );
    expect([...statements.keys()]).toEqual(expect.arrayContaining(['unknown_format', 'no_header']));
  });

  for (const language of ['en', 'ru', 'ja']) {
    it(`have words in ${language}`, () => {
      const words = read(`words.${language}.json`);
      const without = [...answers]
        .filter(([code]) => ['title', 'remedy'].some((part) => String(words[code]?.[part] ?? '') === ''))
        .map(([code, file]) => `${code} (${file}): add it to src/shared/problems/words.${language}.json`);
      expect(without).toEqual([]);
      const refused = read(`../../pages/payments/words.${language}.json`).refused ?? {};
      expect([...statements.keys()].filter((code) => typeof refused[code] !== 'string')).toEqual([]);
    });
  }

  it('have no words left over', () => {
    const known = Object.keys(read('words.en.json'));
    expect(known.filter((code) => !answers.has(code) && !OF_OUR_OWN.includes(code))).toEqual([]);
  });
});
