// The ways of a user through the real service that need a Hub of some kind: one that is searched, one that
// keeps a repo closed, a disk without room, a line of jobs.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';
import { startService, until } from './service.mjs';

const MIB = 2 ** 20;
const REFUSED = [/Failed to load resource: .*(400|403|404|409|422)/];
const CLOSED = { path: 'demo/closed*', fault: 'status', status: 403, headers: { 'x-error-code': 'GatedRepo', 'x-error-message': 'Access to model demo/closed is restricted' }, body: '{"error":"Access to model demo/closed is restricted"}' };

let browser;
let service;
before(async () => {
  browser = await launch();
  const quant = () => randomBytes(2 * MIB);
  service = await startService({
    'demo/maze-GGUF': { 'README.md': '# maze', 'maze-Q4_K_M.gguf': quant(), 'maze-Q6_K.gguf': quant(), 'maze-Q8_0.gguf': quant() },
    'demo/closed': { 'config.json': '{"model_type":"llama"}', 'model.safetensors': randomBytes(MIB) },
    'demo/roomy': { 'config.json': '{"a":1}', 'model.safetensors': randomBytes(3 * MIB) },
    'demo/first': { 'model.safetensors': randomBytes(120 * MIB) },
    'demo/second': { 'config.json': '{"b":1}' },
    'demo/third': { 'config.json': '{"c":1}' },
  }, '12MiB');
}, { timeout: 700_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
});

const row = (page, repo) => page.locator(id('queue-row'), { hasText: repo });
const state = (page, repo, kind) => row(page, repo).locator(`[data-state="${kind}"]`).waitFor({ timeout: 40_000 });
const jobOf = async (repo) => (await service.api('jobs')).jobs.find((job) => job.repo === repo);
const post = (path, body) => service.api(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

test('a quant is found by words, picked, planned, queued, fetched, kept, and deleted again', async () => {
  const page = await open(browser, service.url, { tolerate: REFUSED });
  await page.goto(`${service.url}/queue`);
  await page.fill(id('shell-search-input'), 'maze');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/browse?q=maze');
  await page.locator(id('browse-result'), { hasText: 'maze-GGUF' }).click();
  await page.waitForSelector(id('plan-sum'));
  const box = (name) => page.locator(`[data-item="${name}"] input`);
  for (const name of ['q4_k_m', 'q8_0']) if (await box(name).isChecked()) await box(name).uncheck();
  await box('q6_k').check();
  const planned = await post('plan', { repo: 'demo/maze-GGUF', filters: ['q6_k'], exactMatch: true });
  await until('the plan of the service', async () => (await page.locator(id('plan-sum')).innerText()).includes('2.0 MiB'));
  assert.equal(planned.files.filter(({ path }) => path.endsWith('.gguf')).length, 1);
  await inspect(page, 'real repo in browse');
  await shoot(page, 'browse-real-light');
  await page.click(id('plan-queue'));
  await page.waitForSelector(id('plan-job'));
  await until('it is fetched', async () => (await jobOf('demo/maze-GGUF'))?.status === 'completed');
  const { files } = await service.api(`jobs/${(await jobOf('demo/maze-GGUF')).id}/files`);
  assert.deepEqual(files.map(({ path }) => path).filter((path) => path.endsWith('.gguf')), ['maze-Q6_K.gguf']);

  await page.goto(`${service.url}/library`);
  const kept = page.locator(`${id('library-row')}[data-repo="demo/maze-GGUF"]`);
  await kept.waitFor();
  assert.match(await kept.innerText(), /Q6_K/);
  // The results say that it is there.
  await page.goto(`${service.url}/browse?q=maze`);
  await page.locator(id('browse-result'), { hasText: 'In library' }).waitFor();
  await page.goto(`${service.url}/library/models/demo/maze-GGUF`);
  await page.waitForSelector(id('cached-files'));
  await page.click(id('repo-delete'));
  await page.waitForSelector(id('delete-frees'));
  const { freesBytes } = await service.api('cache/demo/maze-GGUF?type=model&dryRun=true', { method: 'DELETE' });
  assert.ok(freesBytes > 2 * MIB);
  assert.match(await page.locator(id('delete-frees')).innerText(), /Frees 2\.0 MiB/);
  await page.click(id('delete-confirm'));
  await page.waitForURL(`${service.url}/library`);
  await kept.waitFor({ state: 'detached' });
  assert.deepEqual((await service.api('cache')).repos.filter(({ repo }) => repo === 'demo/maze-GGUF'), []);
  await close(page);
});

test('a closed repo says so when it is looked at, planned and fetched, and a retry goes on once it is open', async () => {
  await service.hub('faults', CLOSED);
  const page = await open(browser, service.url, { tolerate: REFUSED });
  await page.goto(`${service.url}/browse?repo=demo/closed`);
  await page.waitForSelector(id('repo-failure'));
  assert.match(await page.locator(id('repo-failure')).innerText(), /licence|access|terms/i);
  await inspect(page, 'closed repo in browse');
  await page.click(id('shell-add'));
  await page.fill(id('add-text'), 'demo/closed');
  await page.waitForSelector(id('add-line-error'));
  assert.ok(await page.locator(id('add-submit')).isDisabled());
  await page.keyboard.press('Escape');
  await page.waitForSelector(id('add-dialog'), { state: 'detached' });

  await post('download', { repo: 'demo/closed' });
  await page.goto(`${service.url}/queue`);
  await state(page, 'demo/closed', 'failed');
  assert.match(await page.locator(id('queue-needs')).innerText(), /licence/);
  const { id: job, errorCode } = await jobOf('demo/closed');
  assert.equal(errorCode, 'gated');
  await page.goto(`${service.url}/jobs/${job}`);
  await page.waitForSelector(id('job-failure'));
  const links = await page.locator(`${id('job-failure')} a`).evaluateAll((all) => all.map((one) => one.getAttribute('href')));
  assert.ok(links.some((href) => href.endsWith('/demo/closed')), 'the page where the terms are');
  assert.ok(links.some((href) => href.endsWith('settings/hub')), 'the place of the token');
  await inspect(page, 'closed job');
  await shoot(page, 'job-gated-real-light');
  await service.hub('faults', undefined, 'DELETE');
  await page.locator(id('job-failure')).getByRole('button', { name: 'Retry' }).click();
  await page.waitForSelector('main [data-state="done"]', { timeout: 30_000 });
  await close(page);
});

test('what does not fit on the disk waits and says so, and goes on by itself when there is room', async () => {
  await service.api('settings', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"freeSpaceFloor":"900TiB"}' });
  const page = await open(browser, service.url, { tolerate: REFUSED });
  await page.goto(`${service.url}/queue`);
  await page.click(id('shell-add'));
  await page.fill(id('add-text'), 'demo/roomy');
  await page.waitForSelector(`${id('add-line')}[data-kind="plan"]`);
  assert.match(await page.locator(id('add-submit')).innerText(), /1 will wait for disk/);
  await page.click(id('add-submit'));
  await page.waitForSelector(id('add-dialog'), { state: 'detached' });
  await state(page, 'demo/roomy', 'waiting');
  assert.match(await row(page, 'demo/roomy').locator(id('job-state')).innerText(), /room on the disk/);
  assert.match(await page.locator(id('queue-needs')).innerText(), /disk/);
  const { status, waitReason } = await jobOf('demo/roomy');
  assert.deepEqual([status, waitReason], ['queued', 'disk']);
  await inspect(page, 'waits for room');
  await shoot(page, 'queue-disk-real-light');
  await page.goto(`${service.url}/settings/storage`);
  await page.fill('#freeSpaceFloor', '1MiB');
  await page.click(id('settings-save'));
  await page.waitForSelector(id('settings-bar'), { state: 'detached' });
  await page.goto(`${service.url}/queue`);
  await state(page, 'demo/roomy', 'done');
  await close(page);
});

test('a line of jobs is put in order by keys, and starts in that order', async () => {
  await service.api('settings', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"maxActive":1}' });
  for (const name of ['first', 'second', 'third']) await post('download', { repo: `demo/${name}` });
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/queue?status=queued`);
  const line = () => page.locator(`${id('queue-row')} td.name a`).allInnerTexts().then((texts) => texts.map((text) => text.trim().split('/').at(-1).trim()));
  await until('both wait', async () => (await line()).join() === 'second,third');
  // Rows are entered by keys, the last one goes up.
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Alt+ArrowUp');
  await until('it went up', async () => (await line()).join() === 'third,second');
  await until('it is spoken', async () => /demo\/third moved to position 1 of 2/.test(await page.locator(id('shell-live')).innerText()));
  assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ''), /third/);
  assert.deepEqual((await service.api('jobs')).jobs.filter(({ status }) => status === 'queued').sort((a, b) => a.position - b.position).map(({ repo }) => repo), ['demo/third', 'demo/second']);
  await page.goto(`${service.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  await page.keyboard.press('j');
  await page.keyboard.press('Delete');
  await page.waitForSelector(id('cancel-dialog'));
  await page.locator(id('cancel-confirm')).focus();
  await page.keyboard.press('Enter');
  for (const name of ['third', 'second']) await state(page, `demo/${name}`, 'done');
  const [third, second] = await Promise.all(['third', 'second'].map((name) => jobOf(`demo/${name}`)));
  assert.ok(third.startedAt < second.startedAt);
  await close(page);
});
