import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { words } from './scripts/words-plugin';

/** The server that `npm run dev` speaks to. */
const SERVER = process.env.RELANCE_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), words()],
  build: {
    target: 'es2022',
    // The browser asks for nothing inline: the content security policy refuses it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: { '/api': SERVER, '/auth': SERVER },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    // Components are drawn whole, and the machine may be busy.
    testTimeout: 30_000,
  },
});
