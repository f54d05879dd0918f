import { createTheme, localStorageColorSchemeManager, type MantineColorsTuple } from '@mantine/core';
import i18next from 'i18next';

/** The colour of what can be done; every shade that carries text keeps 4.5:1 to its ground. */
const brand: MantineColorsTuple = [
  '#eef3ff',
  '#dbe4ff',
  '#bac8ff',
  '#91a7ff',
  '#748ffc',
  '#5c7cfa',
  '#4263eb',
  '#3b5bdb',
  '#364fc7',
  '#2b3f9e',
];

/** System fonts: nothing to load, and each script in the face its reader knows. */
const fonts =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Hiragino Sans", "Yu Gothic UI", "Noto Sans CJK JP", sans-serif';

/** The cross of a dialog has a name, in the language of the moment. */
const closing = {
  closeButtonProps: {
    get 'aria-label'() {
      return i18next.t('close', { ns: 'shell' });
    },
  },
};

export const theme = createTheme({
  colors: { brand },
  primaryColor: 'brand',
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  fontFamily: fonts,
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Noto Sans Mono", monospace',
  defaultRadius: 'md',
  cursorType: 'pointer',
  components: {
    // Words stand as they are written; shouting is for nobody.
    Badge: { defaultProps: { tt: 'none' } },
    // A title may be a sentence.
    Modal: { defaultProps: closing, styles: { title: { lineHeight: 1.35, overflowWrap: 'anywhere' } } },
    Drawer: { defaultProps: closing },
  },
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.15rem' }, h3: { fontSize: '1rem' } },
  },
});

export const schemeManager = localStorageColorSchemeManager({ key: 'relance-scheme' });
