// Takes the pictures of the README from the pages on the mock: `npm run pictures`, after a build.
// WebP, since a PNG of the same page is four times as large.
import { mkdir, writeFile } from 'node:fs/promises';
import { close, id, launch, open } from '../tests/e2e/browser.mjs';
import { startMock } from '../tests/mock/server.mjs';

const FOLDER = new URL('../screenshots/', import.meta.url);
const LARGEST = 150 * 1024;

const browser = await launch();
const mock = await startMock();
// As a release would say it.
mock.update('0.1.0');
const running = [...mock.jobs.values()].find((job) => job.status === 'running' && job.progress.bytesPerSecond > 0).id;
const PICTURES = {
  queue: { path: 'queue', wait: `${id('queue-throughput')} canvas` },
  browse: { path: 'browse?q=qwen&repo=unsloth/Qwen3-32B-GGUF&type=model', wait: id('plan-sum') },
  job: { path: `jobs/${running}`, wait: `${id('job-speed-graph')} canvas`, dark: true },
  library: { path: 'library', wait: id('library-row') },
  phone: { path: 'queue', wait: id('queue-row'), phone: true, from: 560 },
};

/** The same picture as WebP, packed by the browser. */
async function webp(png) {
  const page = await browser.newPage();
  const packed = await page.evaluate(async (text) => {
    const image = new Image();
    image.src = `data:image/png;base64,${text}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', 0.85).split(',')[1];
  }, png.toString('base64'));
  await page.close();
  return Buffer.from(packed, 'base64');
}

await mkdir(FOLDER, { recursive: true });
for (const [name, { path, wait, from = 0, ...look }] of Object.entries(PICTURES)) {
  const page = await open(browser, mock.url, look);
  await page.goto(`${mock.url}/${path}`);
  await page.waitForSelector(wait);
  await page.evaluate((top) => scrollTo(0, top), from);
  await page.evaluate(() => document.fonts.ready);
  const picture = await webp(await page.screenshot());
  if (picture.length > LARGEST) throw new Error(`${name} has ${picture.length} bytes`);
  await writeFile(new URL(`${name}.webp`, FOLDER), picture);
  console.log(`${name}.webp ${(picture.length / 1024).toFixed(0)} KiB`);
  await close(page);
}
await browser.close();
await mock.stop();
