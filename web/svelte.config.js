import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

export default {
  preprocess: vitePreprocess(),
  // Styles go into the one style sheet: the Content-Security-Policy refuses injected ones.
  compilerOptions: { runes: true, css: 'external' },
};
