// The care of the cache on the real service: check, damage, repair, export, import, each by its page,
// and compared with what lies on the disk.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { mkdir, mkdtemp, open as openFile, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';
import { startService, until } from './service.mjs';

const MIB = 2 ** 20;
const REFUSED = [/Failed to load resource: .*(400|403|404|409)/];
const WEIGHTS = randomBytes(3 * MIB);
let browser;
let service;
let outside;
before(async () => {
  browser = await launch();
  outside = await mkdtemp(join(tmpdir(), 'hfdepot-outside-'));
  service = await startService({
    'demo/kept': { 'config.json': '{"model_type":"llama"}', 'model.safetensors': WEIGHTS },
    'demo/other': { 'config.json': '{"x":1}', 'model.safetensors': randomBytes(MIB) },
  }, '200MiB', { flags: ['--export-dir', outside] });
  for (const repo of ['demo/kept', 'demo/other']) {
    const job = await service.api('download', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ repo }) });
    await until('the download', async () => (await service.api(`jobs/${job.id}`)).status === 'completed');
  }
}, { timeout: 700_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
  if (outside !== undefined) await rm(outside, { recursive: true, force: true });
});

test('a damaged file is found by a check, fetched again alone, and found well', async () => {
  const { revisions } = await service.api('cache/demo/kept?type=model');
  const pointer = join(service.directory, 'cache/hub/models--demo--kept/snapshots', revisions[0].commit, 'model.safetensors');
  const blob = await realpath(pointer);
  const file = await openFile(blob, 'r+');
  await file.write(Buffer.from([WEIGHTS[MIB] ^ 255]), 0, 1, MIB);
  await file.close();

  const page = await open(browser, service.url, { tolerate: REFUSED });
  await page.goto(`${service.url}/library/verify`);
  await page.click(id('verify-start'));
  await page.waitForSelector(id('verify-bad'), { timeout: 30_000 });
  const check = (await service.api('jobs?kind=verify')).jobs[0];
  assert.deepEqual([check.result.badCount, check.result.checked], [1, 4]);
  const report = await page.locator(id('verify-report')).innerText();
  assert.match(report, /1 file is not as it should be/);
  assert.match(report, /demo\/kept\s+model\.safetensors/);
  await inspect(page, 'a damaged file');
  await shoot(page, 'library-verify-real-light');
  // The library says it too.
  await page.goto(`${service.url}/library`);
  await page.locator(`${id('library-row')}[data-repo="demo/kept"]`, { hasText: 'damaged' }).waitFor();
  await page.goto(`${service.url}/library/verify`);
  await page.click(id('verify-repair'));
  await page.waitForSelector('[data-level="success"]');
  await until('it is right again', async () => (await readFile(pointer)).equals(WEIGHTS));
  const repaired = (await service.api('jobs')).jobs.find(({ filters }) => filters.length === 1 && filters[0].endsWith('model.safetensors'));
  await until('the download has ended', async () => (await service.api(`jobs/${repaired.id}`)).status === 'completed');
  assert.equal((await service.api(`jobs/${repaired.id}`)).networkBytes, 3 * MIB, 'nothing but the damaged file');
  await page.reload();
  await page.click(id('verify-start'));
  await page.locator(id('verify-report'), { hasText: '4 files checked, all is well' }).waitFor({ timeout: 30_000 });
  await close(page);
});

test('a repo is exported as real files, and refused anywhere else', async () => {
  const page = await open(browser, service.url, { tolerate: REFUSED });
  await page.goto(`${service.url}/library/models/demo/kept`);
  await page.click(id('repo-export'));
  await page.fill(id('export-dest'), '/etc/models');
  await page.click(id('export-start'));
  await page.waitForSelector(id('export-refused'));
  await page.fill(id('export-dest'), 'shown');
  await page.click(id('export-start'));
  await page.waitForSelector(id('export-result'), { timeout: 30_000 });
  assert.match(await page.locator(id('export-result')).innerText(), /Files: 2/);
  assert.ok((await readFile(join(outside, 'shown/model.safetensors'))).equals(WEIGHTS));
  await inspect(page, 'an export');
  await close(page);
});

test('a folder that says what it holds is looked through, taken in, and not fetched again', async () => {
  const content = randomBytes(2 * MIB);
  const hash = createHash('sha256').update(content).digest('hex');
  const folder = join(outside, 'models/acme/found');
  const record = join(folder, '.cache/huggingface/download/model.safetensors.metadata');
  await mkdir(join(record, '..'), { recursive: true });
  await writeFile(join(folder, 'model.safetensors'), content);
  await writeFile(join(folder, 'notes.txt'), 'mine');
  await writeFile(record, `${'c'.repeat(40)}\n${hash}\n1790000000.5\n`);

  const page = await open(browser, service.url, { tolerate: REFUSED });
  await page.goto(`${service.url}/library/import`);
  await page.fill(id('import-dir'), '/etc');
  await page.click(id('import-look'));
  await page.waitForSelector(id('import-refused'));
  await page.fill(id('import-dir'), join(outside, 'models'));
  await page.click(id('import-look'));
  await page.waitForSelector(id('import-answer'));
  assert.match(await page.locator(id('import-answer')).innerText(), /acme\/found · model\.safetensors/);
  await inspect(page, 'an import');
  await shoot(page, 'library-import-real-light');
  await page.click(id('import-do'));
  await page.waitForSelector(`${id('work-job')}[data-status="completed"]`, { timeout: 30_000 });
  await page.goto(`${service.url}/library`);
  await page.locator(`${id('library-row')}[data-repo="acme/found"]`).waitFor();
  const { repos } = await service.api('cache');
  assert.equal(repos.find(({ repo }) => repo === 'acme/found').size, 2 * MIB);
  await close(page);
});

test('the health that the service tells is what the page shows', async () => {
  const page = await open(browser, service.url, { tolerate: REFUSED });
  await page.goto(`${service.url}/system`);
  const { checks } = await service.api('system/checks');
  assert.ok(checks.length > 5);
  for (const { name, status } of checks) await page.waitForSelector(`${id('system-health')}[data-name="${name}"][data-status="${status}"]`);
  assert.doesNotMatch(await page.locator(id('system-checks')).innerText(), /_/, 'names are words');
  await inspect(page, 'health');
  await shoot(page, 'system-real-light');
  await close(page);
});
