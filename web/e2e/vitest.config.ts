import { defineConfig } from 'vitest/config';

/** Tests of the whole: the program, its interface, a real browser. `npm run e2e` */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What is awaited of a server on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    globalSetup: 'demo-desk.ts',
    // Each file starts a program; a worker has one browser for all of its files. The machine has few cores.
    maxWorkers: 2,
    isolate: false,
    // A browser on a busy machine may miss a moment; what passes only at the second try is told as such.
    retry: process.env.CI === 'true' ? 1 : 0,
  },
});
