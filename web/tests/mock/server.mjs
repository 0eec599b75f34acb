// A stand-in for the service: the routes that the pages use, in memory. For `npm run dev`, and for
// states that are hard to bring about with the real one. It serves web/dist with the same policy.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { startControl } from './control.mjs';
import { answerHub } from './hub.mjs';
import { examples, job, many } from './jobs.mjs';
import { moreMock } from './more.mjs';
import { settings, saveSettings } from './settings.mjs';

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const MIME = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };
const DIST = new URL('../../dist/', import.meta.url);
const VERSION = '0.0.0-mock';
const FROM = { pause: ['running'], resume: ['paused'], retry: ['failed', 'cancelled'], dismiss: ['completed', 'failed', 'cancelled', 'paused'], cancel: ['queued', 'running', 'paused'] };
const TO = { pause: 'paused', resume: 'queued', retry: 'queued', cancel: 'cancelled' };

function failure(error, details, reason, hint) {
  return { ok: false, error, details, error_detail: { code: 'bad_request', message: error, details, reason, hint, request_id: 'mock-1' } };
}

/** Starts it. `bulk` = number of jobs in place of the examples; `missing` = beginnings of routes that this service does not have. */
export async function startMock({ port = 0, bulk = 0, missing = [] } = {}) {
  const jobs = new Map((bulk > 0 ? many(bulk) : examples()).map((job) => [job.id, job]));
  const sockets = new WebSocketServer({ noServer: true });
  const streams = new Set();
  let sequence = 0;
  let version = VERSION;
  const event = ({ type, data }) => `id: ${++sequence}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
  const send = (message) => {
    for (const stream of streams) stream.write(event(message));
    sockets.clients.forEach((socket) => socket.send(JSON.stringify(message)));
  };
  const touch = (job) => send({ type: 'job_update', data: Object.assign(job, { updatedAt: new Date().toISOString() }) });
  const status = () => {
    const all = [...jobs.values()];
    const count = (name) => all.filter((job) => job.status === name).length;
    return { active: count('running'), queued: count('queued'), paused: count('paused'), bytesPerSecond: all.reduce((sum, job) => sum + job.progress.bytesPerSecond, 0), diskFree: 412 * 2 ** 30 };
  };

  function plan(body) {
    if (Array.isArray(body.repos)) {
      const plans = body.repos.map((asked) => {
        const [status, answered] = plan(asked);
        return status === 200 ? { ok: true, repo: asked.repo, plan: answered } : { ok: false, repo: asked.repo, error: answered.details ?? answered.error, reason: answered.error_detail.reason, hint: answered.error_detail.hint };
      });
      return [200, { plans, totals: {} }];
    }
    if ((body.filters ?? []).includes('nothing')) return [200, { repo: body.repo, revision: 'main', isDataset: false, commit: null, outputDir: '', totalFiles: 0, files: [], totalSize: 0, skippedFiles: [], skippedTotal: 0, alreadyPresentBytes: 0, fetchBytes: 0, freeBytes: null, reservedBytes: 0, fits: true, warning: 'No file matches "nothing"' }];
    if (body.repo.endsWith('/missing')) return [404, failure('Failed to scan repository', `${body.repo} does not exist`, 'repo_not_found', 'Check the spelling of owner/name.')];
    const files = [{ path: 'README.md', size: 8123 }, { path: 'config.json', size: 731 }, { path: 'model-Q4_K_M.gguf', size: 18.4 * 2 ** 30 }]
      .map((file) => ({ ...file, lfs: file.size > 2 ** 20, present: false, partBytes: 0 }));
    const totalSize = files.reduce((sum, file) => sum + file.size, 0);
    return [200, { repo: body.repo, revision: body.revision ?? 'main', isDataset: body.dataset ?? false, commit: 'c'.repeat(40), outputDir: '/srv/huggingface/hub', totalFiles: 3, files, totalSize, skippedFiles: [{ path: 'model-Q8_0.gguf', size: 32 * 2 ** 30, reason: 'filtered' }], skippedTotal: 11, requests: 12, requestsRemaining: 812, freeAfterBytes: 298 * 2 ** 30, alreadyPresentBytes: 2 ** 30, fetchBytes: totalSize - 2 ** 30, freeBytes: 412 * 2 ** 30, reservedBytes: 96 * 2 ** 30, fits: true, warning: '' }];
  }

  function command(job, name, body) {
    if (!FROM[name]?.includes(job.status)) return [404, failure(`Job not found or not possible`, `The job is ${job.status}`)];
    if (name === 'dismiss') {
      jobs.delete(job.id);
      send({ type: 'event', data: { event: 'job_removed', jobId: job.id } });
    } else {
      job.status = TO[name];
      job.phase = null;
      if (name === 'retry' && body.connections !== undefined) job.connections = body.connections;
      job.progress.bytesPerSecond = 0;
      if (job.status === 'cancelled') job.endedAt = new Date().toISOString();
      touch(job);
    }
    return [200, { success: true, message: name }];
  }

  function chooseFiles(job, { files: wishes }) {
    if (['completed', 'cancelled'].includes(job.status)) return [409, failure('The files of a job that is over cannot be chosen', `The job is ${job.status}`)];
    const fits = (wish, file) => wish.glob === '*' || wish.path === file.path;
    const stranger = wishes.find((wish) => !job.files.some((file) => fits(wish, file)));
    if (stranger !== undefined) return [400, failure('Invalid files', `The job has no file "${stranger.path}"`)];
    const named = job.files.filter((file) => wishes.some((wish) => fits(wish, file)));
    for (const file of named) {
      const { priority } = wishes.findLast((wish) => fits(wish, file));
      if (file.status === 'complete' || (file.status === 'skipped' && file.priority !== 'skip')) continue;
      Object.assign(file, { priority, status: priority === 'skip' ? 'skipped' : file.status === 'skipped' ? 'pending' : file.status });
    }
    const wanted = job.files.filter((file) => file.priority !== 'skip');
    job.skippedFiles = job.files.length - wanted.length;
    job.progress.totalFiles = wanted.length;
    job.progress.totalBytes = wanted.reduce((sum, file) => sum + file.totalBytes, 0);
    job.progress.downloadedBytes = wanted.reduce((sum, file) => sum + file.downloaded, 0);
    touch(job);
    return [200, { files: named, matched: named.length }];
  }

  const more = moreMock();
  const control = startControl({ jobs, command, touch, failure, from: FROM });

  function answer(method, url, body) {
    const known = missing.some((route) => url.pathname.startsWith(route)) ? [404, failure('Not found')] : (answerHub(url, failure) ?? control(method, url, body));
    if (known !== undefined) return known;
    // A list of all kinds is the queue's; one of a single kind belongs to the page that began the work.
    const own = url.searchParams.get('kind') === 'all' ? undefined : more.answer(method, url, body, failure);
    if (own !== undefined) return own;
    const [, , name, id, part] = url.pathname.split('/');
    const asked = jobs.get(id);
    if (name === 'health') return [200, { status: 'ok', version, time: new Date().toISOString(), uptimeSeconds: 93_784 }];
    if (name === 'diskfree') return [200, { path: '/srv/huggingface/hub', free: 412 * 2 ** 30, total: 3.6 * 2 ** 40, cacheDir: '/srv/huggingface', effectiveHubDir: '/srv/huggingface/hub', hubDirSource: 'default' }];
    if (name === 'settings') return method === 'GET' ? [200, settings()] : saveSettings(body, failure);
    if (name === 'plan') return plan(body);
    if (name === 'download') {
      const live = [...jobs.values()].find((one) => one.repo === body.repo && ['queued', 'running', 'paused'].includes(one.status));
      if (live !== undefined) return [200, { job: live, message: 'Download already in progress' }];
      const made = job(body.repo, { filters: body.filters, isDataset: body.dataset, status: body.startPaused ? 'paused' : 'queued' });
      Object.assign(made, { category: body.category ?? '', tags: body.tags ?? [], priority: body.priority ?? 0, maxSpeed: body.maxSpeed ?? '', connections: body.connections ?? null });
      jobs.set(made.id, made);
      touch(made);
      return [202, made];
    }
    if (name === 'history') {
      const entries = [...jobs.values()].filter((one) => one.endedAt !== null && (url.searchParams.get('status') ?? one.status) === one.status && one.repo.includes(url.searchParams.get('repo') ?? ''))
        .map((one, index) => ({ ...one, seq: 100 - index, chainHash: '5f1a77c0', totalFiles: one.progress.totalFiles, completedFiles: one.progress.completedFiles, totalBytes: one.progress.totalBytes, activeMs: 720_000, averageBytesPerSecond: Math.round(one.networkBytes / 720) }));
      return [200, { entries, total: entries.length, limit: 50, offset: 0 }];
    }
    if (name !== 'jobs') return [404, failure('Not found')];
    if (id === undefined) return [200, { jobs: [...jobs.values()], count: jobs.size }];
    if (asked === undefined) return [404, failure('Job not found')];
    if (method === 'DELETE') return command(asked, 'cancel', body);
    if (part === undefined) return [200, asked];
    if (part === 'files' && method === 'PATCH') return chooseFiles(asked, body);
    if (part === 'files') return [200, { files: asked.files, total: asked.files.length, limit: 100, offset: 0 }];
    if (part === 'events') {
      const events = [['created', null, 'queued'], ['started', 'queued', 'running'], ...(asked.status === 'running' ? [] : [[asked.status, 'running', asked.status]])]
        .map(([event, fromStatus, toStatus], index) => ({ seq: index + 1, event, fromStatus, toStatus, actor: '192.0.2.7', detail: event === 'failed' ? asked.error : '', at: asked.createdAt }));
      return [200, { events: events.filter((event) => event.seq > Number(url.searchParams.get('after') ?? 0)), count: 3 }];
    }
    return command(asked, part, body);
  }

  async function file(response, pathname) {
    const name = pathname.slice(1);
    const read = (path) => readFile(new URL(path, DIST)).catch(() => null);
    let content = name === '' ? null : await read(name);
    let ending = name.slice(name.lastIndexOf('.') + 1);
    if (content === null) {
      if (name.startsWith('assets/')) return response.writeHead(404).end();
      // As the service does: relative URLs as seen from this depth.
      const depth = Math.max(0, pathname.split('/').length - 2);
      content = String(await read('index.html')).replaceAll('="./', `="${depth === 0 ? './' : '../'.repeat(depth)}`);
      ending = 'html';
    }
    response.writeHead(200, { 'content-type': MIME[ending] ?? 'application/octet-stream', 'content-security-policy': POLICY }).end(content);
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://mock');
    if (url.pathname === '/readyz' || url.pathname === '/healthz') return response.end('ok\n');
    if (!url.pathname.startsWith('/api/')) return void file(response, url.pathname);
    if (url.pathname === '/api/events' && !missing.includes('/api/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(event({ type: 'init', data: { jobs: [...jobs.values()], jobsTotal: jobs.size, version } }));
      streams.add(response);
      return void request.on('close', () => streams.delete(response));
    }
    if (url.pathname === '/api/system/log/stream') return void more.system.follow(url, request, response);
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const [code, body, type] = answer(request.method, url, text === '' ? {} : JSON.parse(text));
      response.writeHead(code, { 'content-type': type ?? 'application/json' }).end(type === undefined ? JSON.stringify(body) : body);
    });
  });
  server.on('upgrade', (request, socket, head) => {
    if (missing.includes('/api/ws')) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.send(JSON.stringify({ type: 'init', data: { jobs: [...jobs.values()], jobsTotal: jobs.size, version } }));
      client.send(JSON.stringify({ type: 'status', data: status() }));
    });
  });

  const timer = setInterval(() => {
    for (const job of jobs.values()) {
      const { progress } = job;
      if (job.status !== 'running' || progress.bytesPerSecond === 0) continue;
      progress.downloadedBytes = Math.min(progress.totalBytes * 0.98, progress.downloadedBytes + progress.bytesPerSecond / 4);
      progress.etaSeconds = Math.round((progress.totalBytes - progress.downloadedBytes) / progress.bytesPerSecond);
      job.lastByteAt = new Date().toISOString();
      touch(job);
    }
  }, 250);
  const slow = setInterval(() => send({ type: 'status', data: status() }), 5000);

  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    jobs,
    more,
    send,
    /** Another version runs from now on, as after an update, and says so to all who listen. */
    update: (to) => {
      version = to;
      send({ type: 'init', data: { jobs: [...jobs.values()], jobsTotal: jobs.size, version } });
    },
    /** Cuts all live connections, as a proxy that restarts would. */
    cut: () => {
      sockets.clients.forEach((socket) => socket.terminate());
      for (const stream of streams) stream.destroy();
      more.system.cut();
    },
    stop: async () => {
      clearInterval(timer);
      clearInterval(slow);
      sockets.clients.forEach((socket) => socket.terminate());
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
