import { defineConfig } from 'vitest/config';

/** Measurements of the interface, printed; they assert nothing about time. `npm run bench` */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.bench.ts'],
    testTimeout: 600_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
});
