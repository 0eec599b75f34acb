/// <reference types="vitest/config" />
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

/**
 * `npm run dev` speaks to the service that HFDEPOT_URL names, or, without it, to the mock
 * in tests/mock, so that the pages can be worked on without a built binary.
 */
const target = process.env['HFDEPOT_URL'];
const mockPort = 18_099;

function mock(): Plugin {
  return {
    name: 'hfdepot-mock',
    apply: 'serve',
    async configureServer() {
      if (target !== undefined || process.env['VITEST'] !== undefined) return;
      // @ts-expect-error plain JavaScript without types
      const { startMock } = await import('./tests/mock/server.mjs');
      await startMock({ port: mockPort });
    },
  };
}

const backend = { target: target ?? `http://127.0.0.1:${mockPort}`, changeOrigin: true, ws: true };

export default defineConfig({
  // Relative URLs: the service puts as many ../ in front as the depth of the page needs.
  base: './',
  plugins: [svelte(), mock()],
  build: {
    target: 'es2022',
    // Everything comes from the same server in one go; the polyfill would only add weight.
    modulePreload: { polyfill: false },
    // Inlined files would be data: URLs, which the Content-Security-Policy allows for pictures only.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': backend, '/healthz': backend, '/readyz': backend } },
  test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
});
