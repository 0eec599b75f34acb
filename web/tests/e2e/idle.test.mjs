// What an open page costs while nobody touches it: eight downloads run on the real service, and the
// queue, the widest table and its graphs, may take one twentieth of a core.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, id, launch, open } from './browser.mjs';
import { startService, until } from './service.mjs';

const JOBS = 8;
const MIB = 2 ** 20;
/** Share of one core that the process of the page may take: scripts, layout, painting without a graphics card. */
const LIMIT = 0.05;
/** Looked at so often for so long, and the least counts: other work on the machine can only add to it. */
const LOOKS = 3;
const WATCHED_MS = 8000;

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
    return { at: performance.now() / 1000, task: of('TaskDuration'), script: of('ScriptDuration'), layout: of('LayoutDuration') + of('RecalcStyleDuration'), processes: new Map(processInfo.filter(({ type }) => type === 'renderer').map(({ id: pid, cpuTime }) => [pid, cpuTime])) };
  };
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  const found = [];
  let begin = await look();
  for (let count = 0; count < LOOKS; count++) {
    await new Promise((done) => setTimeout(done, WATCHED_MS));
    const end = await look();
    const share = (from, to) => (to - from) / (end.at - begin.at);
    // The browser keeps others for pages to come; that of this page is the one that works.
    found.push(Math.max(...[...end.processes].map(([pid, time]) => share(begin.processes.get(pid) ?? 0, time))));
    context.diagnostic(`of a core: process of the page ${percent(found.at(-1))}; its main thread ${percent(share(begin.task, end.task))} (script ${percent(share(begin.script, end.script))}, layout ${percent(share(begin.layout, end.layout))})`);
    begin = end;
  }
  assert.equal(await running(), JOBS, 'they ran all the time');
  // Time of the processor: that of the tasks also counts how long others held it.
  assert.ok(Math.min(...found) > 0 && Math.min(...found) <= LIMIT, `the page took ${found.map(percent).join(', ')} of a core`);
  await close(page);
});
