import { availableParallelism } from 'node:os';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { words } from './scripts/words-plugin';

/** The server that `npm run dev` speaks to. */
const SERVER = process.env.RELANCE_URL ?? 'http://127.0.0.1:8080';

/** Pages that have a part in common, from which on it is loaded with the others of its sort. */
const SHARED_BY_MIN = 8;

export default defineConfig({
  plugins: [react(), words()],
  build: {
    target: 'es2022',
    // The browser asks for nothing inline: the content security policy refuses it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What the frame of every page needs is one file.
            { name: 'base', tags: ['$initial'], priority: 2 },
            // Parts and icons that the pages have in common are another: crumbs compress badly, and each is a call.
            {
              name: 'kit',
              test: /node_modules\/(@mantine\/(core|hooks)|@tabler)\/|src\/shared\/[^/]+$/,
              minShareCount: SHARED_BY_MIN,
              priority: 1,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: { '/api': SERVER, '/auth': SERVER },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    // A document and the libraries for each file anew would take longer than the tests; `setup.ts` cleans up.
    isolate: false,
    // By itself it leaves a core free, which is half of a small machine.
    maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
    // Components are drawn whole, and the machine may be busy.
    testTimeout: 30_000,
  },
});
