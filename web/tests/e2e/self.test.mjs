// The real service about itself: its log as it is written, its tasks, copies of its database and the way back.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';
import { BINARY, startService, until } from './service.mjs';

// One that the stand-in Hub knows.
const TOKEN = 'hf_standinAllGrantsAAAAAAAAAAAAAAAAAAAA';
let browser;
let service;
before(async () => {
  browser = await launch();
  service = await startService({ 'demo/tiny': { 'config.json': '{"x":1}' } }, '200MiB', { env: { HF_TOKEN: TOKEN } });
}, { timeout: 700_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
});
const download = (repo) => service.api('download', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ repo }) });

test('the log shows a download as it happens, and never the token', async () => {
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/system/log`);
  await page.waitForSelector('[data-state="live"]');
  const { id: job } = await download('demo/tiny');
  const settled = page.locator(id('log-line'), { hasText: 'job settled' });
  await settled.waitFor();
  assert.match(await settled.innerText(), new RegExp(job));
  assert.doesNotMatch(await page.content(), new RegExp(TOKEN));
  await inspect(page, 'the real log');
  await shoot(page, 'system-log-real-light');
  await close(page);
});

test('a task runs now, and says what it did', async () => {
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/system/tasks`);
  const row = page.locator('[data-task="library_deep"]');
  await row.locator(id('task-run')).click();
  await row.locator('text=1 repos, 1 looked into').waitFor();
  await inspect(page, 'the real tasks');
  await shoot(page, 'system-tasks-real-light');
  await close(page);
});

test('a copy is made by the page, downloaded, and put back by the words that the page has', async () => {
  const page = await open(browser, service.url, { tolerate: [/WebSocket|EventSource|ERR_|Failed to load/] });
  await page.goto(`${service.url}/system/backups`);
  await page.click(id('backup-make'));
  await page.waitForSelector(id('backup-row'));
  await inspect(page, 'real backups');
  await shoot(page, 'system-backups-real-light');
  const [file] = await Promise.all([page.waitForEvent('download'), page.click(id('backup-download'))]);
  assert.equal((await readFile(await file.path())).subarray(0, 15).toString(), 'SQLite format 3');
  const [program, ...words] = (await page.locator(id('backup-command')).innerText()).split(' ');
  assert.deepEqual([program, words[0]], ['hfdepot', 'restore']);

  const { id: later } = await download('demo/other');
  await until('it is known', async () => (await service.api(`jobs/${later}`)).id === later);
  const restore = () => promisify(execFile)(BINARY, [...words, '--data-dir', join(service.directory, 'data')]);
  await assert.rejects(restore, /Nothing was restored/);
  await service.kill();
  assert.match((await restore()).stdout, /Restored .*What was there before lies in/s);
  await service.start();
  assert.equal((await service.api(`jobs/${later}`)).error, 'Job not found');
  assert.equal((await service.api('jobs')).jobs.length, 1);
  await close(page);
});

test('about names the version and the directories, and links to numbers that Prometheus can read', async () => {
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/system/about`);
  await page.waitForSelector(id('system-version'));
  assert.equal(await page.locator(id('system-path-database')).innerText(), join(service.directory, 'data/hfdepot.db'));
  assert.match(await page.locator(id('system-build')).innerText(), /release|debug/);
  const metrics = await page.getAttribute(id('system-metrics'), 'href');
  const text = await (await fetch(new URL(metrics, service.url))).text();
  assert.match(text, /^hfdepot_jobs\{kind="download",status="completed"\} 1$/m);
  await inspect(page, 'the real about');
  await close(page);
});
