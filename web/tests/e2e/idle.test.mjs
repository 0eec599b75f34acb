// What an open page costs while nobody touches it: eight downloads run on the real service, and the
// queue, the widest table and its graphs, may take one twentieth of a core.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, id, launch, open } from './browser.mjs';
import { startService, until } from './service.mjs';

const JOBS = 8;
const MIB = 2 ** 20;
/** Share of one core that the processes of the page may take: scripts, layout, painting without a graphics card. */
const LIMIT = 0.05;
const WATCHED_MS = 20_000;

let browser;
let service;
before(async () => {
  browser = await launch();
  const repos = Array.from({ length: JOBS }, (_, index) => [`demo/run-${index}`, { 'config.json': `{"n":${index}}`, 'model.safetensors': Buffer.alloc(48 * MIB, index + 1) }]);
  service = await startService(Object.fromEntries(repos), '6MiB');
}, { timeout: 700_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
});

test(`an idle page with ${JOBS} running jobs takes at most ${LIMIT * 100} % of a core`, { timeout: 180_000 }, async (context) => {
  const send = (method, path, body) => service.api(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  await send('POST', 'settings', { maxActive: JOBS });
  for (let index = 0; index < JOBS; index++) await send('POST', 'download', { repo: `demo/run-${index}` });
  const page = await open(browser, service.url);
  await page.goto(`${service.url}/queue`);
  const running = async () => (await service.api('jobs')).jobs.filter(({ status, phase }) => status === 'running' && phase === 'downloading').length;
  await until('all run', async () => (await running()) === JOBS);
  await page.waitForSelector(`${id('queue-throughput')} canvas`);

  const own = await page.context().newCDPSession(page);
  await own.send('Performance.enable');
  const whole = await browser.newBrowserCDPSession();
  const look = async () => {
    const { metrics } = await own.send('Performance.getMetrics');
    const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
    const of = (name) => metrics.find((one) => one.name === name).value;
    return { at: performance.now() / 1000, task: of('TaskDuration'), script: of('ScriptDuration'), layout: of('LayoutDuration') + of('RecalcStyleDuration'), processes: processInfo.filter(({ type }) => type === 'renderer').reduce((sum, { cpuTime }) => sum + cpuTime, 0) };
  };
  const begin = await look();
  await new Promise((done) => setTimeout(done, WATCHED_MS));
  const end = await look();
  assert.equal(await running(), JOBS, 'they ran all the time');
  const share = (name) => (end[name] - begin[name]) / (end.at - begin.at);
  const percent = (name) => `${(share(name) * 100).toFixed(1)} %`;
  context.diagnostic(`of a core: page ${percent('task')} (script ${percent('script')}, layout ${percent('layout')}), its processes ${percent('processes')}`);
  // Time of the processor: that of the tasks also counts how long others held it.
  assert.ok(share('processes') <= LIMIT, `the page took ${percent('processes')} of a core`);
  await close(page);
});
