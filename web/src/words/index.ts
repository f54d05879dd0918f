/** The words of the interface: catalogues beside the pages, one language loaded at a time. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';

export const LANGUAGES = ['en', 'ru', 'ja'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language by its own name, for whoever reads no other. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', ru: 'Русский', ja: '日本語' };

const KEPT = 'relance-language';

type Catalogue = Record<string, Record<string, unknown>>;

const loaders: Record<Language, () => Promise<{ default: Catalogue }>> = {
  en: () => import('virtual:words/en'),
  ru: () => import('virtual:words/ru'),
  ja: () => import('virtual:words/ja'),
};

export function isLanguage(text: string | null | undefined): text is Language {
  return LANGUAGES.some((one) => one === text);
}

/** The language chosen before, else the first of the browser's that is known, else English. */
export function firstLanguage(): Language {
  const kept = localStorage.getItem(KEPT);
  if (isLanguage(kept)) {
    return kept;
  }
  const known = navigator.languages.map((one) => one.slice(0, 2)).find(isLanguage);
  return known ?? 'en';
}

export async function startWords(language: Language): Promise<void> {
  const { default: resources } = await loaders[language]();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: resources },
    defaultNS: 'shell',
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  document.documentElement.lang = language;
}

export async function speak(language: Language): Promise<void> {
  if (i18next.language !== language) {
    const { default: catalogue } = await loaders[language]();
    for (const [namespace, words] of Object.entries(catalogue)) {
      i18next.addResourceBundle(language, namespace, words, true, true);
    }
    await i18next.changeLanguage(language);
  }
  localStorage.setItem(KEPT, language);
  document.documentElement.lang = language;
}

export function language(): Language {
  return isLanguage(i18next.language) ? i18next.language : 'en';
}
