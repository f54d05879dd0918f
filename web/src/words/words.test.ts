import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalogues } from '../../scripts/words-plugin';

const SOURCES = join(import.meta.dirname, '..');
/** Endings by which a language tells numbers apart (Intl.PluralRules). */
const PLURAL = /_(zero|one|two|few|many|other)$/;

type Words = { [key: string]: string | Words };

function flat(words: Words, path = ''): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === 'string') {
      all.set(path + key, value);
    } else {
      for (const [inner, text] of flat(value, `${path}${key}.`)) {
        all.set(inner, text);
      }
    }
  }
  return all;
}

function read(language: string): Map<string, string> {
  const all = new Map<string, string>();
  for (const file of catalogues(SOURCES, language)) {
    for (const [key, text] of flat(JSON.parse(readFileSync(file, 'utf8')))) {
      all.set(`${basename(dirname(file))}:${key}`, text);
    }
  }
  return all;
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) {
      return sources(path);
    }
    return /\.tsx?$/.test(name) && !/\.test\.tsx?$/.test(name) && name !== 'schema.d.ts' ? [path] : [];
  });
}

const stems = (words: Map<string, string>) =>
  new Set([...words.keys()].map((key) => key.replace(PLURAL, '')));
const holes = (text: string) => new Set([...text.matchAll(/\{\{\s*(\w+)/g)].map((match) => match[1]));

describe('words', () => {
  const english = read('en');

  for (const language of ['ru', 'ja']) {
    it(`are all there in ${language}`, () => {
      const own = read(language);
      const [theirs, ours] = [stems(english), stems(own)];
      expect(
        [...theirs].filter((key) => !ours.has(key)),
        'missing',
      ).toEqual([]);
      expect(
        [...ours].filter((key) => !theirs.has(key)),
        'left over',
      ).toEqual([]);
      for (const [key, text] of own) {
        const model =
          english.get(key) ??
          english.get(key.replace(PLURAL, '_other')) ??
          english.get(key.replace(PLURAL, ''));
        expect([...holes(text)].filter((one) => one !== 'count').sort(), key).toEqual(
          [...holes(model ?? '')].filter((one) => one !== 'count').sort(),
        );
      }
    });

    it(`has every form of numbers in ${language}`, () => {
      const own = read(language);
      const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
      const plural = new Set(
        [...english.keys()].filter((key) => PLURAL.test(key)).map((key) => key.replace(PLURAL, '')),
      );
      for (const key of plural) {
        for (const form of forms) {
          expect(own.has(`${key}_${form}`), `${key}_${form}`).toBe(true);
        }
      }
    });
  }

  it('that pages ask for by name exist', () => {
    const missing: string[] = [];
    const known = stems(english);
    for (const file of sources(SOURCES)) {
      const text = readFileSync(file, 'utf8');
      const namespaces = [...text.matchAll(/useTranslation\(\s*'(\w+)'/g)].map((match) => match[1]);
      for (const [, key = ''] of text.matchAll(/\bt\(\s*'([^'$]+)'/g)) {
        const [space, name] = key.includes(':') ? key.split(':', 2) : [undefined, key];
        const spaces = space === undefined ? [...namespaces, 'shell'] : [space];
        if (!spaces.some((one) => known.has(`${one}:${name}`))) {
          missing.push(`${basename(file)}: ${key}`);
        }
      }
    }
    expect(missing).toEqual([]);
  });

  it('stand in catalogues only', () => {
    // A text between tags that has letters and is no expression.
    const strays: string[] = [];
    for (const file of sources(SOURCES).filter((one) => one.endsWith('.tsx'))) {
      const text = readFileSync(file, 'utf8');
      for (const [, stray = ''] of text.matchAll(/^\s*>?\s*([A-Z][a-z]+ [a-z]+[^<>{}=;()]*)\s*$/gm)) {
        strays.push(`${basename(file)}: ${stray}`);
      }
      for (const [, stray = ''] of text.matchAll(
        /(?:aria-label|placeholder|title|label)="([^"]*[a-z][^"]*)"/g,
      )) {
        if (stray !== 'Relance') {
          strays.push(`${basename(file)}: ${stray}`);
        }
      }
    }
    expect(strays).toEqual([]);
  });
});
