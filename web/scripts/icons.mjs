// Draws the PNG icons from public/icon.svg, with Debian's Chromium. Run by hand when the drawing changes.
import { readFile } from 'node:fs/promises';
import { launch } from '../tests/e2e/browser.mjs';

const home = new URL('../public/', import.meta.url);
const svg = await readFile(new URL('icon.svg', home), 'utf8');
const browser = await launch();
/** `room` = share of the edge left free around the drawing, where a launcher may cut. */
async function draw(name, size, room, background) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>html,body{margin:0;background:${background}}svg{position:fixed;inset:${room * 100}%;width:${100 - room * 200}%;height:${100 - room * 200}%}</style>${svg}`);
  await page.screenshot({ path: new URL(name, home).pathname, omitBackground: background === 'transparent' });
  await page.close();
}
await draw('icon-192.png', 192, 0, 'transparent');
await draw('icon-512.png', 512, 0, 'transparent');
await draw('icon-maskable.png', 512, 0.14, '#1b5cc0');
await draw('icon-180.png', 180, 0.06, '#1b5cc0');
await browser.close();
