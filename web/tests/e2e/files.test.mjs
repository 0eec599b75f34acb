// The files of a job, chosen while it goes on; and the widths of the columns of the queue. On the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { job } from '../mock/jobs.mjs';
import { startMock } from '../mock/server.mjs';
import { close, id, launch, open } from './browser.mjs';
import { lookAt, REFUSED } from './looks.mjs';
import { until } from './service.mjs';

const MIB = 2 ** 20;
let browser;
let mock;
let one;
before(async () => {
  browser = await launch();
  mock = await startMock();
  one = fresh(mock);
});
after(async () => {
  await browser?.close();
  await mock?.stop();
});

/** A running job with files in every state. */
function fresh(service) {
  const file = (path, size, status, more = {}) => ({ path, totalBytes: size * MIB, downloaded: status === 'complete' || status === 'skipped' ? size * MIB : 0, status, verification: '', error: '', errorCode: null, ...more });
  const made = job('Qwen/Qwen3-235B-A22B-Instruct-2507', {
    status: 'running', share: 0.3, speed: 20 * MIB,
    files: [
      file('config.json', 1, 'complete', { verification: 'git-sha1' }),
      file('model-00001-of-00003.safetensors', 3900, 'downloading', { downloaded: 1200 * MIB }),
      file('model-00002-of-00003.safetensors', 3900, 'pending', { priority: 'high' }),
      file('model-00003-of-00003.safetensors', 3900, 'verifying', { downloaded: 3900 * MIB }),
      file('onnx/a/folder/with/quite/a/long/path/model-with-a-long-name_quantized.onnx', 900, 'skipped', { downloaded: 0, priority: 'skip' }),
      file('tf_model.h5', 7000, 'error', { error: 'It should have the hash 5f1a… but twice came with 77c0…', errorCode: 'hash_mismatch' }),
      file('tokenizer.json', 7, 'skipped', { verification: 'sha256' }),
    ],
  });
  service.jobs.set(made.id, made);
  return made;
}

const table = async (page, path) => {
  await page.goto(`${mock.url}/${path}`);
  await page.waitForSelector(id('job-file-table'));
};
lookAt({
  'files-choice': (page) => table(page, `jobs/${one.id}/files`),
  'files-tree': async (page) => {
    await table(page, `jobs/${one.id}/files`);
    await page.check(id('files-tree'));
    for (const name of ['onnx/', 'onnx/a/']) await line(page, name).locator(id('files-folder')).click();
  },
  'files-unfolded': async (page) => {
    await table(page, `jobs/${one.id}/files`);
    await page.click(id('files-done'));
  },
  'files-drawer': async (page) => {
    await page.goto(`${mock.url}/queue`);
    await page.waitForSelector(id('queue-row'));
    await table(page, page.viewportSize().width < 1100 ? `jobs/${one.id}/files` : `queue?job=${one.id}&tab=files`);
    // Not half behind the bar at the foot of the window.
    await page.locator(id('files-done')).evaluate((fold) => fold.scrollIntoView({ block: 'center' }));
  },
}, { browser: () => browser, origin: () => mock.url });

const line = (page, path) => page.locator(`tr[data-path="${path}"]`);
const state = (page, path) => line(page, path).locator(id('file-state'));
const shows = (page, path, text) => state(page, path).filter({ hasText: text }).waitFor();

test('a file is left out and brought back by its tick, by keyboard too, and the totals follow', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const made = fresh(own);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/jobs/${made.id}/files`);
  const [first, high] = ['model-00001-of-00003.safetensors', 'model-00002-of-00003.safetensors'];
  await shows(page, first, 'Downloading');
  await line(page, first).locator(id('file-want')).focus();
  await page.keyboard.press('Space');
  await shows(page, first, 'Left out');
  await page.locator(id('job-left-out')).filter({ hasText: '2 files are left out' }).waitFor();
  assert.equal(made.files.find((file) => file.path === first).priority, 'skip');
  await page.keyboard.press('Space');
  await shows(page, first, 'Pending');
  // What is in place is folded away, and cannot be left out any more.
  assert.equal(await line(page, 'config.json').count(), 0);
  assert.match(await page.locator(id('files-done')).innerText(), /2 done/);
  await page.click(id('files-done'));
  assert.ok(await line(page, 'config.json').locator(id('file-want')).isDisabled());
  assert.equal(await line(page, 'tokenizer.json').locator(id('file-state')).innerText(), 'Already there');
  // When to fetch it.
  assert.equal(await line(page, high).locator(id('file-priority')).inputValue(), 'high');
  await line(page, high).locator(id('file-priority')).selectOption('skip');
  await shows(page, high, 'Left out');
  assert.equal(await line(page, high).locator(id('file-want')).isChecked(), false);
  // All of the page, and all of the job.
  await page.click(id('file-want-all'));
  await page.locator(id('job-left-out')).waitFor({ state: 'detached' });
  assert.ok(made.files.every((file) => file.priority !== 'skip'));
  await page.click(id('file-want-all'));
  await page.locator(id('job-left-out')).filter({ hasText: '5 files are left out' }).waitFor();
  await page.locator(`${id('job-left-out')} button`).click();
  await page.locator(id('job-left-out')).waitFor({ state: 'detached' });
  await close(page);
});

test('each file tells its hash and where it came from, and how fast it comes while it does', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const made = fresh(own);
  const page = await open(browser, own.url, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(`${own.url}/jobs/${made.id}/files`);
  await page.click(id('files-done'));
  const cell = (path, name) => line(page, path).locator(`td${id(name)}`);
  assert.equal(await cell('config.json', 'file-source').innerText(), 'network');
  assert.equal(await cell('tokenizer.json', 'file-source').innerText(), 'reused');
  assert.equal(await cell('tf_model.h5', 'file-source').innerText(), '—');
  const [first] = ['model-00001-of-00003.safetensors'];
  const { blobId } = made.files.find((file) => file.path === first);
  const hash = line(page, first).locator(`td.hash ${id('file-hash')}`);
  assert.equal(await hash.innerText(), blobId.slice(0, 8));
  assert.match(await hash.getAttribute('title'), new RegExp(`^SHA-256 ${blobId}$`));
  await line(page, first).locator('td.hash button').click();
  await page.waitForSelector('[data-level="success"]');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), blobId);
  // 30 MiB each second; the page says so once it has seen them for a while, and nothing of a file that waits.
  const file = made.files.find((one) => one.path === first);
  const before = { at: Date.now(), bytes: file.downloaded };
  const flow = setInterval(() => { file.downloaded = before.bytes + Math.round(((Date.now() - before.at) / 1000) * 30 * MIB); }, 50);
  context.after(() => clearInterval(flow));
  await page.locator(`tr[data-path="${first}"] ${id('file-speed')}`, { hasText: /^(2[7-9]|3[0-3])\.\d MiB\/s$/ }).waitFor();
  assert.equal(await line(page, 'model-00002-of-00003.safetensors').locator(id('file-speed')).innerText(), '');
  await close(page);
});

test('files are shown by their type and as folders, and a tick on a folder takes all below it', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const made = fresh(own);
  const page = await open(browser, own.url);
  await page.goto(`${own.url}/jobs/${made.id}/files`);
  await shows(page, 'tf_model.h5', 'Error');
  await page.selectOption(id('files-type'), '.safetensors');
  await line(page, 'tf_model.h5').waitFor({ state: 'detached' });
  assert.equal(await page.locator('tr[data-path]').count(), 3);
  assert.match(await page.locator(id('files-sum')).innerText(), /^3 files, 11\.4 GiB$/);
  // The tick at the top stands for what is shown.
  await page.click(id('file-want-all'));
  await shows(page, 'model-00002-of-00003.safetensors', 'Left out');
  await until('the shards are left out', () => made.files.filter((file) => file.path.endsWith('.safetensors')).every((file) => file.priority === 'skip'));
  assert.equal(made.files.find((file) => file.path === 'tf_model.h5').priority, 'normal');
  await page.selectOption(id('files-type'), '*');
  await page.check(id('files-tree'));
  const folder = line(page, 'onnx/');
  assert.match(await folder.locator(id('file-state')).innerText(), /0 of 1 done/);
  await folder.locator(id('file-want')).click();
  await until('the folder is wanted', () => made.files.find((file) => file.path.startsWith('onnx/')).priority === 'normal');
  const arrow = folder.locator(id('files-folder'));
  await arrow.focus();
  await page.keyboard.press('Enter');
  assert.equal(await arrow.getAttribute('aria-expanded'), 'true');
  await line(page, 'onnx/a/').waitFor();
  await page.uncheck(id('files-tree'));
  await line(page, 'onnx/').waitFor({ state: 'detached' });
  await close(page);
});

test('a tick that the service refuses is taken back with its reason', async (context) => {
  const own = await startMock();
  context.after(own.stop);
  const made = fresh(own);
  const page = await open(browser, own.url, { tolerate: [...REFUSED, /409/] });
  await page.goto(`${own.url}/jobs/${made.id}/files`);
  const path = 'model-00001-of-00003.safetensors';
  await shows(page, path, 'Downloading');
  // It ends, and the page has not heard of that.
  made.status = 'completed';
  await line(page, path).locator(id('file-want')).click();
  await page.locator('[role="alert"], [data-testid="toast"]').filter({ hasText: 'The choice was not taken' }).first().waitFor();
  await shows(page, path, 'Downloading');
  assert.ok(await line(page, path).locator(id('file-want')).isChecked());
  await close(page);
});

const widthOf = (page, column) => page.locator(`th[data-column="${column}"]`).evaluate((head) => Math.round(head.getBoundingClientRect().width));

test('columns are as wide as they are drawn, stay so, and become what they were', async () => {
  const page = await open(browser, mock.url);
  await page.goto(`${mock.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  const before = Object.fromEntries(await Promise.all(['state', 'progress', 'speed', 'eta', 'files'].map(async (one) => [one, await widthOf(page, one)])));
  const edge = page.locator(id('column-edge-progress'));
  const box = await edge.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 - 60, box.y + 4, { steps: 6 });
  await page.mouse.up();
  assert.equal(await widthOf(page, 'progress'), before.progress + 60);
  assert.equal(await widthOf(page, 'state'), before.state, 'the others stay as they are');
  // The edge is where the pointer lets it go.
  const again = await edge.boundingBox();
  await page.mouse.move(again.x + again.width / 2, again.y + again.height / 2);
  await page.mouse.down();
  await page.mouse.move(again.x + again.width / 2 - 20, again.y + 4, { steps: 4 });
  await page.mouse.up();
  const moved = again.x - (await edge.boundingBox()).x;
  assert.ok(Math.abs(moved - 20) <= 1, `moved by ${moved}`);
  // By keys, and no further than the least.
  await edge.focus();
  assert.equal(await edge.getAttribute('aria-valuenow'), `${before.progress + 80}`);
  await page.keyboard.press('ArrowRight');
  assert.equal(await widthOf(page, 'progress'), before.progress + 72);
  await page.keyboard.press('Home');
  assert.equal(await widthOf(page, 'progress'), Number(await edge.getAttribute('aria-valuemin')));
  await page.keyboard.press('End');
  const name = await widthOf(page, 'name');
  assert.ok(name >= 179 && name <= 182, `the name keeps its room: ${name}`);
  const chosen = await widthOf(page, 'progress');
  await page.reload();
  await page.waitForSelector(id('queue-row'));
  assert.equal(await widthOf(page, 'progress'), chosen);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  await page.click(id('queue-menu'));
  await page.click(id('queue-menu-columns'));
  await page.click(id('columns-widths'));
  await page.keyboard.press('Escape');
  assert.equal(await widthOf(page, 'progress'), before.progress);
  await close(page);
});

test('from right to left the edges follow the pointer and the arrow keys as well', async () => {
  const page = await open(browser, mock.url);
  await page.goto(`${mock.url}/queue`);
  await page.waitForSelector(id('queue-row'));
  await page.evaluate(() => { document.documentElement.dir = 'rtl'; });
  const before = await widthOf(page, 'progress');
  const edge = page.locator(id('column-edge-progress'));
  const box = await edge.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 40, box.y + 4, { steps: 4 });
  await page.mouse.up();
  assert.equal(await widthOf(page, 'progress'), before + 40);
  await edge.focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await widthOf(page, 'progress'), before + 48);
  // A drag that is broken off changes nothing.
  const now = await edge.boundingBox();
  await page.mouse.move(now.x + now.width / 2, now.y + now.height / 2);
  await page.mouse.down();
  await page.mouse.move(now.x + 90, now.y + 4, { steps: 4 });
  await page.keyboard.press('Escape');
  await page.mouse.up();
  assert.equal(await widthOf(page, 'progress'), before + 48);
  await close(page);
});
