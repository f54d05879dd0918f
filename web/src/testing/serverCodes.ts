/**
 * The codes of the problems that the server answers with, read out of its sources.
 *
 * A code stands beside its status, or comes from an error that knows its own. A third way, once somebody writes one, is
 * reported as `strange`, so that no code slips through unread.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const CRATES = join(import.meta.dirname, '../../../crates');
/** Where answers are made. */
const ANSWERS = 'relance/src/http';
/** Where errors say their code themselves, with `fn code`. */
const OWN_CODES = ['relance/src/access', 'relance/src/oauth', 'wire/src/segment.rs'];
/** What is wrong with a bank statement; the page of payments has words for it. */
const STATEMENTS = 'wire/src/statement/mod.rs';

/** A code that is written where the answer is made. */
const WRITTEN = [
  /StatusCode::\w+,\s*"(\w+)"/g,
  /\bstatus(?:\(\))?,\s*"(\w+)"/g,
  /\b(?:bad|refused|wrong_\w+)\(\s*"(\w+)",/g,
  /\bRefused::new\(\s*"(\w+)"/g,
  /\bunready\(\s*"(\w+)"/g,
  /\blet code = "(\w+)"/g,
];
/** How far behind a `match` its code becomes a problem. */
const AFTER_CHARS = 200;
/** What may stand in a code's place where it is not written: what is read by `OWN_CODES`, or a helper's argument. */
const KNOWN =
  /^(code|unready\.code|refused\.code|problem\.code\(\)|oauth\.code\(\)|UNAUTHORISED|self\.code)$/;

function sources(path: string): string[] {
  if (!statSync(path).isDirectory()) {
    return [path];
  }
  return readdirSync(path)
    .sort()
    .flatMap((name) => sources(join(path, name)))
    .filter((one) => one.endsWith('.rs'));
}

/** A source without comments and without its tests. */
function text(path: string): string {
  const whole = readFileSync(path, 'utf8').replace(/^\s*\/\/.*$/gm, '');
  return whole.split(/^#\[cfg\(test\)\]\nmod \w+ \{/m)[0] ?? whole;
}

/** From the opening brace at or after `from` to the one that closes it. */
function block(source: string, from: number): string {
  const start = source.indexOf('{', from);
  let depth = 0;
  for (let at = start; at < source.length; at += 1) {
    depth += source[at] === '{' ? 1 : source[at] === '}' ? -1 : 0;
    if (depth === 0) {
      return source.slice(start, at);
    }
  }
  return source.slice(start);
}

const arms = (body: string) => [...body.matchAll(/=>\s*"(\w+)"/g)].map((match) => match[1] ?? '');

type Codes = Map<string, string>;

function gather(codes: Codes, found: Iterable<string | undefined>, file: string): void {
  for (const code of found) {
    if (code !== undefined) {
      codes.set(code, codes.get(code) ?? relative(CRATES, file));
    }
  }
}

function written(source: string): (string | undefined)[] {
  return WRITTEN.flatMap((pattern) => [...source.matchAll(pattern)].map((match) => match[1]));
}

/** The arms of every `fn code`. */
function told(source: string): (string | undefined)[] {
  return [...source.matchAll(/fn code\(&?self\)/g)].flatMap((match) => arms(block(source, match.index)));
}

/** Every code with the file where it was found, and the places that could not be read. */
export function serverCodes(): { answers: Codes; statements: Codes; strange: string[] } {
  const answers: Codes = new Map();
  const statements: Codes = new Map();
  const strange: string[] = [];
  for (const file of sources(join(CRATES, ANSWERS))) {
    const source = text(file);
    gather(answers, written(source), file);
    gather(
      answers,
      [...source.matchAll(/const UNAUTHORISED: &str = "(\w+)"/g)].map((match) => match[1]),
      file,
    );
    for (const match of source.matchAll(/let code = match/g)) {
      const body = block(source, match.index);
      const after = source.slice(match.index + body.length, match.index + body.length + AFTER_CHARS);
      gather(answers, after.includes('Problem::new(') ? arms(body) : [], file);
    }
    // `Problem::new(status, code, ...)`: a second argument that is neither written nor known.
    for (const [, second = ''] of source.matchAll(/\b(?:Problem|Self)::new\(\s*[\w:.()]+,\s*([^,]+),/g)) {
      if (!/^"\w+"$/.test(second) && !KNOWN.test(second)) {
        strange.push(`${relative(CRATES, file)}: ${second}`);
      }
    }
  }
  for (const file of OWN_CODES.flatMap((one) => sources(join(CRATES, one)))) {
    const source = text(file);
    gather(answers, [...told(source), ...written(source)], file);
  }
  const file = join(CRATES, STATEMENTS);
  gather(statements, told(text(file)), file);
  return { answers, statements, strange };
}
