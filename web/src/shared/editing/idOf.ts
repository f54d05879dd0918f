/** Ids of things that people name: letters that a file name and an address can have. */

const LATIN: Record<string, string> = {
  а: 'a',
  б: 'b',
  в: 'v',
  г: 'g',
  д: 'd',
  е: 'e',
  ё: 'e',
  ж: 'zh',
  з: 'z',
  и: 'i',
  й: 'y',
  к: 'k',
  л: 'l',
  м: 'm',
  н: 'n',
  о: 'o',
  п: 'p',
  р: 'r',
  с: 's',
  т: 't',
  у: 'u',
  ф: 'f',
  х: 'kh',
  ц: 'ts',
  ч: 'ch',
  ш: 'sh',
  щ: 'sch',
  ъ: '',
  ы: 'y',
  ь: '',
  э: 'e',
  ю: 'yu',
  я: 'ya',
};

export const ID_CHARS_MAX = 64;

/** An id made of a name; empty where the name has no letters for one. A reserved one gets a number. */
export function idOf(name: string, reserved?: ReadonlySet<string>): string {
  // Letters first: taken apart, й would be и.
  const latin = [...name.toLowerCase()].map((char) => LATIN[char] ?? char).join('');
  const id = latin
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9_]+/g, '-')
    .slice(0, ID_CHARS_MAX)
    .replace(/^-+|-+$/g, '');
  return reserved?.has(id) === true ? `${id}-1` : id;
}
