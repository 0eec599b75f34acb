// Every page in every state that matters, on a wide screen in light and dark, and on a phone:
// axe finds nothing, nothing sticks out, the browser does not complain. Runs on the mock, which
// has all states at once; screenshots go to tests/screenshots.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from '../mock/server.mjs';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';

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

const jobWith = (status, more = () => true) => [...mock.jobs.values()].find((job) => job.status === status && more(job)).id;

const PAGES = {
  queue: async (page) => page.goto(`${mock.url}/queue`).then(() => page.waitForSelector(id('queue-row'))),
  'queue-selected': async (page) => {
    await page.goto(`${mock.url}/queue`);
    await page.locator(`${id('queue-row')} input`).first().click();
    await page.locator(`${id('queue-row')} input`).nth(4).click();
  },
  'queue-no-match': async (page) => page.goto(`${mock.url}/queue?q=nothing-like-this`).then(() => page.waitForSelector(id('queue-no-match'))),
  add: async (page) => {
    await page.goto(`${mock.url}/queue`);
    await page.click(id('shell-add'));
    await page.fill(id('add-text'), 'Qwen/Qwen3-32B-GGUF:Q4_K_M\nhttps://huggingface.co/datasets/allenai/c4/tree/main/en\nowner/missing\nnot a repo\nQwen/Qwen3-32B-GGUF:Q4_K_M');
    await page.waitForSelector('[data-testid="add-line"][data-kind="error"]');
    await page.waitForSelector('[data-testid="add-line"][data-kind="plan"]');
  },
  'add-empty': async (page) => page.goto(`${mock.url}/add`).then(() => page.waitForSelector(id('add-dialog'))),
  cancel: async (page) => {
    await page.goto(`${mock.url}/queue`);
    await page.locator(id('job-menu')).first().click();
    await page.click(id('job-menu-cancel'));
    await page.waitForSelector(id('cancel-dialog'));
  },
  keys: async (page) => {
    await page.goto(`${mock.url}/queue`);
    await page.waitForSelector(id('queue-row'));
    await page.keyboard.press('?');
    await page.waitForSelector(id('keys-dialog'));
  },
  job: async (page) => page.goto(`${mock.url}/jobs/${jobWith('running', (job) => job.progress.bytesPerSecond > 0)}`).then(() => page.waitForSelector(id('job-progress'))),
  'job-files': async (page) => page.goto(`${mock.url}/jobs/${jobWith('running', (job) => job.progress.bytesPerSecond > 0)}/files`).then(() => page.waitForSelector(id('job-file-table'))),
  'job-log': async (page) => page.goto(`${mock.url}/jobs/${jobWith('failed')}/log`).then(() => page.waitForSelector(id('event-list'))),
  'job-api': async (page) => page.goto(`${mock.url}/jobs/${jobWith('paused')}/api`).then(() => page.waitForSelector(id('api-line'))),
  'job-failed': async (page) => page.goto(`${mock.url}/jobs/${jobWith('failed')}`).then(() => page.waitForSelector(id('job-failure'))),
  history: async (page) => page.goto(`${mock.url}/history`).then(() => page.waitForSelector(id('history-row'))),
  'history-open': async (page) => {
    await page.goto(`${mock.url}/history`);
    await page.locator(`${id('history-row')} button[aria-expanded]`).first().click();
    await page.waitForSelector(id('event-list'));
  },
  settings: async (page) => page.goto(`${mock.url}/settings`).then(() => page.waitForSelector(id('setting-maxActive'))),
  'settings-error': async (page) => {
    await page.goto(`${mock.url}/settings/downloads`);
    await page.fill('#maxActive', '99');
    await page.click(id('settings-save'));
    await page.waitForSelector(id('setting-error'));
  },
  'settings-storage': async (page) => page.goto(`${mock.url}/settings/storage`).then(() => page.waitForSelector(id('setting-downloadRoutes'))),
  'settings-hub': async (page) => page.goto(`${mock.url}/settings/hub`).then(() => page.waitForSelector(id('setting-token'))),
  'settings-appearance': async (page) => page.goto(`${mock.url}/settings/appearance`).then(() => page.waitForSelector('input[name="theme"]')),
  'settings-other': async (page) => page.goto(`${mock.url}/settings/other`).then(() => page.waitForSelector('tbody tr')),
  system: async (page) => {
    await page.goto(`${mock.url}/system`);
    await page.waitForSelector(id('system-volume'));
    await page.waitForSelector(`${id('trends-memory')} canvas`);
  },
  'add-whole': async (page) => {
    await page.goto(`${mock.url}/add`);
    await page.click(id('add-whole'));
    await page.fill(id('add-owner'), 'Qwen');
    await page.click(id('add-owner-take'));
    await page.locator(id('add-owner-said'), { hasText: /1/ }).waitFor();
  },
  'add-collections': async (page) => {
    await page.goto(`${mock.url}/add`);
    await page.fill(id('add-text'), 'https://huggingface.co/collections/acme/none');
    await page.locator(`${id('add-line')}[data-kind="error"]`).waitFor();
    await page.click(id('add-whole'));
    await page.fill(id('add-owner'), 'Qwen');
    await page.selectOption(id('add-owner-kind'), 'collections');
    await page.click(id('add-owner-take'));
    await page.locator(`${id('add-collections')} button`).first().click();
    await page.locator(id('add-gathered'), { hasText: /1/ }).waitFor();
  },
  missing: async (page) => page.goto(`${mock.url}/no/such/page`).then(() => page.waitForSelector('h1')),
};
test('the title of the tab counts what waits for the user, and the way to the system says how much is not well', async () => {
  const page = await open(browser, mock.url);
  await page.goto(`${mock.url}/queue`);
  await page.waitForSelector(id('nav-system-health'));
  // A licence, a broken file, a full disk; and a check that fails.
  await page.waitForFunction(() => /^\(4\) .+ – hfdepot$/.test(document.title));
  assert.match(await page.locator(id('nav-system-health')).innerText(), /^!/);
  await close(page);
});

// Refusals that a test brings about are written into the console by the browser itself.
const tolerate = [/Failed to load resource: .*(400|404)/];

for (const [look, options] of Object.entries({ light: {}, dark: { dark: true }, phone: { phone: true } })) {
  for (const [name, go] of Object.entries(PAGES)) {
    test(`${name} is sound in ${look}`, async () => {
      const page = await open(browser, mock.url, { ...options, tolerate });
      await go(page);
      await shoot(page, `${name}-${look}`, !['add', 'add-empty', 'cancel', 'keys'].includes(name));
      await inspect(page, `${name} (${look})`);
      await close(page);
    });
  }
}

test('the narrowest screen and German words have room', async () => {
  const page = await open(browser, mock.url, { viewport: { width: 320, height: 640 }, locale: 'de-DE', tolerate });
  for (const [name, go] of Object.entries(PAGES)) {
    await go(page);
    await inspect(page, `${name} (320 px, German)`);
    if (['queue', 'settings', 'job'].includes(name)) await shoot(page, `${name}-german-320`);
  }
  assert.equal(await page.getAttribute('html', 'lang'), 'de');
  await close(page);
});

test('a stalled job shows no speed and since when, and 99 % is the top before the check', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/queue`);
  const stalled = page.locator(id('queue-row'), { hasText: 'FLUX' });
  assert.match(await stalled.locator(id('job-state')).innerText(), /^Stalled 3\d s$/);
  assert.equal(await stalled.locator(id('job-speed')).innerText(), '0 B/s');
  assert.equal(await stalled.locator(id('job-eta')).innerText(), '—');
  const verifying = page.locator(id('queue-row'), { hasText: 'Llama-3.3' });
  assert.equal(await verifying.locator(id('job-percent')).innerText(), '99 %');
  await close(page);
});

test('a connection that breaks says so, keeps asking, and comes back', async (context) => {
  const own = await startMock({ missing: ['/api/events'] });
  context.after(own.stop);
  const page = await open(browser, own.url, { tolerate: [/WebSocket/, /ERR_/, /Failed to load resource/] });
  await page.goto(`${own.url}/queue`);
  await page.waitForSelector('[data-kind="live"]');
  // The socket is refused, answers still come.
  await page.routeWebSocket(/\/api\/ws/, (socket) => socket.close());
  own.cut();
  await page.waitForSelector('[data-kind="polling"]');
  const [job] = [...own.jobs.values()].filter((one) => one.status === 'paused');
  job.status = 'cancelled';
  job.endedAt = new Date().toISOString();
  await page.waitForSelector(`[data-job="${job.id}"] [data-state="cancelled"]`, { timeout: 8000 });
  // Nothing answers.
  await page.route('**/api/**', (route) => route.abort());
  await page.waitForSelector('[data-kind="offline"]', { timeout: 12_000 });
  assert.match(await page.locator(id('shell-connection')).innerText(), /Offline since \d\d:\d\d \(numbers are old\)/);
  // That we hear nothing does not make a job stall, and no speed is claimed.
  const running = page.locator(id('queue-row'), { hasText: 'Qwen3-32B' });
  await page.waitForTimeout(11_000);
  assert.equal(await running.locator(id('job-state')).getAttribute('data-state'), 'downloading');
  assert.deepEqual([await running.locator(id('job-speed')).innerText(), await page.title()], ['—', 'Offline – hfdepot']);
  await shoot(page, 'queue-offline-light');
  await inspect(page, 'offline');
  // The network is back.
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.waitForSelector('[data-kind="polling"]', { timeout: 12_000 });
  await close(page);
});

test('where no WebSocket comes through, a stream of events keeps the page live', async (context) => {
  const own = await startMock({ missing: ['/api/ws'] });
  context.after(own.stop);
  const page = await open(browser, own.url, { tolerate: [/WebSocket/, /ERR_INCOMPLETE/] });
  await page.goto(`${own.url}/queue`);
  await page.waitForSelector('[data-kind="live"]');
  const [job] = [...own.jobs.values()].filter((one) => one.status === 'paused');
  await page.click(`[data-job="${job.id}"] ${id('job-resume')}`);
  await page.waitForSelector(`[data-job="${job.id}"] [data-state="queued"]`);
  // The stream breaks and comes back; what changed meanwhile is there.
  own.cut();
  job.status = 'cancelled';
  job.endedAt = new Date().toISOString();
  await page.waitForSelector(`[data-job="${job.id}"] [data-state="cancelled"]`, { timeout: 9000 });
  await page.waitForSelector('[data-kind="live"]', { timeout: 12_000 });
  await close(page);
});

test('a thousand jobs are drawn as a window of rows, and the last one can be reached', async (context) => {
  const own = await startMock({ bulk: 1000 });
  context.after(own.stop);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  assert.equal(await page.getAttribute(id('queue-table'), 'aria-rowcount'), '1001');
  assert.ok((await page.locator(id('queue-row')).count()) < 80);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await page.waitForSelector('text=repo-1000');
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForSelector('text=repo-0001');
  await shoot(page, 'queue-thousand-light', false);
  await close(page);
});
