// What the pages beside the queue do: every deed is seen to ask first, to send what was shown, and
// to say how it went. On the mock, which remembers what it was asked.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../mock/server.mjs';
import { until } from './service.mjs';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';

const REFUSED = [/Failed to load resource: .*(400|404)/];
let browser;
before(async () => {
  browser = await launch();
});
after(async () => browser?.close());

/** A mock of its own, a page on it, and every request that changes something, as it was sent. */
async function setUp(context, path, options = {}) {
  const mock = await startMock();
  context.after(mock.stop);
  const page = await open(browser, mock.url, options);
  const sent = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push({ method: request.method(), path: request.url().slice(mock.url.length + 1), body: request.postData() === null ? null : JSON.parse(request.postData()) });
  });
  await page.goto(`${mock.url}/${path}`);
  return { mock, page, sent };
}
const text = (page, name) => page.locator(id(name)).innerText();

test('a job that failed by stalls is retried with half of its connections, and no other has fewer', async (context) => {
  const { page, sent, mock } = await setUp(context, 'queue');
  const job = [...mock.jobs.values()].find((one) => one.errorCode === 'hash_mismatch');
  await page.goto(`${mock.url}/jobs/${job.id}`);
  await page.waitForSelector(id('job-failure'));
  assert.equal(await page.locator(id('failure-fewer')).count(), 0, 'damaged content has nothing to do with it');
  job.errorCode = 'stalled';
  await page.reload();
  await page.click(id('failure-fewer'));
  await page.waitForSelector(id('fewer-value'));
  assert.equal(await page.inputValue(id('fewer-value')), '4');
  assert.match(await text(page, 'fewer-dialog'), /Up to 8 for one large file until now/);
  await inspect(page, 'fewer connections');
  assert.equal(sent.length, 0, 'nothing goes down unasked');
  await page.fill(id('fewer-value'), '0');
  await page.click(id('fewer-start'));
  await page.getByText('Write a whole number from 1 to 64.').waitFor();
  await page.fill(id('fewer-value'), '3');
  await page.click(id('fewer-start'));
  await page.waitForSelector(id('fewer-dialog'), { state: 'detached' });
  assert.deepEqual(sent.map(({ path, body }) => [path, body]), [[`api/jobs/${job.id}/retry`, { connections: 3 }]]);
  await page.waitForFunction(() => document.querySelector('[data-testid="job-connections"]')?.textContent === '3');
  // The menu of the queue has it as well.
  job.status = 'failed';
  await page.goto(`${mock.url}/queue`);
  const row = page.locator(`${id('queue-row')}[data-job="${job.id}"]`);
  await row.locator(id('job-menu')).click();
  await page.click(id('job-menu-fewer'));
  await page.waitForSelector(id('fewer-value'));
  assert.equal(await page.inputValue(id('fewer-value')), '1', 'half of the three that it may have by now');
  await close(page);
});

test('a repo is deleted only after the preview, and large ones only by name', async (context) => {
  const { page, sent, mock } = await setUp(context, 'library/datasets/allenai/c4');
  await page.click(id('repo-delete'));
  await page.waitForSelector(id('delete-typed'));
  assert.match(await text(page, 'delete-frees'), /Frees 274\.5 GiB/);
  assert.ok(await page.locator(id('delete-confirm')).isDisabled());
  await page.fill(id('delete-typed'), 'allenai/c');
  assert.ok(await page.locator(id('delete-confirm')).isDisabled());
  await page.fill(id('delete-typed'), 'allenai/c4');
  assert.deepEqual(sent.map(({ path }) => path), ['api/cache/allenai/c4?type=dataset&dryRun=true']);
  await page.click(id('delete-confirm'));
  await page.waitForURL('**/library');
  await page.waitForSelector(id('library-row'));
  assert.equal(sent.at(-1).path, 'api/cache/allenai/c4?type=dataset');
  assert.equal(await page.locator('[data-repo="allenai/c4"]').count(), 0);
  assert.ok(!mock.more.library.repos.some((repo) => repo.repo === 'allenai/c4'));
  await close(page);
});

test('one revision and one quant can go alone', async (context) => {
  const { page, sent } = await setUp(context, 'library/models/Qwen/Qwen3-32B-GGUF');
  await page.locator(id('revision-delete')).nth(1).click();
  await page.waitForSelector(id('delete-frees'));
  await page.click(id('delete-confirm'));
  await page.waitForSelector(id('delete-dialog'), { state: 'detached' });
  assert.match(sent.at(-1).path, /type=model&revision=1588ec454efa1a09f29cd18ddd04fe05fc8653a2$/);
  await page.locator(id('variant-delete')).nth(1).click();
  await page.click(id('variant-confirm'));
  await page.waitForSelector(id('variant-dialog'), { state: 'detached' });
  const { method, path, body } = sent.at(-1);
  assert.deepEqual([method, path, body.groupId, body.members.map((member) => member.path)], ['DELETE', 'api/cache-selection', 'Q8_0', ['Qwen3-32B-GGUF-Q8_0.gguf']]);
  assert.equal(await page.locator(id('variant-delete')).count(), 1);
  await close(page);
});

test('chosen repos of the list go together', async (context) => {
  const { page, sent } = await setUp(context, 'library?sort=repo');
  await page.locator(`${id('library-row')}[data-repo="openai/whisper-large-v3"] input`).click();
  await page.locator(`${id('library-row')}[data-repo="Qwen/Qwen3-Embedding-0.6B"] input`).click();
  await page.click(id('library-delete-chosen'));
  await page.waitForSelector(id('delete-frees'));
  await page.click(id('delete-confirm'));
  await page.waitForSelector('[data-repo="openai/whisper-large-v3"]', { state: 'detached' });
  assert.deepEqual(sent.filter(({ path }) => !path.includes('dryRun')).map(({ path }) => path).sort(), ['api/cache/Qwen/Qwen3-Embedding-0.6B?type=model', 'api/cache/openai/whisper-large-v3?type=model']);
  await close(page);
});

test('repos come from files and from an owner, and a name that is no model is asked for as a dataset', async (context) => {
  const { page } = await setUp(context, 'add', { tolerate: REFUSED });
  await page.fill(id('add-text'), 'owner/missing');
  await page.setInputFiles(id('add-file'), [
    { name: 'list.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify([{ repo: 'a/b', filters: ['Q4_K_M'] }, { repo_id: 'c/d', repo_type: 'dataset' }])) },
    { name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('e/f # mine\n') },
  ]);
  await page.click(id('add-whole'));
  await page.fill(id('add-owner'), 'unsloth');
  await page.click(id('add-owner-take'));
  await page.locator(id('add-owner-said'), { hasText: '1 repo added' }).waitFor();
  assert.deepEqual((await page.inputValue(id('add-text'))).split('\n'), ['owner/missing', 'a/b:Q4_K_M', 'datasets/c/d', 'e/f # mine', 'unsloth/Qwen3-32B-GGUF']);
  await page.fill(id('add-owner'), 'nobody-of-this-name');
  await page.click(id('add-owner-take'));
  await page.locator(id('add-owner-said'), { hasText: 'nobody-of-this-name has none of this kind' }).waitFor();
  await page.click(id('add-other-kind'));
  assert.match(await page.inputValue(id('add-text')), /^datasets\/owner\/missing\na\/b/);
  await close(page);
});

test('the address of a collection becomes lines, wherever it is pasted, and what has no files is named', async (context) => {
  const { page } = await setUp(context, 'queue', { tolerate: REFUSED });
  await page.fill(id('shell-search-input'), 'https://huggingface.co/collections/Qwen/qwen3-67dd247413f0e2e4f653967f');
  await page.press(id('shell-search-input'), 'Enter');
  await page.locator(id('add-gathered'), { hasText: '3 lines from “Qwen3”. Left out, because there is nothing to download: 1 paper, 1 space.' }).waitFor();
  const LINES = ['# Qwen3', 'Qwen/Qwen3-32B', 'unsloth/Qwen3-32B-GGUF', 'datasets/allenai/c4'];
  assert.deepEqual((await page.inputValue(id('add-text'))).split('\n'), LINES);
  await page.locator(`${id('add-line')}[data-kind="plan"]`).nth(2).waitFor();
  // One that is missing keeps its line and says why; the others go on.
  await page.fill(id('add-text'), 'a/b\ncollections/acme/none\nc/d');
  const bad = page.locator(`${id('add-line')}[data-kind="error"]`);
  await bad.waitFor();
  assert.match(await bad.innerText(), /missing or private[\s\S]*Check the address[\s\S]*Try again/);
  assert.match(await text(page, 'add-submit'), /Queue 2/);
  // Those of an owner can be looked through.
  await page.fill(id('add-text'), '');
  await page.click(id('add-whole'));
  await page.selectOption(id('add-owner-kind'), 'collections');
  await page.fill(id('add-owner'), 'nobody');
  await page.click(id('add-owner-take'));
  await page.locator(id('add-owner-said'), { hasText: 'nobody has no collection' }).waitFor();
  await page.fill(id('add-owner'), 'Qwen');
  await page.click(id('add-owner-take'));
  await page.locator(`${id('add-collections')} button`).click();
  await until('its lines', async () => (await page.inputValue(id('add-text'))) === LINES.join('\n'));
  await close(page);
});

test('the Hub is asked for what is newer only when told to, and the newest is fetched from there', async (context) => {
  const { page, sent } = await setUp(context, 'library', { tolerate: REFUSED });
  const asked = [];
  page.on('request', (request) => { if (request.url().includes('/api/commits/')) asked.push(new URL(request.url()).pathname); });
  await page.waitForSelector(id('library-row'));
  assert.equal(await page.locator('td.update').count(), 0);
  await page.click(id('library-check'));
  const cell = (repo) => page.locator(`${id('library-row')}[data-repo="${repo}"] td.update`);
  await cell('mistralai/Mistral-Small-3.2-24B-Instruct-2506').filter({ hasText: 'up to date' }).waitFor();
  await cell('openai/whisper-large-v3').filter({ hasText: 'not known' }).waitFor();
  // All of it is here, so that all of the newest is wanted; of a part the user says which.
  await cell('Qwen/Qwen3-32B-GGUF').filter({ hasText: '3 new' }).waitFor();
  const rows = await page.locator(id('library-row')).count();
  assert.ok(asked.length > 0 && asked.length <= rows && new Set(asked).size === asked.length, `${asked.length} of ${rows}`);
  const whole = page.locator(`td.update ${id('library-update')}`).first();
  const name = await page.locator(`${id('library-row')}:has(${id('library-update')})`).first().getAttribute('data-repo');
  await inspect(page, 'the library with updates');
  await whole.click();
  await page.waitForSelector('[data-testid="toast"]');
  assert.deepEqual([sent.at(-1).path, sent.at(-1).body.repo], ['api/download', name]);
  // Asked once more, only what is ticked.
  await page.locator(`${id('library-row')}[data-repo="allenai/c4"] input`).check();
  asked.length = 0;
  await page.click(id('library-check'));
  await until('one question', async () => asked.length === 1 && asked[0].endsWith('/allenai/c4'));
  await close(page);
});

test('a clean-up deletes the ticked kinds only, after a dry run', async (context) => {
  const { page, sent } = await setUp(context, 'library/clean');
  await page.waitForSelector(id('clean-bar'));
  assert.deepEqual([sent[0].path, sent[0].body.dryRun], ['api/cache/prune', true]);
  assert.match(await text(page, 'clean-frees'), /19\.5 GiB/);
  await page.locator(`${id('clean-orphans')} input`).click();
  assert.match(await text(page, 'clean-frees'), /Frees 1\.2 GiB/);
  await page.click(id('clean-confirm'));
  await page.waitForSelector('[data-level="success"]');
  const deed = sent.find(({ body }) => body.dryRun === false);
  assert.deepEqual(deed.body, { dryRun: false, what: ['incomplete', 'parts'], olderThanDays: 7 });
  await close(page);
});

test('an old revision goes alone, and repos that nothing reads go after the preview', async (context) => {
  const { page, sent, mock } = await setUp(context, 'library/clean/revisions');
  await page.waitForSelector(id('clean-revisions'));
  assert.ok(await page.locator(id('clean-confirm')).isDisabled(), 'who pinned one wants to keep it');
  await page.locator(`${id('clean-revisions')} tbody input`).first().check();
  assert.match(await text(page, 'clean-frees'), /Frees 33\.2 GiB/);
  await page.click(id('clean-confirm'));
  await page.waitForSelector('[data-level="success"]');
  assert.ok(sent.some(({ method, path }) => method === 'DELETE' && path === 'api/cache/Qwen/Qwen3-32B-GGUF?type=model&revision=1588ec454efa1a09f29cd18ddd04fe05fc8653a2'));
  await page.click(id('clean-tab-unused'));
  await page.waitForSelector(id('clean-unused'));
  const repos = () => page.locator(`${id('clean-unused')} tbody tr`).count();
  assert.equal(await repos(), 4);
  await page.fill(id('clean-days'), '45');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="clean-unused"] tbody tr').length === 2);
  const tick = (name) => page.locator(`${id('clean-unused')} tbody tr`, { hasText: name }).locator('input');
  const frees = (said) => page.locator(id('clean-frees')).filter({ hasText: said }).waitFor();
  await tick('Llama-3.3').check();
  // What the service says it would free, which is less than it takes.
  await frees(/^Frees 117\.9 GiB$/);
  await tick('Qwen3-235B').check();
  // What the two share with each other goes with the last of them, and no preview counts it.
  await frees(/^Frees at least 512\.1 GiB$/);
  await tick('Qwen3-235B').uncheck();
  await frees(/^Frees 117\.9 GiB$/);
  await page.click(id('clean-confirm'));
  await page.waitForSelector(id('delete-frees'));
  await page.fill(id('delete-typed'), 'meta-llama/Llama-3.3-70B-Instruct');
  await page.click(id('delete-confirm'));
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="clean-unused"] tbody tr').length === 1);
  assert.ok(!mock.more.library.repos.some((repo) => repo.repo === 'meta-llama/Llama-3.3-70B-Instruct'));
  await close(page);
});

test('what is kept twice is shared by a job, after a look', async (context) => {
  const { page, sent } = await setUp(context, 'library/clean/duplicates');
  await page.waitForSelector(id('twins'));
  assert.match(await text(page, 'twins-frees'), /Frees 20\.0 GiB/);
  assert.match(await text(page, 'twins-bar'), /3 copies become hard links/);
  assert.equal(sent.length, 0, 'a look changes nothing');
  await page.selectOption(id('twins-least'), { label: 'any size' });
  await page.click(id('twins-share'));
  await page.waitForSelector(id('twins-result'), { timeout: 10_000 });
  assert.deepEqual(sent.map(({ path, body }) => [path, body]), [['api/cache/duplicates', { minBytes: 0 }]]);
  assert.match(await text(page, 'twins-result'), /3 copies gave way to shared files; 20\.0 GiB freed/);
  // What cannot be shared stays on the list, with the reason.
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="twins"] tbody tr').length === 1);
  assert.ok(await page.locator(id('twins-share')).isDisabled());
  assert.match(await text(page, 'twins'), /stays: It lies on another volume/);
  await close(page);
});

test('the page of a repo tells on which targets it is', async (context) => {
  const { page } = await setUp(context, 'library/models/openai/whisper-large-v3');
  await page.click(id('repo-mirrors-ask'));
  const told = (name) => page.locator(`${id('repo-mirrors')} [data-target="${name}"]`).innerText();
  await page.waitForSelector(`${id('repo-mirrors')} [data-target]`);
  assert.match(await told('nas'), /has another state of it \(2\.9 GiB\)/);
  assert.match(await told('usb-archive'), /not mounted.*Last seen 11 days ago/s);
  await close(page);
});

test('what is wider than a narrow window in the report of a check is reached by keyboard', async (context) => {
  const { page } = await setUp(context, 'library/verify?repo=openai%2Fwhisper-large-v3&type=model', { viewport: { width: 320, height: 640 }, locale: 'de-DE' });
  await page.waitForSelector(`${id('verify-scope')} option[value="model:openai/whisper-large-v3"]`, { state: 'attached' });
  await page.click(id('verify-start'));
  await page.waitForSelector(id('verify-bad'), { timeout: 10_000 });
  await inspect(page, 'damaged files (320 px, German)');
  await shoot(page, 'verify-bad-german-320');
  const frame = page.locator('.frame', { has: page.locator(id('verify-bad')) });
  assert.ok(await frame.evaluate((box) => box.scrollWidth > box.clientWidth), 'it is wider than the window');
  await page.locator(id('verify-repair')).focus();
  await page.keyboard.press('Shift+Tab');
  assert.ok(await frame.evaluate((box) => box === document.activeElement));
  await page.keyboard.press('ArrowRight');
  await frame.evaluate((box) => new Promise((done) => (box.scrollLeft > 0 ? done() : box.addEventListener('scroll', done, { once: true }))));
  await close(page);
});

test('a check runs as a job, shows again after a reload, and only bad files are fetched again', async (context) => {
  const { page, sent } = await setUp(context, 'library/verify?repo=openai%2Fwhisper-large-v3&type=model');
  await page.waitForSelector(`${id('verify-scope')} option[value="model:openai/whisper-large-v3"]`, { state: 'attached' });
  await page.click(id('verify-start'));
  await page.waitForSelector(id('work-job'));
  await page.reload();
  await page.waitForSelector(id('verify-bad'), { timeout: 10_000 });
  assert.deepEqual(sent[0].body, { mode: 'sha256', speed: 'normal', type: 'model', repo: 'openai/whisper-large-v3' });
  assert.match(await text(page, 'verify-report'), /2 files are not as they should be/);
  await page.click(id('verify-repair'));
  await page.waitForSelector('[data-level="success"]');
  assert.match(sent.at(-1).body.jobId, /^f0000000/);
  assert.ok(await page.locator(id('verify-repair')).isDisabled());
  await close(page);
});

test('files are taken in only after they were looked at, and another folder has to be looked at again', async (context) => {
  const { page, sent } = await setUp(context, 'library/import', { tolerate: REFUSED });
  await page.fill(id('import-dir'), 'relative');
  await page.click(id('import-look'));
  assert.match(await text(page, 'import-refused'), /absolute/);
  await page.fill(id('import-dir'), '/srv/models');
  assert.ok(await page.locator(id('import-do')).isDisabled());
  await page.click(id('import-look'));
  await page.waitForSelector(id('import-answer'));
  await page.fill(id('import-dir'), '/srv/other');
  assert.ok(await page.locator(id('import-do')).isDisabled());
  await page.fill(id('import-dir'), '/srv/models');
  await page.click(id('import-do'));
  await page.waitForSelector('[data-level="success"]');
  await page.waitForSelector(`${id('work-job')}[data-status="completed"]`, { timeout: 10_000 });
  assert.match(await text(page, 'import-answer'), /1 file taken in · 18\.4 GiB/);
  assert.deepEqual(sent.map(({ body }) => [body.dir, body.dryRun]), [['relative', true], ['/srv/models', true], ['/srv/models', false]]);
  await close(page);
});

test('what is not mounted offers nothing that writes', async (context) => {
  const { page } = await setUp(context, 'mirror');
  const away = page.locator(`${id('mirror-target')}[data-name="usb-archive"]`);
  await away.waitFor();
  for (const name of ['mirror-push', 'mirror-pull', 'mirror-compare']) assert.equal(await away.locator(id(name)).count(), 0, name);
  const strange = page.locator(`${id('mirror-target')}[data-name="old-disk"]`);
  assert.equal(await strange.getAttribute('data-usable'), 'false');
  await close(page);
});

test('a card says what ran last, and how far the target is behind once that is known', async (context) => {
  const { page } = await setUp(context, 'mirror');
  const card = (name) => page.locator(`${id('mirror-target')}[data-name="${name}"]`);
  await card('nas').waitFor();
  await card('nas').locator(id('target-last-run'), { hasText: '4 repos, 88.0 GiB' }).waitFor();
  assert.match(await card('nas').locator(id('target-last-run')).innerText(), /Push ↑ · 17 hr ago · Done · 4 repos, 88\.0 GiB/);
  assert.match(await card('nas').locator(id('target-lag')).innerText(), /not known; Compare tells/);
  assert.match(await card('usb-archive').locator(id('target-lag')).innerText(), /not known while it is away/);
  assert.match(await card('old-disk').locator(id('target-last-run')).innerText(), /Never ran/);
  await card('nas').locator(id('mirror-compare')).click();
  await page.waitForSelector(id('diff-row'));
  await page.click('a.back');
  await card('nas').locator(id('target-lag'), { hasText: '3 repos, at most 359.7 GiB' }).waitFor();
  assert.match(await card('nas').locator(id('target-lag')).innerText(), /1 not readable.*compared/s);
  assert.match(await card('usb-archive').locator(id('target-lag')).innerText(), /not known/);
  await close(page);
});

test('a push is shown before it starts, deletes nothing unasked, and runs as a job', async (context) => {
  const { page, sent } = await setUp(context, 'mirror/nas');
  await page.click(id('compare-push'));
  assert.match(await text(page, 'sync-preview'), /Would copy 3 repos, 359\.7 GiB/);
  await page.click(id('sync-start'));
  await page.waitForSelector(`${id('work-job')}[data-status="completed"]`, { timeout: 10_000 });
  assert.deepEqual(sent.filter(({ path }) => path.endsWith('push')).map(({ body }) => body), [
    { target: 'nas', verify: 'sha256', deleteExtra: false, dryRun: true },
    { target: 'nas', verify: 'sha256', deleteExtra: false, async: true },
  ]);
  await close(page);
});

test('how copies are checked is chosen beside the comparison, stays in the address, and can be changed for one run', async (context) => {
  const { page, sent } = await setUp(context, 'mirror/nas');
  await page.waitForSelector(id('compare-verify'));
  assert.equal(await page.inputValue(id('compare-verify')), 'sha256');
  await page.selectOption(id('compare-verify'), 'size');
  assert.match(page.url(), /[?&]verify=size$/);
  await page.reload();
  await page.click(id('compare-push'));
  assert.equal(await page.inputValue(id('sync-verify')), 'size');
  await page.selectOption(id('sync-verify'), 'none');
  await page.click(id('sync-start'));
  await page.waitForSelector(id('sync-dialog'), { state: 'detached' });
  assert.equal(sent.at(-1).body.verify, 'none');
  // That was for one run.
  assert.equal(await page.inputValue(id('compare-verify')), 'size');
  await page.locator(`${id('diff-row')}[data-status="missing"] button`).first().click();
  assert.equal(await page.inputValue(id('sync-verify')), 'size');
  await close(page);
});

test('chosen repos go together, a run each, and nothing is deleted by them', async (context) => {
  const { page, sent } = await setUp(context, 'mirror/nas?status=missing');
  await page.waitForSelector(id('diff-row'));
  const boxes = page.locator(`${id('diff-row')} input`);
  const names = (await page.locator(`${id('diff-row')} .name`).allInnerTexts()).map((name) => name.replace(/\s|dataset/g, ''));
  await boxes.nth(0).click();
  await boxes.nth(1).click();
  await page.click(id('chosen-push'));
  await page.waitForSelector(id('sync-preview'));
  assert.equal(await page.locator(`${id('sync-repos')} li`).count(), 2);
  assert.equal(await page.locator(id('sync-delete')).count(), 0);
  await page.click(id('sync-start'));
  await page.waitForSelector(id('sync-dialog'), { state: 'detached' });
  const runs = sent.filter(({ body }) => body.async === true).map(({ body }) => body);
  assert.deepEqual(runs.map(({ deleteExtra, target }) => [deleteExtra, target]), [[false, 'nas'], [false, 'nas']]);
  for (const [index, run] of runs.entries()) assert.ok(names[index].endsWith(run.repoFilter.replace(/^datasets\//, '')), run.repoFilter);
  await close(page);
});

test('a target can be described anew and moved, and keeps its name', async (context) => {
  const { page, sent } = await setUp(context, 'mirror');
  await page.locator(`${id('mirror-target')}[data-name="nas"] ${id('mirror-edit')}`).click();
  assert.equal(await page.inputValue(id('target-name')), 'nas');
  assert.ok(!(await page.locator(id('target-name')).isEditable()));
  assert.equal(await page.locator(id('target-moves')).count(), 0);
  await page.fill(id('target-path'), '/mnt/other');
  await page.waitForSelector(id('target-moves'));
  await page.click(id('target-save'));
  await page.waitForSelector(id('target-dialog'), { state: 'detached' });
  assert.deepEqual([sent.at(-1).path, sent.at(-1).body.name, sent.at(-1).body.path], ['api/mirror/targets', 'nas', '/mnt/other']);
  await close(page);
});

test('a target gets a schedule, which can be paused, and says when it is due', async (context) => {
  const { page, sent } = await setUp(context, 'mirror');
  const card = page.locator(`${id('mirror-target')}[data-name="nas"]`);
  const due = card.locator(id('target-next-run'));
  assert.match(await due.innerText(), /02|daily/);
  await card.locator(id('mirror-edit')).click();
  assert.ok(await page.isChecked(id('schedule-on')));
  await page.fill(id('schedule-at'), '23:15');
  for (const day of ['tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'mon']) await page.locator(`label:has(${id(`schedule-${day}`)})`).click();
  assert.ok(await page.locator(id('target-save')).isDisabled(), 'no day is chosen');
  await page.locator(`label:has(${id('schedule-sat')})`).click();
  await page.selectOption(id('schedule-verify'), 'sha256');
  await page.click(id('target-save'));
  await page.waitForSelector(id('target-dialog'), { state: 'detached' });
  // The folder is as it was, so that nothing is registered anew.
  assert.deepEqual(sent.map(({ method, path }) => `${method} ${path}`), ['PATCH api/mirror/targets/nas']);
  assert.deepEqual(sent[0].body, { schedule: { at: '23:15', days: ['sat'], timeZone: 'Europe/Berlin', verify: 'sha256' } });
  await due.filter({ hasText: 'Sat 23:15' }).waitFor();
  await card.locator(id('mirror-pause')).click();
  await due.filter({ hasText: 'paused' }).waitFor();
  assert.deepEqual(sent.at(-1).body, { paused: true });
  await card.locator(id('mirror-pause')).click();
  await due.filter({ hasNotText: 'paused' }).waitFor();
  // What is away gets its run when it is back.
  assert.match(await page.locator(`${id('mirror-target')}[data-name="usb-archive"] ${id('target-next-run')}`).innerText(), /as soon as it is mounted/);
  await close(page);
});

test('a pull that would delete here lists what goes and wants the name of the target', async (context) => {
  const { page, sent } = await setUp(context, 'mirror/nas');
  await page.click(id('compare-pull'));
  await page.waitForSelector(id('sync-preview'));
  await page.click(id('sync-delete'));
  await page.waitForSelector(`${id('sync-dialog')} .warn`);
  await page.click(id('sync-start'));
  await page.waitForSelector(id('sync-typed'));
  assert.match(await text(page, 'diff-list'), /Qwen3-32B-GGUF[\s\S]*allenai\/c4/);
  assert.ok(!sent.some(({ body }) => body.async === true));
  assert.ok(await page.locator(id('sync-start')).isDisabled());
  await page.fill(id('sync-typed'), 'nas');
  await page.click(id('sync-start'));
  await page.waitForSelector(id('sync-dialog'), { state: 'detached' });
  assert.deepEqual(sent.at(-1).body, { target: 'nas', verify: 'sha256', deleteExtra: true, async: true });
  await close(page);
});

test('targets come and go; their files are not touched', async (context) => {
  const { page, sent } = await setUp(context, 'mirror', { tolerate: REFUSED });
  await page.click(id('mirror-add'));
  await page.fill(id('target-name'), 'attic');
  await page.fill(id('target-path'), 'attic');
  await page.click(id('target-save'));
  assert.match(await text(page, 'target-refused'), /absolute/);
  await page.fill(id('target-path'), '/mnt/attic');
  await page.click(id('target-save'));
  const card = page.locator(`${id('mirror-target')}[data-name="attic"]`);
  await card.waitFor();
  await card.locator(id('mirror-remove')).click();
  await page.click(id('remove-target-confirm'));
  await card.waitFor({ state: 'detached' });
  assert.deepEqual(sent.map(({ method, path }) => `${method} ${path}`), ['POST api/mirror/targets', 'POST api/mirror/targets', 'DELETE api/mirror/targets/attic']);
  await close(page);
});

test('the filters of the history stand in its URL and in what is exported', async (context) => {
  const { page } = await setUp(context, 'history');
  await page.selectOption(id('history-status'), 'failed');
  await page.fill(id('history-repo'), 'Llama');
  await page.selectOption(id('history-range'), '30d');
  await page.waitForURL(/history\?(?=.*status=failed)(?=.*repo=Llama)(?=.*range=30d)/);
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="history-row"]').length === 1);
  const href = await page.getAttribute(id('history-export-csv'), 'href');
  assert.match(href, /api\/history\?(?=.*from=2)(?=.*status=failed)(?=.*repo=Llama)(?=.*format=csv)/);
  await page.reload();
  await page.waitForSelector(id('history-row'));
  assert.equal(await page.inputValue(id('history-repo')), 'Llama');
  await page.click(id('history-verify'));
  assert.equal(await page.getAttribute(id('history-chain'), 'data-ok'), 'true');
  await close(page);
});

test('the schedule is painted with the pointer and with keys, and saved as one', async (context) => {
  const { page, sent } = await setUp(context, 'settings/speed');
  await page.waitForSelector(id('week-grid'));
  const cell = (day, hour) => page.locator(`${id('week-grid')} [data-day="${day}"][data-hour="${hour}"]`);
  await page.click(id('week-brush-p'));
  await page.locator('summary', { hasText: 'The week in words' }).scrollIntoViewIfNeeded();
  const [from, to] = [await cell(5, 2).boundingBox(), await cell(6, 4).boundingBox()];
  await page.mouse.move(from.x + 5, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(to.x + 5, to.y + 5, { steps: 4 });
  await page.mouse.up();
  assert.equal(await page.locator(`${id('week-grid')} [data-day="5"][data-level="p"]`).count(), 3);
  // The keys go on where the pointer was.
  await page.locator(id('week-grid')).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('s');
  await page.keyboard.press('Shift+ArrowRight');
  await page.click(id('settings-save'));
  await page.waitForSelector(id('settings-bar'), { state: 'detached' });
  const { method, path, body } = sent.at(-1);
  assert.deepEqual([method, path, Object.keys(body)], ['PUT', 'api/limits', ['schedule']]);
  assert.equal(body.schedule.grid[5], `nnppp${'n'.repeat(19)}`);
  assert.equal(body.schedule.grid[6], `pppppss${'n'.repeat(17)}`);
  await close(page);
});

test('what was changed and not saved is still there after a look at another page', async (context) => {
  const { page } = await setUp(context, 'settings/downloads');
  await page.fill('#retries', '7');
  await page.click(id('settings-tab-speed'));
  await page.click(id('speed-mode-slow'));
  await page.locator(id('shell-nav')).locator('a[href$="/library"]').click();
  await page.waitForSelector(id('library-row'));
  await page.goBack();
  assert.ok(await page.locator(id('speed-mode-slow')).isChecked());
  await page.click(id('settings-tab-downloads'));
  assert.equal(await page.inputValue('#retries'), '7');
  await page.locator(id('settings-bar')).getByRole('button', { name: 'Discard' }).click();
  assert.equal(await page.inputValue('#retries'), '4');
  await close(page);
});

test('a key is shown once and can be revoked', async (context) => {
  const { page, sent } = await setUp(context, 'settings/keys');
  await page.fill(id('key-name'), 'laptop');
  await page.selectOption(id('key-scope'), 'read');
  await page.click(id('key-create'));
  const key = await text(page, 'key-secret');
  assert.match(key, /^hfd_/);
  await page.reload();
  await page.waitForSelector(id('key-table'));
  assert.ok(!(await page.content()).includes(key));
  await page.locator(id('key-revoke')).last().click();
  await page.click(id('revoke-confirm'));
  await page.waitForFunction(() => !document.querySelector('[data-testid="key-table"]').innerText.includes('laptop'));
  assert.deepEqual(sent.map(({ method, path }) => `${method} ${path}`), ['POST api/keys', 'DELETE api/keys/3']);
  await close(page);
});

test('the test of the Hub takes what is typed, saved or not', async (context) => {
  const { page, sent } = await setUp(context, 'settings/hub');
  await page.fill('#endpoint', 'https://mirror.example');
  await page.click(id('hub-test'));
  await page.waitForSelector(id('hub-test-answer'));
  assert.deepEqual(sent.at(-1), { method: 'POST', path: 'api/settings/test', body: { endpoint: 'https://mirror.example' } });
  assert.match(await text(page, 'hub-test-answer'), /The Hub refused the token/);
  await close(page);
});

test('a service without these routes still shows pages that make sense', async (context) => {
  const { page, mock } = await setUp(context, 'history', { tolerate: REFUSED });
  mock.more.answer = () => undefined;
  await page.route(/\/api\/(history\/|limits|keys|disk$|openapi|ratelimit|system|cache|mirror)/, (route) => route.fulfill({ status: 404, contentType: 'application/json', body: '{"ok":false,"error":"Not found"}' }));
  await page.reload();
  await page.waitForSelector(id('history-row'));
  assert.equal(await page.locator(id('history-chart')).count(), 0);
  await page.goto(`${mock.url}/settings/speed`);
  await page.waitForSelector(id('speed-missing'));
  await page.goto(`${mock.url}/settings/keys`);
  await page.waitForSelector(id('keys-missing'));
  await page.goto(`${mock.url}/system`);
  await page.waitForSelector(id('system-disk'));
  for (const part of ['log', 'tasks', 'backups', 'about']) {
    await page.click(id(`system-tab-${part}`));
    await page.waitForSelector(id('error-card'));
  }
  await page.goto(`${mock.url}/library`);
  await page.waitForSelector(id('error-card'));
  await close(page);
});
