/** A rough word on how hard a password is to guess. The server decides what it takes; this only helps to choose. */

/** The server takes none that is shorter. */
export const PASSWORD_CHARS_MIN = 10;

export type Strength = 'short' | 'weak' | 'fair' | 'strong';

/** What everybody tries first; a password that is little more than one of these is weak however long it is. */
const COMMON = [
  'password',
  'passwort',
  'qwerty',
  'qwertz',
  'йцукен',
  'пароль',
  'parol',
  '12345',
  '54321',
  'abcdef',
  'letmein',
  'welcome',
  'admin',
  'relance',
  'iloveyou',
];
/** Guesses, as a power of two, from which it counts as fair and as strong. */
const BITS_FAIR = 45;
const BITS_STRONG = 65;

export function strength(password: string, own: string[] = []): Strength {
  const signs = [...password];
  if (signs.length < PASSWORD_CHARS_MIN) {
    return 'short';
  }
  const bits = bitsOf(password, own);
  return bits >= BITS_STRONG ? 'strong' : bits >= BITS_FAIR ? 'fair' : 'weak';
}

/** What the reader is called by, and what everybody tries, is as good as one sign. */
function bitsOf(password: string, own: string[]): number {
  let rest = password.toLowerCase();
  const known = own.flatMap((one) => one.toLowerCase().split(/[\s@.]+/)).filter((one) => one.length > 2);
  for (const word of [...COMMON, ...known]) {
    rest = rest.replaceAll(word, '*');
  }
  // A sign like the one before it, or next to it in the alphabet, adds little.
  const signs = [...rest];
  const counted = signs.filter((sign, at) => {
    const before = signs[at - 1]?.codePointAt(0);
    const here = sign.codePointAt(0) ?? 0;
    return before === undefined || Math.abs(here - before) > 1;
  }).length;
  return counted * Math.log2(alphabet(password));
}

function alphabet(password: string): number {
  let size = 0;
  for (const [pattern, signs] of [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[0-9]/, 10],
    [/[ -/:-@[-`{-~]/, 33],
    [/[^ -~]/, 60],
  ] as const) {
    size += pattern.test(password) ? signs : 0;
  }
  return Math.max(size, 2);
}
