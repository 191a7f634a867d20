// How the pages are built: one folder of hashed, precompressed files that `lecternd` embeds.
// Vite 6 and not a later one, because it runs on Debian 12's own Node 18 (the contract's floor).
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

import { leanHls } from './build/lean-hls.ts';
import { precompress } from './build/precompress.ts';

const daemon = process.env['LECTERN'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), leanHls(), precompress()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['es2021', 'chrome100', 'firefox100', 'safari15'],
    // Nothing inline: the content security policy allows no inline script, and data: only for pictures.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    sourcemap: false,
  },
  worker: { format: 'es' },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/media', '/xapi', '/ca.crt', '/healthz'].map((path) => [path, { target: daemon }]),
    ),
  },
  test: {
    include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
    environment: 'node',
  },
});
