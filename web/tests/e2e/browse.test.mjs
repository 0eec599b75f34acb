// Search → analyze → pick → plan → queue, on the mock, which has repos of every kind.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../mock/server.mjs';
import { close, id, launch, open } from './browser.mjs';
import { lookAt, REFUSED } from './looks.mjs';
import { until } from './service.mjs';

let browser;
let mock;
before(async () => {
  browser = await launch();
  mock = await startMock();
});
after(async () => {
  await browser?.close();
  await mock?.stop();
});

const to = (query, wait) => async (page) => {
  await page.goto(`${mock.url}/browse${query}`);
  await page.waitForSelector(id(wait));
};
const PAGES = {
  browse: to('', 'browse-result'),
  'browse-none': to('?q=zzzz/yyyy', 'browse-none'),
  'browse-down': to('?q=down', 'error-card'),
  'repo-gguf': to('?q=qwen&repo=unsloth/Qwen3-32B-GGUF&type=model', 'plan-sum'),
  'repo-weights': to('?repo=Qwen/Qwen3-32B', 'plan-sum'),
  'repo-diffusers': to('?repo=black-forest-labs/FLUX.1-dev', 'repo-locked'),
  'repo-dataset': to('?kind=datasets&repo=allenai/c4&type=dataset', 'plan-sum'),
  'repo-files': to('?repo=unsloth/Qwen3-32B-GGUF&type=model&tab=files', 'repo-file'),
  'repo-card': to('?repo=unsloth/Qwen3-32B-GGUF&type=model&tab=card', 'repo-card'),
  'browse-stale': to('?q=stale', 'browse-stale'),
  'repo-behind': async (page) => {
    await to('?repo=unsloth/Qwen3-32B-GGUF&type=model', 'plan-sum')(page);
    await page.locator(`${id('repo-behind')} button`).click();
    await page.waitForSelector(id('behind-dialog'));
  },
  'browse-suggest': to('?q=qwne3', 'browse-suggest'),
  'repo-lineage': to('?repo=unsloth/Qwen3-32B-GGUF&type=model&tab=lineage', 'repo-lineage'),
  'repo-both': to('?repo=owner/both', 'repo-both'),
  'repo-gated': to('?repo=owner/gated', 'repo-failure'),
  'repo-missing': to('?repo=owner/missing', 'repo-failure'),
};
lookAt(PAGES, { browser: () => browser, origin: () => mock.url });

test('words find repos, a quant is picked, planned and queued', async (context) => {
  const own = await startMock({ bulk: 1 });
  context.after(own.stop);
  const asked = [];
  const page = await open(browser, own.url, { tolerate: REFUSED });
  page.on('request', (request) => {
    if (request.method() === 'POST') asked.push([new URL(request.url()).pathname, request.postDataJSON()]);
  });
  await page.goto(`${own.url}/queue`);
  await page.fill(id('shell-search-input'), 'qwen3');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/browse?q=qwen3');
  await page.locator(id('browse-result'), { hasText: 'unsloth/' }).click();
  await page.waitForSelector(id('plan-sum'));
  assert.deepEqual(asked.at(-1)[1], { repo: 'unsloth/Qwen3-32B-GGUF', filters: ['q4_k_m', 'mmproj-f16'], exactMatch: true }, 'the recommendation comes first');
  // A set with missing parts cannot be taken.
  assert.ok(await page.locator('[data-item="q6_k"] input').isDisabled());
  await page.locator('[data-item="q4_k_m"] input').uncheck();
  await page.locator('[data-item="q8_0"] input').check();
  await until('the plan of the new choice', () => asked.at(-1)[1].filters?.includes('q8_0') && page.locator(id('plan-sum')).isVisible());
  // 24 GiB of GPU do not hold Q8_0 alone; more do.
  assert.match(await page.locator('[data-item="q8_0"] .fit').innerText(), /GPU \+ RAM/);
  await page.locator(`${id('pick-hardware')} select`).first().selectOption('48');
  assert.match(await page.locator('[data-item="q8_0"] .fit').innerText(), /GPU$/);
  await page.locator('summary', { hasText: 'Options' }).click();
  await page.fill(id('option-category'), 'llm');
  await page.fill(id('option-tags'), 'big, new');
  await page.check(id('option-paused'));
  await page.click(id('plan-queue'));
  await page.waitForSelector(id('plan-job'));
  assert.deepEqual(asked.at(-1), ['/api/download', { repo: 'unsloth/Qwen3-32B-GGUF', filters: ['q8_0', 'mmproj-f16'], exactMatch: true, category: 'llm', tags: ['big', 'new'], startPaused: true }].map((one) => one));
  await close(page);
});

test('a pattern shows its matches, files are ticked in the tree, and nothing chosen cannot be queued', async () => {
  const page = await open(browser, mock.url);
  let last;
  page.on('request', (request) => { if (request.url().endsWith('/api/plan')) last = request.postDataJSON(); });
  await page.goto(`${mock.url}/browse?repo=unsloth/Qwen3-32B-GGUF&type=model&pick=Q4_K_M`);
  await page.waitForSelector(id('plan-sum'));
  assert.deepEqual(last, { repo: 'unsloth/Qwen3-32B-GGUF', filters: ['Q4_K_M'] });
  assert.match(await page.locator(id('pick-matches')).innerText(), /^3 files/);
  await page.fill(id('pick-patterns'), 'nothing');
  await page.waitForSelector(id('plan-empty'));
  assert.ok(await page.locator(id('plan-queue')).isDisabled());
  await page.fill(id('pick-patterns'), '');
  assert.match(await page.locator(id('repo-plan')).innerText(), /Nothing chosen/);
  await page.click(id('repo-tab-files'));
  await page.locator(id('repo-file'), { hasText: 'Qwen3-32B-BF16/' }).locator('input').check();
  await page.locator(id('repo-file'), { hasText: 'config.json' }).locator('input').check();
  await until('the plan of the files', () => last.filters?.length === 2);
  assert.deepEqual(last.filters, ['Qwen3-32B-BF16/*', '[c]onfig.json']);
  await close(page);
});

test('pictures of a card are fetched only after a click, through the service', async () => {
  const page = await open(browser, mock.url);
  const fetched = [];
  page.on('request', (request) => { if (request.url().includes('readme-asset')) fetched.push(request.url()); });
  await PAGES['repo-card'](page);
  assert.deepEqual(fetched, []);
  await page.click(id('repo-pictures'));
  await until('the picture', () => fetched.length === 1);
  await close(page);
});

test('a name of a model and a dataset asks which, and the answer stands in the URL', async () => {
  const page = await open(browser, mock.url);
  await PAGES['repo-both'](page);
  await page.getByRole('button', { name: 'Open the dataset' }).click();
  await page.waitForSelector(id('repo-pick'));
  assert.match(page.url(), /type=dataset/);
  await close(page);
});

test('only what is new since the revision at hand is chosen', async () => {
  const page = await open(browser, mock.url);
  // Upstream the revision that lies here had one file less, and another with other bytes.
  await page.route(/api\/analyze\/.*revision=[0-9a-f]{40}/, async (route) => {
    const answer = await route.fetch();
    const report = await answer.json();
    const files = report.files.filter(({ path }) => !path.endsWith('Q2_K.gguf')).map((file) => (file.path.endsWith('Q8_0.gguf') ? { ...file, sha256: '0'.repeat(64) } : file));
    await route.fulfill({ response: answer, json: { ...report, files } });
  });
  await page.route(/api\/cache\/unsloth\//, (route) => route.fulfill({ json: { repo: 'unsloth/Qwen3-32B-GGUF', type: 'model', revisions: [{ commit: 'ab12cd3'.padEnd(40, '0'), refs: ['main'], size: 1, uniqueSize: 1, fileCount: 1 }] } }));
  await PAGES['repo-gguf'](page);
  await page.click(id('pick-new'));
  await page.locator(id('pick-new-said'), { hasText: '2 files are new or changed since ab12cd3' }).waitFor();
  assert.match(await page.locator(id('repo-pick')).innerText(), /2 ticked in the list of files/);
  await page.waitForSelector(id('plan-sum'));
  await close(page);
});

test('a repo of the library says which revision is here and what came since, asked once', async () => {
  const page = await open(browser, mock.url);
  const asked = [];
  page.on('request', (request) => { if (request.url().includes('/api/commits/')) asked.push(new URL(request.url()).searchParams.get('revision')); });
  await to('?q=qwen&repo=unsloth/Qwen3-32B-GGUF&type=model', 'repo-behind')(page);
  assert.match(await page.locator(id('repo-behind')).innerText(), /^main @ [0-9a-f]{7} · 3 commits behind$/);
  await page.locator(`${id('repo-behind')} button`).click();
  const dialog = page.locator(id('behind-dialog'));
  assert.match(await dialog.innerText(), /Fix the chat template[\s\S]*Upload Q6_K/);
  assert.equal(await dialog.locator('ol > li').count(), 3);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.click(id('repo-tab-files'));
  await page.waitForSelector(id('repo-file'));
  assert.deepEqual(asked.map((revision) => revision.length), [40]);
  // One that is not here is not asked about.
  await to('?repo=Qwen/Qwen3-32B', 'plan-sum')(page);
  assert.equal(asked.length, 1);
  await close(page);
});

test('a search in vain offers what may have been meant', async () => {
  const page = await open(browser, mock.url);
  await to('?q=qwne3', 'browse-suggest')(page);
  const hint = page.locator(id('browse-suggest'));
  assert.match(await hint.innerText(), /Did you mean[\s\S]*Qwen\/Qwen3-32B[\s\S]*unsloth\/Qwen3-32B-GGUF\s*in library/);
  await hint.locator('a').first().click();
  await page.waitForURL(/repo=Qwen%2FQwen3-32B&type=model/);
  await page.waitForSelector(id('plan-sum'));
  await close(page);
});

test('models can be kept below a size, which stands in the URL and goes with datasets', async () => {
  const page = await open(browser, mock.url);
  await to('?q=qwen', 'browse-result')(page);
  await page.selectOption(id('browse-size'), '8B');
  await page.waitForURL(/size=8B/);
  await page.waitForSelector(id('browse-none'));
  await page.click(id('browse-datasets'));
  await page.waitForURL((url) => !url.searchParams.has('size'));
  assert.equal(await page.locator(id('browse-size')).count(), 0);
  await close(page);
});

test('results of before are marked with their age when the Hub gives none', async () => {
  const page = await open(browser, mock.url);
  await to('?q=stale', 'browse-stale')(page);
  assert.match(await page.locator(id('browse-stale')).innerText(), /from 3 hr\.? ago/);
  assert.equal(await page.locator(id('browse-result')).count(), 3);
  await close(page);
});
