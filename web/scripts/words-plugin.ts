import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Plugin } from 'vite';

/**
 * Gathers the message catalogues of all folders into one module for each language, `virtual:words/LANGUAGE`, so that
 * a page brings its own words along and a reader loads one language only. A folder's name is the namespace of its words.
 */
export function words(root = join(import.meta.dirname, '../src')): Plugin {
  const prefix = 'virtual:words/';
  return {
    name: 'relance-words',
    resolveId(id) {
      return id.startsWith(prefix) ? `\0${id}` : undefined;
    },
    load(id) {
      if (!id.startsWith(`\0${prefix}`)) {
        return undefined;
      }
      const language = id.slice(prefix.length + 1);
      const all: Record<string, unknown> = {};
      for (const file of catalogues(root, language)) {
        this.addWatchFile(file);
        all[basename(dirname(file))] = JSON.parse(readFileSync(file, 'utf8'));
      }
      return `export default ${JSON.stringify(all)}`;
    },
  };
}

/** The catalogues of a language below a folder. */
export function catalogues(folder: string, language: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) {
        return catalogues(path, language);
      }
      return name === `words.${language}.json` ? [path] : [];
    });
}
