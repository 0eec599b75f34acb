// Looks at pages on a wide screen in light and dark, on a phone, and on the narrowest one in German.
import { test } from 'node:test';
import { close, inspect, open, shoot } from './browser.mjs';

export const LOOKS = { light: {}, dark: { dark: true }, phone: { phone: true } };
// Refusals that a test brings about are written into the console by the browser itself.
export const REFUSED = [/Failed to load resource: .*(400|403|404|502)/];

/** `pages` = name → what brings the page about; `overlays` are those that cover the window. */
export function lookAt(pages, { browser, origin, overlays = [] }) {
  const only = process.env.LOOK === undefined ? null : new RegExp(process.env.LOOK);
  for (const [look, options] of Object.entries(LOOKS)) {
    for (const [name, go] of Object.entries(pages)) {
      if (only !== null && !only.test(`${name}-${look}`)) continue;
      test(`${name} is sound in ${look}`, async () => {
        const page = await open(browser(), origin(), { ...options, tolerate: REFUSED });
        await go(page);
        await shoot(page, `${name}-${look}`, !overlays.includes(name));
        await inspect(page, `${name} (${look})`);
        await close(page);
      });
    }
  }
  if (only !== null) return;
  test(`${Object.keys(pages)[0]} and its kin have room at 320 px in German`, async () => {
    const page = await open(browser(), origin(), { viewport: { width: 320, height: 640 }, locale: 'de-DE', tolerate: REFUSED });
    for (const [name, go] of Object.entries(pages)) {
      await go(page);
      await inspect(page, `${name} (320 px, German)`);
    }
    await close(page);
  });
}
