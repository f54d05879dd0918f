/** The journeys that the project ships, for tests. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../../../..');

function files(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? files(path) : [path];
    })
    .filter((path) => path.endsWith('.yaml') && path.includes('/journeys/'));
}

export function examples(): { name: string; text: string }[] {
  return ['docs/examples/journeys', 'assets/scenarios']
    .flatMap((folder) => files(join(ROOT, folder)))
    .map((path) => ({ name: path.split('/').at(-1) ?? path, text: readFileSync(path, 'utf8') }));
}
