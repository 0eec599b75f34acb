// On the real service: what two repos keep each for itself is shared by the page; the files of a job tell their
// hash and where they came from; the day of the process is drawn.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';
import { startService, until } from './service.mjs';

const MIB = 2 ** 20;
const WEIGHTS = randomBytes(12 * MIB);
const HASH = createHash('sha256').update(WEIGHTS).digest('hex');
let browser;
let service;
const post = (path, body) => service.api(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
async function fetched(repo) {
  const job = await post('download', { repo });
  await until('the download', async () => (await service.api(`jobs/${job.id}`)).status === 'completed');
  return job.id;
}
before(async () => {
  browser = await launch();
  service = await startService({
    'demo/base': { 'config.json': '{"x":1}', 'model.safetensors': WEIGHTS },
    'demo/tuned': { 'config.json': '{"x":2}', 'model.safetensors': WEIGHTS },
    'demo/slow': { 'model.safetensors': randomBytes(40 * MIB) },
  }, '8MiB');
  await fetched('demo/base');
  await fetched('demo/tuned');
}, { timeout: 700_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
});
const blobOf = (repo) => join(service.directory, 'cache/hub', `models--${repo.replace('/', '--')}`, 'blobs', HASH);

test('the files of a job tell their hash and that they came over the network, or were here', async () => {
  const job = (await service.api('jobs')).jobs.find(({ repo }) => repo === 'demo/base');
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/jobs/${job.id}/files`);
  const row = page.locator('tr[data-path="model.safetensors"]');
  await row.locator(`td${id('file-source')}`, { hasText: 'network' }).waitFor();
  assert.equal(await row.locator(`td.hash ${id('file-hash')}`).getAttribute('title'), `SHA-256 ${HASH}`);
  await inspect(page, 'files that are done');
  await shoot(page, 'job-files-real-light');
  // Elsewhere: this page would ask for a job that is gone.
  await page.goto(`${service.url}/system`);
  await post(`jobs/${job.id}/dismiss`, {});
  const again = await fetched('demo/base');
  await page.goto(`${service.url}/jobs/${again}/files`);
  await row.locator(`td${id('file-source')}`, { hasText: 'reused' }).waitFor();
  await close(page);
});

test('the speed of a file is near what the job has', async () => {
  const { id: job } = await post('download', { repo: 'demo/slow' });
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/jobs/${job}/files`);
  const speed = page.locator(`tr[data-path="model.safetensors"] ${id('file-speed')}`);
  await speed.filter({ hasText: /MiB\/s/ }).waitFor();
  const told = parseFloat(await speed.innerText());
  assert.ok(told > 1 && told < 24, `${told} MiB/s of a Hub that gives 8`);
  await shoot(page, 'job-files-running-real-light');
  await until('its end', async () => (await service.api(`jobs/${job}`)).status === 'completed');
  await speed.waitFor({ state: 'detached' });
  await close(page);
});

test('what two repos keep twice becomes one file, and both have what they had', async () => {
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/library/clean/duplicates`);
  await page.locator(id('twins-frees'), { hasText: 'Frees 12.0 MiB' }).waitFor();
  assert.notEqual((await stat(blobOf('demo/base'))).ino, (await stat(blobOf('demo/tuned'))).ino);
  await inspect(page, 'duplicates');
  await shoot(page, 'library-duplicates-real-light');
  await page.click(id('twins-share'));
  await page.locator(id('twins-result'), { hasText: '1 copy gave way to a shared file; 12.0 MiB freed' }).waitFor({ timeout: 30_000 });
  await page.waitForSelector(id('twins-none'));
  const [base, tuned] = [await stat(blobOf('demo/base')), await stat(blobOf('demo/tuned'))];
  assert.deepEqual([base.ino, base.nlink], [tuned.ino, 2]);
  assert.ok((await readFile(blobOf('demo/tuned'))).equals(WEIGHTS));
  // The library counts it once, and each repo says what it shares.
  await page.goto(`${service.url}/library`);
  await page.locator(id('library-saved'), { hasText: 'sharing saves 12.0 MiB' }).waitFor();
  await page.goto(`${service.url}/library/models/demo/tuned`);
  await page.locator(id('repo-shared'), { hasText: 'of that 12.0 MiB shared with other repos' }).waitFor();
  // The page of checks shows no report of it.
  await page.goto(`${service.url}/library/verify`);
  await page.waitForSelector(id('verify-start'));
  assert.equal(await page.locator(id('verify-report')).count(), 0);
  // What the other repo shares stays when one is deleted, and the preview says so.
  await page.goto(`${service.url}/library/models/demo/tuned`);
  await page.click(id('repo-delete'));
  await page.locator(id('delete-frees'), { hasText: '12.0 MiB stay, shared with others' }).waitFor();
  await close(page);
});

test('the last day of the service is drawn as the service tells it', async () => {
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/system`);
  await page.waitForSelector(id('trends-memory'));
  const { memory } = await service.api('system/trends');
  const [, number] = /now ([\d.]+) MiB/.exec(await page.locator(id('trends-memory')).innerText()) ?? [];
  assert.ok(Math.abs(Number(number) * MIB - memory.at(-1).bytes) < 40 * MIB, `${number} MiB, ${memory.at(-1).bytes}`);
  await page.locator(id('trends-errors'), { hasText: 'None: no request had to be made again' }).waitFor();
  await inspect(page, 'the day of the service');
  await shoot(page, 'system-trends-real-light');
  await close(page);
});
