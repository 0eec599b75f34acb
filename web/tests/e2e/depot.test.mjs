// The pages beside the queue on the real service: below a base path and behind its login, as they
// are embedded, and with what one download leaves behind.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';
import { startService, until } from './service.mjs';

const LOGIN = { username: 'me', password: 'a-long-password' };
const AUTHORIZATION = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')}`;
// Routes that this service does not have yet are asked for all the same, and the browser writes the 404 down.
const tolerate = [/Failed to load resource: .*(400|404)/];
let browser;
let service;
let base;
before(async () => {
  browser = await launch();
  service = await startService({ 'demo/kept': { 'config.json': '{"model_type":"llama"}', 'model.safetensors': randomBytes(3 * 2 ** 20) } }, '200MiB', {
    flags: ['--base-path', '/my/depot', '--auth-user', LOGIN.username], env: { HFDEPOT_AUTH_PASS: LOGIN.password },
  });
  base = `${service.url}/my/depot`;
  const headers = { authorization: AUTHORIZATION, 'content-type': 'application/json' };
  const job = await service.api('download', { method: 'POST', headers, body: '{"repo":"demo/kept"}' });
  await until('the download', async () => (await service.api(`jobs/${job.id}`, { headers })).status === 'completed');
}, { timeout: 700_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
});

/** Asks without anything that unpacks or follows by itself. */
function ask(path, headers = {}) {
  return new Promise((done, fail) => {
    http.get(service.url + path, { headers: { authorization: AUTHORIZATION, ...headers } }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk)).on('end', () => done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }));
    }).on('error', fail);
  });
}

test('scripts come compressed as the client takes them, for ever, and are not sent twice', async () => {
  const page = await ask('/my/depot/queue');
  assert.equal(page.headers['cache-control'], 'no-cache');
  assert.match(page.headers['content-security-policy'], /manifest-src 'self'/);
  const [, script] = /src="\.\/(assets\/[\w.-]+\.js)"/.exec(page.body.toString());
  const plain = await ask(`/my/depot/${script}`);
  const br = await ask(`/my/depot/${script}`, { 'accept-encoding': 'gzip, deflate, br' });
  const gzip = await ask(`/my/depot/${script}`, { 'accept-encoding': 'gzip' });
  assert.deepEqual([plain, br, gzip].map(({ headers }) => headers['content-encoding']), [undefined, 'br', 'gzip']);
  assert.ok(br.body.length < gzip.body.length && gzip.body.length < plain.body.length / 2);
  assert.deepEqual([brotliDecompressSync(br.body), gunzipSync(gzip.body)], [plain.body, plain.body]);
  for (const { headers } of [plain, br, gzip]) {
    assert.match(headers['cache-control'], /immutable/);
    assert.match(headers.vary, /Accept-Encoding/);
    assert.match(headers['content-type'], /^text\/javascript/);
  }
  assert.equal(new Set([plain, br, gzip].map(({ headers }) => headers.etag)).size, 3);
  const again = await ask(`/my/depot/${script}`, { 'accept-encoding': 'br', 'if-none-match': br.headers.etag });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  assert.equal((await ask(`/my/depot/${script}.br`)).status, 404);
});

test('without the login nothing is shown, and what it hides is not told', async () => {
  for (const path of ['/my/depot/queue', '/my/depot/api/jobs', '/my/depot/api/health', '/my/depot/assets/no.js']) {
    for (const authorization of ['', `Basic ${Buffer.from('me:wrong-password').toString('base64')}`]) {
      const answer = await ask(path, { authorization });
      assert.deepEqual([answer.status, /^Basic /.test(answer.headers['www-authenticate'])], [401, true], path);
      assert.ok(!answer.body.includes('demo/kept') && !answer.body.includes('<script'), path);
    }
  }
  const page = await open(browser, base, { tolerate: [/401/, /ERR_INVALID_AUTH/] });
  const answer = await page.goto(`${base}/library`).catch((error) => error);
  assert.ok(answer instanceof Error || answer.status() === 401);
  assert.equal(await page.locator(id('library-row')).count(), 0);
  await close(page);
  const known = await open(browser, base, { tolerate, httpCredentials: LOGIN });
  await known.goto(`${base}/library`);
  await known.waitForSelector(id('library-row'));
  await close(known);
});

test('the pages can be installed, and say under which licences they are', async () => {
  const { headers, body } = await ask('/my/depot/manifest.webmanifest');
  assert.match(headers['content-type'], /^application\/manifest\+json/);
  const manifest = JSON.parse(body);
  for (const { src, type } of manifest.icons) {
    const icon = await ask(`/my/depot/${src}`);
    assert.deepEqual([icon.status, icon.headers['content-type'].split(';')[0]], [200, type], src);
  }
  assert.match((await ask('/my/depot/licences.txt')).body.toString(), /Apache License[\s\S]*svelte[\s\S]*lucide[\s\S]*axum/);
});

test('everything lies below the base path, whether the proxy takes it off or not', async () => {
  const root = await ask('/my/depot?repo=o%2Fn');
  assert.deepEqual([root.status, root.headers.location], [308, '/my/depot/?repo=o%2Fn']);
  for (const path of ['/my/depot/api/health', '/api/health']) assert.equal((await ask(path)).status, 200, path);
  assert.equal((await ask('/my/depots/api/health')).status, 200, 'a route of the pages');
  assert.match((await ask('/my/depots/api/health')).headers['content-type'], /^text\/html/);
  assert.equal((await ask('/my/depot/api/health', { authorization: '' })).status, 401);

  for (const prefix of [base, service.url]) {
    const page = await open(browser, prefix, { tolerate, httpCredentials: LOGIN });
    await page.goto(`${prefix}/settings/hub`);
    await page.waitForSelector('#endpoint');
    await page.waitForSelector('[data-kind="live"]');
    for (const name of ['library', 'mirror', 'history', 'settings', 'system']) {
      await page.locator(id('shell-nav')).locator(`a[href$="/${name}"]`).click();
      await page.waitForURL(`${prefix}/${name}`);
      await page.waitForSelector('h1');
    }
    await close(page);
  }
});

test('the history of a real download can be read, exported and queued again', async () => {
  const page = await open(browser, base, { tolerate, httpCredentials: LOGIN });
  await page.goto(`${base}/history`);
  const row = page.locator(id('history-row'), { hasText: 'demo/' });
  await row.waitFor();
  await row.locator('button[aria-expanded]').click();
  await page.waitForSelector(id('event-list'));
  await inspect(page, 'real history');
  await shoot(page, 'history-real-light');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(id('history-export-json'))]);
  assert.match(download.suggestedFilename(), /^hfdepot-history.*\.json$/);
  await row.locator(id('history-again')).click();
  await page.waitForSelector('[data-testid="toast"]');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="history-row"]').length === 2);
  await close(page);
});

test('settings and system tell what this service is', async () => {
  const page = await open(browser, base, { tolerate, httpCredentials: LOGIN });
  await page.goto(`${base}/settings?q=connections`);
  assert.match(await page.locator(id('setting-maxConnections')).innerText(), /Locked.*--max-connections/s);
  await page.goto(`${base}/system`);
  await page.locator(id('system-checks')).waitFor();
  await page.waitForSelector(id('system-budget'));
  await inspect(page, 'real system');
  await shoot(page, 'system-real-light');
  await page.click(id('system-tab-about'));
  await until('the version', async () => /^\d+\.\d+/.test(await page.locator(id('system-version')).innerText()));
  await inspect(page, 'real about');
  await close(page);
});

test('a target is added, compared, pushed to, and never taken for empty when it is away', async (context) => {
  const headers = { authorization: AUTHORIZATION };
  if ((await fetch(`${service.url}/api/mirror/targets`, { headers })).status === 404) return context.skip('this service has no mirror yet');
  const home = await mkdtemp(join(tmpdir(), 'hfdepot-target-'));
  context.after(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, 'nas');
  const page = await open(browser, base, { tolerate: [/Failed to load resource: .*(400|404|409)/], httpCredentials: LOGIN });
  await page.goto(`${base}/mirror`);
  await page.waitForSelector(id('mirror-empty'));
  await inspect(page, 'no targets');
  await page.click(id('mirror-add'));
  await page.fill(id('target-name'), 'nas');
  await page.fill(id('target-path'), folder);
  await page.click(id('target-save'));
  const card = page.locator(`${id('mirror-target')}[data-name="nas"][data-usable="true"]`);
  await card.waitFor();
  await card.locator(id('mirror-compare')).click();
  await page.waitForSelector(`${id('diff-row')}[data-status="missing"]`);
  await page.click(id('compare-push'));
  assert.match(await page.locator(id('sync-preview')).innerText(), /Would copy 1 repo, 3\.0 MiB/);
  await page.click(id('sync-start'));
  await page.waitForSelector(id('compare-same'), { timeout: 20_000 });
  await inspect(page, 'both the same');
  assert.ok((await readdir(folder, { recursive: true })).some((name) => name.endsWith('model.safetensors')));
  await rename(folder, join(home, 'unplugged'));
  await page.goto(`${base}/mirror`);
  const away = page.locator(`${id('mirror-target')}[data-name="nas"][data-usable="false"]`);
  await away.waitFor();
  assert.equal(await away.locator(id('mirror-push')).count(), 0);
  await page.locator(id('mirror-runs'), { hasText: 'Done' }).waitFor();
  await shoot(page, 'mirror-real-light');
  await rename(join(home, 'unplugged'), folder);
  await away.locator(id('mirror-again')).click();
  await card.waitFor();
  await close(page);
});

test('the library shows what lies on the disk, and a deletion frees it', async (context) => {
  const headers = { authorization: AUTHORIZATION };
  const { status } = await fetch(`${service.url}/api/cache`, { headers });
  if (status === 404) return context.skip('this service has no library yet');
  const page = await open(browser, base, { tolerate, httpCredentials: LOGIN });
  await page.goto(`${base}/library`);
  const row = page.locator(`${id('library-row')}[data-repo="demo/kept"]`);
  await row.waitFor();
  const { repos } = await service.api('cache', { headers });
  assert.equal(await row.locator('.size').getAttribute('title'), `${repos[0].size.toLocaleString('en-GB')} bytes`);
  await shoot(page, 'library-real-light');
  await row.locator('a').click();
  await page.waitForSelector(id('cached-files'));
  await inspect(page, 'real repo');
  await shoot(page, 'library-repo-real-light');
  await page.click(id('repo-delete'));
  assert.match(await page.locator(id('delete-frees')).innerText(), /Frees 3\.0 MiB/);
  await page.click(id('delete-confirm'));
  await page.waitForURL('**/library');
  await page.waitForSelector(id('library-empty'));
  await inspect(page, 'empty library');
  await shoot(page, 'library-empty-light');
  assert.deepEqual((await service.api('cache', { headers })).repos, []);
  await close(page);
});
