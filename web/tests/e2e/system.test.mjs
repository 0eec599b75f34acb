// What the pages about the service itself do: the log lives and can be held, tasks begin, copies are made.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { startMock } from '../mock/server.mjs';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';

const REFUSED = [/Failed to load resource: .*(400|404|500|503)/, /ERR_/];
let browser;
before(async () => { browser = await launch(); });
after(async () => browser?.close());

async function setUp(context, path, options = {}) {
  const mock = await startMock();
  context.after(mock.stop);
  const page = await open(browser, mock.url, options);
  await page.goto(`${mock.url}/${path}`);
  return { page, mock, system: mock.more.system };
}
const said = (page) => page.locator(`${id('log-line')} .message`).allInnerTexts();

test('new lines come by themselves, wait while the log is held, and are there afterwards', async (context) => {
  const { page, system } = await setUp(context, 'system/log');
  await page.waitForSelector('[data-state="live"]');
  system.say('info', 'a line that just came');
  await page.waitForSelector('text=a line that just came');
  await page.click(id('log-pause'));
  system.say('warn', 'a line that waits');
  system.say('info', 'and another');
  await page.waitForSelector('text=Paused · 2 new lines wait');
  assert.ok(!(await said(page)).includes('a line that waits'));
  await page.click(id('log-pause'));
  await page.waitForSelector('text=a line that waits');
  assert.deepEqual((await said(page)).slice(-3), ['a line that just came', 'a line that waits', 'and another']);
  assert.ok(!(await said(page)).includes('request'), 'debug lines only when they are wanted');
  const box = await page.locator(id('log-lines')).evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight);
  assert.ok(box < 5, 'the newest line is in sight');
  await close(page);
});

test('level and text choose the lines, stand in the address, and hold for what comes and for the file', async (context) => {
  const { page, mock, system } = await setUp(context, 'system/log');
  await page.selectOption(id('log-level'), 'warn');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="log-line"]').length === 2);
  await page.fill(id('log-search'), 'VOLUME');
  await page.waitForURL(/level=warn.*q=VOLUME|q=VOLUME.*level=warn/);
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="log-line"]').length === 1);
  await page.waitForSelector('[data-state="live"]');
  system.say('error', 'the volume is gone');
  system.say('info', 'the volume is well');
  system.say('error', 'something else');
  await page.waitForSelector('text=the volume is gone');
  assert.deepEqual(await said(page), ['the database could not be copied', 'the volume is gone']);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(id('log-download'))]);
  const text = await readFile(await download.path(), 'utf8');
  assert.equal(text.trim().split('\n').length, 2);
  await page.goto(`${mock.url}/system/log?level=error`);
  assert.equal(await page.inputValue(id('log-level')), 'error');
  await page.waitForSelector(id('log-line'));
  await page.goto(`${mock.url}/system/log?q=nothing-like-this`);
  await page.click(`${id('log-empty')} button`);
  await page.waitForSelector(id('log-line'));
  await close(page);
});

test('a log that breaks off says so, comes back, and misses nothing', async (context) => {
  const { page, mock, system } = await setUp(context, 'system/log', { tolerate: REFUSED });
  await page.waitForSelector('[data-state="live"]');
  await page.route('**/api/system/log**', (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{"ok":false,"error":"Internal server error"}' }));
  system.cut();
  await page.waitForSelector('[data-state="away"]');
  await page.waitForSelector(id('error-card'));
  await inspect(page, 'a log that broke off');
  system.say('info', 'said meanwhile');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.click(`${id('error-card')} button`);
  await page.waitForSelector('text=said meanwhile');
  await page.waitForSelector('[data-state="live"]');
  const all = await said(page);
  assert.equal(new Set(all).size, all.length, 'no line twice');
  assert.ok(mock.url);
  await close(page);
});

test('what the pages said stands below the log', async (context) => {
  const { page } = await setUp(context, 'system/backups');
  await page.click(id('backup-make'));
  await page.waitForSelector('[data-level="success"]');
  await page.click(id('system-tab-log'));
  await page.waitForSelector('text=The database was copied: 12.1 MiB');
  await close(page);
});

test('a task begins when asked, says that it runs, and how it went', async (context) => {
  const { page, system } = await setUp(context, 'system/tasks');
  const row = page.locator('[data-task="library_deep"]');
  await row.waitFor();
  assert.match(await row.innerText(), /not since the start/);
  assert.match(await page.locator('[data-task="ballast"]').innerText(), /failed.*No space left.*3 of 26 runs failed/s);
  await row.locator(id('task-run')).click();
  await row.locator('text=running').waitFor();
  assert.ok(await row.locator(id('task-run')).isDisabled());
  await row.locator('text=done by hand').waitFor();
  assert.ok(await row.locator(id('task-run')).isEnabled());
  assert.equal(system.tasks.find(({ name }) => name === 'library_deep').runs, 1);
  await close(page);
});

test('a copy is made, taken away, and the words to put it back name one that can be', async (context) => {
  const { page, system } = await setUp(context, 'system/backups');
  await page.waitForSelector(id('backup-row'));
  const before = await page.locator(id('backup-row')).count();
  await page.click(id('backup-make'));
  await page.waitForFunction((count) => document.querySelectorAll('[data-testid="backup-row"]').length === count + 1, before);
  const made = system.backups[0].name;
  assert.equal(await page.locator(id('backup-command')).innerText(), `hfdepot restore ${made}`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator(id('backup-download')).first().click()]);
  assert.equal(new URL(download.url()).pathname, `/api/system/backups/${made}`);
  assert.equal(await page.locator('[data-testid="backup-row"][data-usable="false"]').count(), 2);
  await close(page);
});

test('parts that do not exist are pages that do not exist', async (context) => {
  const { page } = await setUp(context, 'system/dreams');
  await page.waitForSelector('h1');
  assert.equal(await page.locator(id('system-tab-log')).count(), 0);
  await close(page);
});

test('all parts have room on the narrowest screen, in German', async (context) => {
  const { page, mock } = await setUp(context, 'system', { viewport: { width: 320, height: 640 }, locale: 'de-DE' });
  for (const [part, shown] of Object.entries({ log: 'log-line', tasks: 'task-row', backups: 'backup-row', about: 'system-path-hub' })) {
    await page.goto(`${mock.url}/system/${part}`);
    await page.waitForSelector(id(shown));
    await inspect(page, `${part} (320 px, German)`);
    await shoot(page, `system-${part}-german-320`);
  }
  await close(page);
});
