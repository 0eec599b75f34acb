// The way of a download through the real service, seen in a browser.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { close, id, inspect, launch, open, shoot } from './browser.mjs';
import { startService, until } from './service.mjs';

const MIB = 2 ** 20;
const SIZE = 48 * MIB;
// What the browser itself writes about a service that was killed, and about refusals that a test provokes.
const GONE = [/WebSocket/, /ERR_CONNECTION/, /ERR_SOCKET/, /ERR_EMPTY/];
const REFUSED = [/Failed to load resource: .*(400|404|422)/];

let browser;
let service;
before(async () => {
  browser = await launch();
  service = await startService({
    'demo/tiny': { 'config.json': '{"model_type":"llama"}' },
    'demo/slow-GGUF': { 'README.md': '# demo', 'slow-Q4_K_M.gguf': randomBytes(SIZE) },
    'demo/keys': { 'config.json': '{"a":1}', 'model.safetensors': randomBytes(160 * MIB) },
  }, '6MiB');
}, { timeout: 700_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
});

const row = (page, repo) => page.locator(id('queue-row'), { hasText: repo });
const state = (page, repo, kind) => row(page, repo).locator(`[data-state="${kind}"]`).waitFor({ timeout: 40_000 });
const jobOf = async (repo) => (await service.api('jobs')).jobs.find((job) => job.repo === repo);

async function add(page, text) {
  await page.click(id('shell-add'));
  await page.fill(id('add-text'), text);
  await page.waitForSelector(`${id('add-line')}[data-kind="plan"]`);
  await page.click(id('add-submit'));
  await page.waitForSelector(id('add-dialog'), { state: 'detached' });
}

test('an empty queue says what to do', async () => {
  const page = await open(browser, service.url);
  await page.goto(service.url);
  await page.waitForSelector(id('queue-empty'));
  await page.waitForSelector('[data-kind="live"]');
  await inspect(page, 'empty queue');
  await shoot(page, 'queue-empty-light');
  await page.goto(`${service.url}/history`);
  await page.waitForSelector(id('history-empty'));
  await inspect(page, 'empty history');
  await close(page);
});

test('a download is added, paused, resumed, survives kill -9, completes, and leaves the list but not the history', async () => {
  const page = await open(browser, service.url, { tolerate: GONE });
  await page.goto(`${service.url}/queue`);
  await page.click(id('shell-add'));
  await page.fill(id('add-text'), 'demo/slow-GGUF:Q4_K_M\nno repo at all');
  await page.waitForSelector(`${id('add-line')}[data-kind="plan"]`);
  assert.equal(await page.locator(`${id('add-line')}[data-kind="format"]`).count(), 1);
  assert.match(await page.locator(id('add-plan')).innerText(), /48\.0 MiB/);
  await page.click(id('add-submit'));
  await state(page, 'slow-GGUF', 'downloading');

  await until('bytes are seen', async () => (await row(page, 'slow-GGUF').locator(id('job-percent')).innerText()) !== '0 %');
  await shoot(page, 'queue-real-light');
  await row(page, 'slow-GGUF').locator(id('job-pause')).click();
  await state(page, 'slow-GGUF', 'paused');
  assert.equal((await jobOf('demo/slow-GGUF')).status, 'paused');

  // What stands on the screen is what the API says.
  const paused = await until('the run lets go', async () => {
    const [one, two] = [await jobOf('demo/slow-GGUF'), await new Promise((done) => setTimeout(done, 600)).then(() => jobOf('demo/slow-GGUF'))];
    return one.updatedAt === two.updatedAt && one;
  });
  const { downloadedBytes, totalBytes } = paused.progress;
  assert.ok(downloadedBytes > 0 && downloadedBytes < totalBytes);
  await until('the page shows the bytes of the API', async () => {
    const shown = await row(page, 'slow-GGUF').locator(id('job-bytes')).getAttribute('title');
    return shown === `${downloadedBytes.toLocaleString('en-GB')} bytes / ${totalBytes.toLocaleString('en-GB')} bytes`;
  });
  assert.equal(await row(page, 'slow-GGUF').locator(id('job-percent')).innerText(), `${Math.floor((downloadedBytes / totalBytes) * 100)} %`);
  assert.equal(await row(page, 'slow-GGUF').locator(id('job-speed')).innerText(), '—');

  await row(page, 'slow-GGUF').locator(id('job-resume')).click();
  await state(page, 'slow-GGUF', 'downloading');
  await until('new bytes', async () => (await jobOf('demo/slow-GGUF')).progress.downloadedBytes > downloadedBytes);
  await service.kill();
  await page.waitForSelector('[data-kind="offline"]', { timeout: 20_000 });
  assert.match(await page.locator(id('shell-connection')).innerText(), /numbers are old/);
  await service.start();
  await page.waitForSelector('[data-kind="live"]', { timeout: 40_000 });
  await state(page, 'slow-GGUF', 'done');
  assert.equal(await row(page, 'slow-GGUF').locator(id('job-percent')).innerText(), '100 %');

  await row(page, 'slow-GGUF').locator('a').click();
  await page.waitForSelector(id('job-files'));
  await inspect(page, 'completed job');
  await shoot(page, 'job-real-light');
  await page.click(id('job-tab-log'));
  await page.locator(id('event-name'), { hasText: 'Completed' }).waitFor();
  await shoot(page, 'job-log-real-light');
  await page.click(id('job-tab-files'));
  await page.locator(id('job-file-table'), { hasText: 'SHA-256' }).waitFor();
  // A deep link can be reloaded.
  await page.reload();
  await page.locator(id('job-file-table'), { hasText: 'slow-Q4_K_M.gguf' }).waitFor();

  await page.click(id('job-dismiss'));
  await until('the job is gone from the list', async () => (await jobOf('demo/slow-GGUF')) === undefined);
  await page.waitForURL(`${service.url}/queue`);
  await row(page, 'slow-GGUF').waitFor({ state: 'detached' });
  await page.goto(`${service.url}/history?repo=slow`);
  const entry = page.locator(id('history-row'), { hasText: 'slow-GGUF' });
  await entry.waitFor();
  assert.equal(await entry.getAttribute('data-status'), 'completed');
  const { entries } = await service.api('history?repo=slow');
  assert.equal(await entry.locator(id('history-network')).getAttribute('title'), `${entries[0].networkBytes.toLocaleString('en-GB')} bytes`);

  // What was fetched is in the library until it is deleted; the history keeps it.
  await page.goto(`${service.url}/library`);
  await page.locator(`${id('library-row')}[data-repo="demo/slow-GGUF"] a`).click();
  await page.locator(id('cached-files'), { hasText: 'slow-Q4_K_M.gguf' }).waitFor();
  await page.click(id('repo-delete'));
  assert.match(await page.locator(id('delete-frees')).innerText(), /Frees 48\.0 MiB/);
  await page.click(id('delete-confirm'));
  await page.waitForURL(`${service.url}/library`);
  await page.waitForSelector(id('library-empty'));
  assert.deepEqual((await service.api('cache')).repos, []);
  await page.goto(`${service.url}/history?repo=slow`);
  await entry.waitFor();
  await close(page);
});

test('a job that fails shows why and what helps', async () => {
  const page = await open(browser, service.url, { tolerate: REFUSED });
  await page.goto(`${service.url}/queue`);
  await page.click(id('shell-add'));
  await page.fill(id('add-text'), 'demo/nowhere');
  await page.waitForSelector(id('add-line-error'));
  assert.match(await page.locator(id('add-line-error')).innerText(), /not found/i);
  assert.ok(await page.locator(id('add-submit')).isDisabled());
  await page.keyboard.press('Escape');
  await page.waitForSelector(id('add-dialog'), { state: 'detached' });
  // Another client queues it all the same.
  await service.api('download', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"repo":"demo/nowhere"}' });
  await state(page, 'nowhere', 'failed');
  await page.waitForSelector(id('queue-needs'));
  await row(page, 'nowhere').locator('a').click();
  await page.waitForSelector(id('job-failure'));
  assert.equal(await page.locator(id('job-error')).innerText(), (await jobOf('demo/nowhere')).error);
  await inspect(page, 'failed job');
  await close(page);
});

test('a wrong setting is refused beside its field, and a right one is saved', async () => {
  const page = await open(browser, service.url, { tolerate: REFUSED });
  await page.goto(`${service.url}/settings/downloads`);
  await page.waitForSelector('#maxActive');
  assert.ok(await page.locator('#maxConnections').isDisabled());
  assert.match(await page.locator(id('setting-maxConnections')).innerText(), /Locked.*--max-connections/);
  await page.fill('#maxActive', '99');
  await page.fill('#retries', '5');
  await page.click(id('settings-save'));
  assert.match(await page.locator(`${id('setting-maxActive')} ${id('setting-error')}`).innerText(), /1 to 32/);
  assert.equal((await service.api('settings')).retries, 4, 'all or nothing');
  await inspect(page, 'refused settings');
  await page.fill('#maxActive', '2');
  await page.click(id('settings-save'));
  await page.waitForSelector(id('settings-bar'), { state: 'detached' });
  const saved = await service.api('settings');
  assert.deepEqual([saved.maxActive, saved.retries, saved.sources.maxActive], [2, 5, 'database']);
  await page.goto(`${service.url}/settings/hub`);
  await page.fill('#token', 'hf_secretsecretsecret9876');
  await page.click(id('settings-save'));
  await page.waitForSelector(id('settings-bar'), { state: 'detached' });
  await until('the mask', async () => (await page.getAttribute('#token', 'placeholder')) === '********9876');
  assert.ok(!(await page.content()).includes('secretsecret'), 'the token is not in the page');
  // The stand-in Hub refuses a token that it does not know, so it has to go again.
  await page.locator(id('setting-token')).getByRole('button', { name: 'Remove' }).click();
  await page.click(id('settings-save'));
  await until('no token', async () => (await service.api('settings')).token === '');
  await page.waitForSelector('#token[placeholder="not set"]');
  await close(page);
});

test('a download can be added, walked to, paused, resumed and cancelled by keyboard alone', async () => {
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/system`);
  await page.waitForSelector('[data-kind="live"]');
  const press = (key) => page.keyboard.press(key);
  await press('g');
  await press('q');
  await page.waitForURL('**/queue');
  await press('n');
  await page.waitForSelector(id('add-dialog'));
  await page.keyboard.type('demo/keys');
  await page.waitForSelector(`${id('add-line')}[data-kind="plan"]`);
  await press('Control+Enter');
  await page.waitForSelector(id('add-dialog'), { state: 'detached' });
  await state(page, 'demo/keys', 'downloading');
  // Running jobs stand first.
  await press('j');
  assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ''), /keys/);
  await press('Space');
  await state(page, 'demo/keys', 'paused');
  await press('Space');
  await state(page, 'demo/keys', 'downloading');
  await press('x');
  await page.waitForSelector(id('queue-bulk'));
  await press('x');
  await press('Delete');
  await page.waitForSelector(id('cancel-dialog'));
  await page.locator(id('cancel-confirm')).focus();
  await press('Enter');
  await state(page, 'demo/keys', 'cancelled');
  await until('the live region tells it', async () => /demo\/keys/.test(await page.locator(id('shell-live')).innerText()));
  await close(page);
});

test('on a phone a repo is pasted, fetched and found, and nothing sticks out', async () => {
  const page = await open(browser, service.url, { phone: true });
  await page.goto(`${service.url}/queue`);
  await add(page, 'https://huggingface.co/demo/tiny/tree/main');
  await state(page, 'demo/tiny', 'done');
  await inspect(page, 'queue on a phone');
  await shoot(page, 'queue-real-phone');
  await row(page, 'demo/tiny').locator('a').tap();
  await page.waitForSelector(id('job-files'));
  await inspect(page, 'job on a phone');
  for (const name of ['history', 'settings', 'system']) {
    await page.locator(id('nav-more')).tap();
    await page.locator(id(`nav-more-${name}`)).tap();
    await page.waitForURL(`**/${name}`);
    await page.waitForLoadState('networkidle');
    await inspect(page, `${name} on a phone`);
  }
  const { version } = await service.api('health');
  await page.locator(id('system-tab-about')).tap();
  assert.equal(await page.locator(id('system-version')).innerText(), version);
  await close(page);
});

test('everything works below a prefix that a proxy adds', async (context) => {
  const { createServer, request } = await import('node:http');
  const { connect } = await import('node:net');
  const target = new URL(service.url);
  const inside = (url) => url.replace(/^\/depot/, '') || '/';
  const proxy = createServer((incoming, outgoing) => {
    if (!incoming.url.startsWith('/depot/')) return outgoing.writeHead(418).end();
    const { method, headers } = incoming;
    incoming.pipe(request({ host: target.hostname, port: target.port, method, headers, path: inside(incoming.url) }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    }));
  });
  const open_ = new Set();
  proxy.on('upgrade', (incoming, socket, head) => {
    const upstream = connect(Number(target.port), target.hostname, () => {
      const headers = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
      upstream.write(`GET ${inside(incoming.url)} HTTP/1.1\r\n${headers}\r\n`);
      upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    for (const one of [socket, upstream]) one.on('error', () => {}).on('close', () => open_.delete(one)) && open_.add(one);
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  context.after(() => {
    for (const one of open_) one.destroy();
    proxy.closeAllConnections();
    proxy.close();
  });
  const base = `http://127.0.0.1:${proxy.address().port}/depot`;
  const page = await open(browser, base);
  const { id: job } = await jobOf('demo/tiny');
  await page.goto(`${base}/jobs/${job}/files`);
  await page.locator(id('job-file-table'), { hasText: 'config.json' }).waitFor();
  await page.waitForSelector('[data-kind="live"]');
  await page.click('text=History');
  await page.waitForURL(`${base}/history`);
  await page.waitForSelector(id('history-row'));
  await close(page);
});
