import { defineConfig } from 'vitest/config';

/** Tests of the whole: the program, its interface, a real browser. `npm run e2e` */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Each file starts a program and a browser; the machine has few cores.
    maxWorkers: 2,
    retry: 0,
  },
});
