/** Names of template files: `welcome.ru.mjml` is the template `welcome` in Russian, written in MJML. */

export const FORMS = ['mjml', 'html', 'txt'] as const;
export type Form = (typeof FORMS)[number];

export type FileName = { name: string; language: string; form: Form };

export function readName(id: string, name: string): FileName | undefined {
  if (!name.startsWith(`${id}.`)) {
    return undefined;
  }
  const rest = name.slice(id.length + 1).split('.');
  const form = FORMS.find((one) => one === rest.at(-1));
  if (form === undefined || rest.length > 2) {
    return undefined;
  }
  return { name, language: rest.length === 2 ? (rest[0] ?? '') : '', form };
}

export function fileName(id: string, language: string, form: Form): string {
  return language === '' ? `${id}.${form}` : `${id}.${language}.${form}`;
}

/** Files in an order that stays: the one without a language first, the designed form before the plain one. */
export function sortedNames(id: string, names: readonly string[]): FileName[] {
  return names
    .flatMap((name) => readName(id, name) ?? [])
    .sort(
      (one, other) =>
        one.language.localeCompare(other.language) || FORMS.indexOf(one.form) - FORMS.indexOf(other.form),
    );
}

/** A language by its own name for the reader; what is no language stays as it is. */
export function languageName(tag: string, reader: string): string {
  try {
    return new Intl.DisplayNames([reader], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

export const LANGUAGE = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/;
