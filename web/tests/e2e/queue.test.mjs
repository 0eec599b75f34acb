// The queue and its jobs: graph, columns, places in the line, many at once, the drawer, segments. On the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../mock/server.mjs';
import { job } from '../mock/jobs.mjs';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';
import { lookAt, REFUSED } from './looks.mjs';
import { until } from './service.mjs';

let browser;
let mock;
before(async () => {
  browser = await launch();
  mock = await startMock();
  const made = job('verify of the cache', { kind: 'verify', status: 'completed', total: 60 * 2 ** 30, result: { checked: 1204, bytes: 60 * 2 ** 30, ok: 1203, unknown: 0, bad: [{ repo: 'Qwen/Qwen3-32B', type: 'model', path: 'model-00001-of-00004.safetensors', problem: 'hash_mismatch' }], missing: [] } });
  mock.jobs.set(made.id, made);
});
after(async () => {
  await browser?.close();
  await mock?.stop();
});

const jobWith = (status, more = () => true) => [...mock.jobs.values()].find((one) => one.status === status && more(one)).id;
const running = () => jobWith('running', (one) => one.progress.bytesPerSecond > 0);
const row = (page, repo) => page.locator(id('queue-row'), { hasText: repo });

async function openDrawer(page, tab = '') {
  await page.goto(`${mock.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  await page.goto(`${mock.url}/queue?job=${running()}${tab === '' ? '' : `&tab=${tab}`}`);
  await page.waitForSelector(id('job-progress'));
}
const PAGES = {
  'queue-drawer': async (page) => openDrawer(page),
  'queue-menu': async (page) => {
    await page.goto(`${mock.url}/queue`);
    await page.locator(id('queue-row'), { hasText: 'Mistral' }).locator(id('job-menu')).click();
    await page.waitForSelector(id('job-menu-menu'));
  },
  columns: async (page) => {
    await page.goto(`${mock.url}/queue`);
    await page.click(id('queue-menu'));
    await page.click(id('queue-menu-columns'));
    await page.waitForSelector(id('columns-dialog'));
  },
  change: async (page) => {
    await page.goto(`${mock.url}/queue`);
    await page.locator(id('queue-row'), { hasText: 'Mistral' }).locator(id('job-menu')).click();
    await page.click(id('job-menu-priority'));
    await page.waitForSelector(id('change-dialog'));
  },
  'job-overview': async (page) => {
    await page.goto(`${mock.url}/jobs/${running()}`);
    await page.waitForSelector(`${id('job-speed-graph')} canvas`);
  },
  'job-segments': async (page) => page.goto(`${mock.url}/jobs/${running()}/segments`).then(() => page.waitForSelector(id('segment-file'))),
  'job-result': async (page) => page.goto(`${mock.url}/jobs/${jobWith('completed', (one) => one.kind === 'verify')}`).then(() => page.waitForSelector(id('job-result'))),
  'limit-menu': async (page) => {
    await page.goto(`${mock.url}/queue`);
    await page.click(id('shell-limit'));
    await page.waitForSelector(id('shell-limit-menu'));
  },
};
/** Limits go by a week in which every hour is slow. */
const byWeek = (page, level) => page.request.put(`${mock.url}/api/limits`, { data: { mode: 'schedule', schedule: { timeZone: 'Europe/Berlin', grid: Array(7).fill(level.repeat(24)) } } });
PAGES['queue-hours'] = async (page) => {
  await byWeek(page, 's');
  await page.goto(`${mock.url}/queue?status=recent`);
  await page.waitForSelector(`${id('queue-throughput')} canvas`);
  await page.waitForSelector(id('throughput-hours'));
};
lookAt(PAGES, { browser: () => browser, origin: () => mock.url, overlays: ['queue-menu', 'columns', 'change', 'limit-menu'] });

test('the graph of all downloads says in words what it shows', async () => {
  const page = await open(browser, mock.url);
  await page.goto(`${mock.url}/queue`);
  await page.waitForSelector(`${id('queue-throughput')} canvas`);
  assert.match(await page.locator(`${id('queue-throughput')} figure`).getAttribute('aria-label'), /now [\d.]+ MiB\/s, mean 27\.0 MiB\/s, limit 50\.0 MiB\/s/);
  assert.match(await page.locator(id('queue-throughput')).innerText(), /left ≥ [\d.]+ GiB/);
  await close(page);
});

test('the hours of the week are told beside the graph, while limits go by it', async () => {
  const page = await open(browser, mock.url);
  for (const [level, text] of [['s', 'slow hours'], ['p', 'paused hours']]) {
    await byWeek(page, level);
    await page.goto(`${mock.url}/queue`);
    await page.locator(id('throughput-hours')).filter({ hasText: text }).waitFor();
    assert.match(await page.locator(`${id('queue-throughput')} figure`).getAttribute('aria-label'), new RegExp(`, ${text}$`));
  }
  await page.request.put(`${mock.url}/api/limits`, { data: { mode: 'normal' } });
  await page.reload();
  await page.waitForSelector(`${id('queue-throughput')} canvas`);
  await page.locator(id('shell-limit')).filter({ hasText: '50' }).waitFor();
  assert.equal(await page.locator(id('throughput-hours')).count(), 0);
  await close(page);
});

test('what was done in the last day has its own list and count', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const old = job('old/done', { status: 'completed', agoMs: 90_000_000 });
  own.jobs.set(old.id, old);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  const count = (name) => page.locator(`${id(`queue-tab-${name}`)} .count`).innerText();
  assert.deepEqual([await count('recent'), await count('completed')], ['2', '3']);
  await page.click(id('queue-tab-recent'));
  await row(page, 'old/done').waitFor({ state: 'detached' });
  assert.equal(await page.locator(id('queue-row')).count(), 2);
  await page.reload();
  await row(page, 'all-MiniLM-L6-v2').waitFor();
  assert.equal(await page.locator(id('queue-row')).count(), 2);
  await page.click(id('queue-tab-completed'));
  await row(page, 'old/done').waitFor();
  // On a phone the strip is wider than the window, and shows the chosen one.
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${own.url}/queue?status=recent`);
  await row(page, 'all-MiniLM-L6-v2').waitFor();
  const seen = await page.locator(id('queue-tab-recent')).evaluate((tab) => tab.getBoundingClientRect().left >= 0 && tab.getBoundingClientRect().right <= innerWidth);
  assert.ok(seen, 'the chosen tab is in the window');
  assert.equal(await page.evaluate(() => scrollY), 0);
  await close(page);
});

test('a queued row is moved by keys, by the menu and by dragging, and its place is spoken', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  const line = () => page.locator(`${id('queue-row')} td.name`).allInnerTexts().then((texts) => texts.map((text) => text.split('\n')[0]).filter((text) => /c4|Mistral|gemma/.test(text)).map((text) => /c4|Mistral|gemma/.exec(text)[0]));
  assert.deepEqual(await line(), ['c4', 'Mistral', 'gemma']);
  await row(page, 'gemma').locator('a').focus();
  await page.keyboard.press('Alt+ArrowUp');
  await until('one up', async () => (await line()).join() === 'c4,gemma,Mistral');
  await until('it is spoken', async () => /google\/gemma-3-27b-it moved to position 2 of 3/.test(await page.locator(id('shell-live')).innerText()));
  assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ''), /gemma/, 'the focus goes with the row');
  await row(page, 'Mistral').locator(id('job-menu')).click();
  await page.click(id('job-menu-top'));
  await until('to the top', async () => (await line()).join() === 'Mistral,c4,gemma');
  const grip = await row(page, 'Mistral').locator(id('queue-grip')).boundingBox();
  const goal = await row(page, 'gemma').boundingBox();
  await page.mouse.move(grip.x + 8, grip.y + 20);
  await page.mouse.down();
  await page.mouse.move(goal.x + 200, goal.y + goal.height - 6, { steps: 6 });
  await page.mouse.up();
  await until('behind the last', async () => (await line()).join() === 'c4,gemma,Mistral');
  await close(page);
});

test('the other button of the mouse and a long press open the menu of a row', async () => {
  const page = await open(browser, mock.url);
  await page.goto(`${mock.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  await row(page, 'Mistral').locator('td.progress').click({ button: 'right' });
  await page.waitForSelector(id('job-menu-menu'));
  await page.keyboard.press('Escape');
  await page.locator(id('job-menu-menu')).waitFor({ state: 'detached' });
  // A link keeps the menu of the browser, but for a finger.
  await row(page, 'Mistral').locator('a').first().click({ button: 'right' });
  assert.equal(await page.locator(id('job-menu-menu')).count(), 0);
  await row(page, 'Mistral').locator('a').first().evaluate((link) => link.dispatchEvent(new PointerEvent('contextmenu', { bubbles: true, cancelable: true, pointerType: 'touch' })));
  await page.waitForSelector(id('job-menu-menu'));
  await close(page);
});

test('many jobs are changed at once, and each refusal is told', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/queue?status=queued`);
  await page.waitForSelector(id('queue-row'));
  await page.keyboard.press('Control+a');
  await page.click(id('bulk-menu'));
  await page.click(id('bulk-menu-category'));
  await page.fill(id('change-value'), 'night');
  await page.click(id('change-submit'));
  await page.waitForSelector(id('change-dialog'), { state: 'detached' });
  await until('all have it', () => [...own.jobs.values()].filter((one) => one.status === 'queued').every((one) => one.category === 'night'));
  await page.selectOption(id('queue-filter-category'), 'night');
  assert.equal(await page.locator(id('queue-row')).count(), 3);
  // Another client was quicker with one of them.
  const [first] = [...own.jobs.values()].filter((one) => one.status === 'queued');
  first.status = 'running';
  await page.click(id('bulk-hold'));
  await page.locator(id('toast'), { hasText: '2 done, 1 refused' }).waitFor();
  await page.locator(`${id('toast')} summary`).click();
  await page.locator(id('toast'), { hasText: 'The job is running' }).waitFor();
  await close(page);
});

test('columns are chosen and stay chosen; a limit of one job is set', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/queue`);
  await page.click(id('queue-menu'));
  await page.click(id('queue-menu-columns'));
  await page.check(id('column-category'));
  await page.uncheck(id('column-files'));
  await page.keyboard.press('Escape');
  await page.reload();
  await page.waitForSelector(id('queue-row'));
  const heads = await page.locator('thead th').allInnerTexts();
  assert.deepEqual(heads.map((text) => text.trim()).filter((text) => text !== '' && text !== 'Actions'), ['Name', 'State', 'Progress', 'Speed', 'Time left', 'Category']);
  await row(page, 'Qwen3-32B').locator(id('job-menu')).click();
  await page.click(id('job-menu-maxSpeed'));
  await page.fill(id('change-value'), 'fast');
  await page.click(id('change-submit'));
  await page.getByText('Write a size such as 5MiB.').waitFor();
  await page.fill(id('change-value'), '7.5');
  await page.click(id('change-submit'));
  await until('the limit', () => [...own.jobs.values()].some((one) => one.maxSpeed === '7.5MiB'));
  await row(page, 'Qwen3-32B').locator(id('job-menu')).click();
  await page.click(id('job-menu-connections'));
  await page.fill(id('change-value'), '65');
  await page.click(id('change-submit'));
  await page.getByText('Write a whole number from 1 to 64.').waitFor();
  await page.fill(id('change-value'), '2');
  await page.click(id('change-submit'));
  await until('the number', () => [...own.jobs.values()].some((one) => one.connections === 2));
  await close(page);
});

test('a job opens beside the list and closes again; on its own page the strip has words', async () => {
  const page = await open(browser, mock.url);
  await page.goto(`${mock.url}/queue`);
  await row(page, 'Qwen3-32B').locator('a').click();
  await page.waitForSelector(id('job-drawer'));
  assert.match(page.url(), /\/queue\?job=/);
  await page.locator(id('job-drawer')).locator(id('job-tab-segments')).click();
  assert.match(await page.locator(id('segment-text')).first().innerText(), /^71 %, \d ranges open, [\d.]+ GiB checked$/);
  await page.keyboard.press('Escape');
  await page.waitForSelector(id('job-drawer'), { state: 'detached' });
  assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ''), /Qwen3-32B/);
  await close(page);
});

test('a job that is removed takes its page and its drawer along, one that another client removed says so', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const page = await open(browser, own.url, { tolerate: REFUSED });
  const done = [...own.jobs.values()].filter((one) => one.status === 'completed' || one.status === 'failed' || one.status === 'cancelled').map((one) => one.id);
  await page.goto(`${own.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  await page.goto(`${own.url}/jobs/${done[0]}`);
  await page.click(id('job-dismiss'));
  await page.waitForURL(`${own.url}/queue`);
  // The page of a job that is gone is no place to go back to.
  await page.goBack();
  await page.waitForURL(`${own.url}/queue`);
  // By the row while the drawer shows the same job, then by the drawer itself.
  await page.goto(`${own.url}/queue?job=${done[1]}`);
  await page.waitForSelector(id('job-drawer'));
  await page.locator(`[data-job="${done[1]}"] ${id('job-menu')}`).click();
  await page.click(id('job-menu-dismiss'));
  await page.waitForURL(`${own.url}/queue`);
  await page.goto(`${own.url}/queue?job=${done[2]}`);
  await page.locator(id('job-drawer')).locator(id('job-dismiss')).click();
  await page.waitForSelector(id('job-drawer'), { state: 'detached' });
  const other = [...own.jobs.values()].find((one) => one.status === 'paused');
  await page.goto(`${own.url}/jobs/${other.id}`);
  await page.waitForSelector(id('job-progress'));
  own.jobs.delete(other.id);
  own.send({ type: 'event', data: { event: 'job_removed', jobId: other.id } });
  await page.waitForSelector(id('job-gone'));
  await close(page);
});

test('a pause and a new category can be taken back while their toasts stand', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/queue`);
  const job = [...own.jobs.values()].find((one) => one.repo.includes('FLUX'));
  await page.click(`[data-job="${job.id}"] ${id('job-pause')}`);
  await until('it is paused', () => job.status === 'paused');
  await page.click(id('toast-undo'));
  await until('it goes on', () => job.status !== 'paused');
  const before = job.category ?? '';
  await page.click(`[data-job="${job.id}"] ${id('job-menu')}`);
  await page.click(id('job-menu-category'));
  await page.fill(id('change-value'), 'night');
  await page.click(id('change-submit'));
  await until('it is another', () => own.jobs.get(job.id).category === 'night');
  // What was taken back can be taken back too: its toast may stand beside this one.
  await page.locator(id('toast')).filter({ hasText: /category/i }).locator(id('toast-undo')).click();
  await until('it is the one before', () => own.jobs.get(job.id).category === before);
  await close(page);
});

test('pages of an older version say so, and offer to be loaded anew', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/queue`);
  await page.waitForSelector('[data-kind="live"]');
  assert.equal(await page.locator(id('shell-updated')).count(), 0);
  own.update('9.0.0');
  assert.match(await page.locator(id('shell-updated')).innerText(), /updated to 9\.0\.0/);
  await inspect(page, 'older pages');
  await Promise.all([page.waitForNavigation(), page.click(id('shell-reload'))]);
  await page.waitForSelector('[data-kind="live"]');
  assert.equal(await page.locator(id('shell-updated')).count(), 0);
  await close(page);
});

test('from right to left and on a very wide screen everything keeps its place', async () => {
  for (const [name, options] of Object.entries({ rtl: {}, 'rtl-phone': { phone: true }, '4k': { viewport: { width: 3840, height: 2160 } } })) {
    const page = await open(browser, mock.url, { ...options, tolerate: REFUSED });
    if (name.startsWith('rtl')) await page.addInitScript(() => addEventListener('DOMContentLoaded', () => document.documentElement.setAttribute('dir', 'rtl')));
    for (const path of ['queue', `jobs/${running()}`, 'browse?repo=unsloth/Qwen3-32B-GGUF&type=model', 'library', 'library?view=map', 'mirror', 'history', 'settings/speed', 'system']) {
      await page.goto(`${mock.url}/${path}`);
      await page.waitForSelector('main :is(h1, h2)');
      await page.waitForFunction(() => document.querySelector('main .skeleton') === null);
      await inspect(page, `${path} (${name})`);
      await shoot(page, `${path.split(/[/?]/)[0]}-${name}`);
    }
    await close(page);
  }
});

test('limits are set, slow is switched, everything is paused and goes on', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const page = await open(browser, own.url, { tolerate: REFUSED });
  await page.goto(`${own.url}/queue`);
  await page.click(id('shell-limit'));
  await page.click(id('shell-limit-15'));
  await page.getByText('15.0 MiB/s').first().waitFor();
  await page.click(id('shell-limit'));
  await page.fill(id('shell-limit-own'), '1B');
  await page.keyboard.press('Enter');
  await page.locator(id('toast'), { hasText: 'at least 64KiB' }).waitFor();
  await page.fill(id('shell-limit-own'), '33');
  await page.keyboard.press('Enter');
  await page.getByText('33.0 MiB/s').first().waitFor();
  await page.click(id('shell-slow'));
  await page.waitForSelector(`${id('shell-slow')}[aria-pressed="true"]`);
  await page.click(id('shell-pause'));
  await page.click(id('shell-pause-60'));
  assert.match(await page.locator(id('shell-paused')).innerText(), /paused until \d\d:\d\d/);
  await page.click(id('shell-resume'));
  await page.waitForSelector(id('shell-paused'), { state: 'detached' });
  await close(page);
});

test('a service that lacks these routes shows the pages without them', async (context) => {
  const own = await startMock({ missing: ['/api/limits', '/api/disk', '/api/ratelimit', '/api/speed', '/api/system', '/api/jobs/bulk', '/api/events'] });
  context.after(own.stop);
  const page = await open(browser, own.url, { tolerate: REFUSED });
  await page.goto(`${own.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  for (const part of ['shell-limit', 'shell-pause', 'queue-throughput', 'shell-budget']) assert.equal(await page.locator(id(part)).count(), 0, part);
  assert.match(await page.locator(id('shell-disk')).innerText(), /412\.0 GiB free/);
  await page.locator(`${id('queue-row')} input`).first().click();
  await page.locator(`${id('queue-row')} input`).nth(1).click();
  await page.click(id('bulk-pause'));
  await until('one by one', () => [...own.jobs.values()].filter((one) => one.status === 'paused').length === 3);
  await close(page);
});
