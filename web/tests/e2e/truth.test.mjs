// Nothing shown contradicts the API: while downloads run, pause, fail, and while the service is killed
// and comes back, what stands on four open pages is compared with what the API told them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { close, id, launch, open } from './browser.mjs';
import { startService, until } from './service.mjs';
import { Witness } from './witness.mjs';

const MIB = 2 ** 20;
const GONE = [/WebSocket/, /ERR_/, /Failed to load resource/];

let browser;
let service;
before(async () => {
  browser = await launch();
  const small = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`part-${index}.json`, `{"n":${index}}`]));
  service = await startService({
    'demo/large-GGUF': { 'README.md': '# demo', 'large-Q4_K_M.gguf': randomBytes(96 * MIB) },
    'demo/weights': { 'config.json': '{"model_type":"llama"}', 'model.safetensors': randomBytes(20 * MIB) },
    'demo/small': small,
  }, '5MiB');
}, { timeout: 700_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
});

const post = (path, body) => service.api(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) });

/** What happens while the pages are watched. */
async function story(pages, witness, large) {
  const job = (key) => service.api(`jobs/${key}`);
  const moves = (key, than = 0) => until('bytes come', async () => (await job(key)).progress.downloadedBytes > than);
  const small = await post('download', { repo: 'demo/small' });
  await service.hub('faults', { path: 'demo/nowhere', fault: 'delay_headers', ms: 3000 });
  const nowhere = await post('download', { repo: 'demo/nowhere' });
  await witness.shows(nowhere.id, 'resolving');
  await moves(large.id);
  await witness.shows(large.id, 'downloading');
  await until('the small one is done', async () => (await job(small.id)).status === 'completed');
  await witness.shows(small.id, 'done');
  await witness.shows(nowhere.id, 'failed');
  const weights = await post('download', { repo: 'demo/weights' });
  await moves(weights.id);
  await post(`jobs/${weights.id}/pause`);
  await witness.shows(weights.id, 'paused');
  await witness.catchUp();
  await post(`jobs/${weights.id}/resume`);
  await moves(weights.id);
  const { progress } = await job(large.id);
  await service.kill();
  witness.down();
  await pages.queue.waitForSelector('[data-kind="offline"]', { timeout: 60_000 });
  witness.up();
  await service.start();
  await pages.queue.waitForSelector('[data-kind="live"]', { timeout: 60_000 });
  await moves(large.id, progress.downloadedBytes);
  await post(`jobs/${large.id}/pause`);
  await witness.shows(large.id, 'paused');
  await witness.catchUp();
  await post(`jobs/${large.id}/resume`);
  for (const { id: key } of [weights, large]) await until('all is done', async () => (await job(key)).status === 'completed');
  await witness.catchUp();
  await post(`jobs/${small.id}/dismiss`);
  await witness.catchUp();
}

test('what four pages show is what the API says, through pause, failure, kill -9 and return', { timeout: 400_000 }, async () => {
  const large = await post('download', { repo: 'demo/large-GGUF' });
  const witness = new Witness(service);
  const pages = {};
  for (const [name, path] of Object.entries({ queue: 'queue', job: `jobs/${large.id}`, history: 'history', library: 'library' })) {
    pages[name] = await open(browser, service.url, { tolerate: GONE });
    await witness.listen(name, pages[name]);
    await pages[name].goto(`${service.url}/${path}`);
    await pages[name].waitForSelector('[data-kind="live"]');
  }
  await pages.queue.waitForSelector(id('queue-row'));
  const stop = witness.start();

  await story(pages, witness, large).finally(stop);

  const found = witness.judge();
  assert.deepEqual(found.contradictions.slice(0, 20), [], `${found.contradictions.length} contradictions`);
  // The run was really seen.
  for (const name of Object.keys(pages)) assert.ok(found.judged[name] > 20, `${name}: ${found.judged[name]} pictures`);
  for (const status of ['running', 'paused', 'completed', 'failed']) assert.ok(found.statuses.has(status), status);
  for (const page of Object.values(pages)) await close(page);
});
