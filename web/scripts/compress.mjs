// Writes a .br and a .gz beside each text file of the build, so that the server compresses nothing itself.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const TEXTS = new Set(['.js', '.css', '.html', '.svg', '.json', '.txt']);
/** Smaller files gain nothing. */
const BYTES_MIN = 512;

function each(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) {
      each(path);
    } else if (TEXTS.has(extname(name)) && statSync(path).size >= BYTES_MIN) {
      const bytes = readFileSync(path);
      const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
      writeFileSync(`${path}.br`, brotliCompressSync(bytes, brotli));
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    }
  }
}

each(new URL('../dist', import.meta.url).pathname);
