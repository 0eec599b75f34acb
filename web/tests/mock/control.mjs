// Limits, speeds, segments and commands on many jobs, as the mock keeps them.

const GIB = 2 ** 30;
const MIB = 2 ** 20;
/** Slow while people work. */
const OFFICE = 'nnnnnnnnsssssssssssnnnnn';
const FROM = { hold: ['queued'], start: ['queued'] };

/** `jobs` = the mock's map, `command` = its way to act on one, `touch` tells the clients. */
export function startControl({ jobs, command, touch, failure, from }) {
  const limits = {
    normal: { maxSpeed: '50MiB', maxConnections: 16 }, slow: { maxSpeed: '5MiB', maxConnections: 4 }, mode: 'normal', active: 'normal', activeReason: 'mode', until: null,
    schedule: { timeZone: 'Europe/Berlin', grid: [...Array(5).fill(OFFICE), 'n'.repeat(24), `${'p'.repeat(6)}${'n'.repeat(18)}`] }, pausedUntil: null,
  };
  const order = () => [...jobs.values()].filter((job) => job.status === 'queued').sort((a, b) => (a.position ?? 1e9) - (b.position ?? 1e9));
  const number = () => order().forEach((job, index) => { job.position = index + 1; });
  number();

  function setLimits(patch) {
    if (patch.normal?.maxSpeed === '1B') return [400, failure('Invalid limit', 'maxSpeed must be at least 64KiB', 'bad_request', 'Nothing was changed.')];
    if (/[^0-9.a-zA-Z ]/.test(patch.normal?.maxSpeed ?? '')) return [400, failure('Invalid limits', 'normal.maxSpeed must be a size such as 50MiB', 'bad_request', '')];
    Object.assign(limits.normal, patch.normal);
    Object.assign(limits.slow, patch.slow);
    if (patch.schedule !== undefined) limits.schedule = patch.schedule;
    if (patch.mode !== undefined) limits.mode = patch.mode;
    if (patch.pausedUntil !== undefined) limits.pausedUntil = patch.pausedUntil;
    const paused = limits.pausedUntil !== null;
    limits.active = paused ? 'paused' : limits.mode === 'slow' ? 'slow' : 'normal';
    limits.activeReason = paused ? 'paused_until' : 'mode';
    limits.until = paused && limits.pausedUntil !== 'forever' ? limits.pausedUntil : null;
    return [200, limits];
  }

  function one(action, job, patch) {
    if (action === 'set') {
      Object.assign(job, Object.fromEntries(Object.entries(patch).filter(([name]) => ['priority', 'category', 'tags', 'maxSpeed', 'connections', 'notBefore'].includes(name))));
      touch(job);
      return { id: job.id, ok: true, status: job.status };
    }
    if (!(FROM[action] ?? from[action] ?? []).includes(job.status)) return { id: job.id, ok: false, error: `The job is ${job.status}`, reason: 'bad_request' };
    if (action === 'hold') {
      job.status = 'paused';
      job.pauseReason = 'user';
      touch(job);
    } else if (action === 'start') {
      Object.assign(job, { waitReason: null, notBefore: null, position: 0 });
      touch(job);
    } else {
      command(job, action);
    }
    number();
    return { id: job.id, ok: true, status: job.status };
  }

  function move({ ids, to, before }) {
    const line = order();
    const chosen = line.filter((job) => ids.includes(job.id));
    const rest = line.filter((job) => !ids.includes(job.id));
    const at = line.indexOf(chosen[0]);
    const index = before !== undefined ? rest.findIndex((job) => job.id === before) : { top: 0, up: Math.max(0, at - 1), down: Math.min(rest.length, at + 1), bottom: rest.length }[to];
    if (chosen.length === 0 || index < 0) return [404, failure('Job not found or not queued')];
    [...rest.slice(0, index), ...chosen, ...rest.slice(index)].forEach((job, place) => { job.position = place + 1; });
    chosen.forEach(touch);
    return [200, { success: true, moved: chosen.length }];
  }

  /** A line that dips and recovers, the same at each call. */
  function speed(range, marks) {
    const length = { '10m': 600_000, '1h': 3_600_000, all: 720_000, '24h': 86_400_000 }[range] ?? 600_000;
    const stepMs = length / 120;
    const end = Math.floor(Date.now() / stepMs) * stepMs;
    const points = Array.from({ length: 120 }, (_, index) => ({ at: new Date(end - (119 - index) * stepMs).toISOString(), bytesPerSecond: index < 20 ? 0 : Math.round((30 + 12 * Math.sin(index / 7) + (index % 5)) * MIB * (index > 60 && index < 66 ? 0.02 : 1)) }));
    return { stepMs, points, now: points.at(-1).bytesPerSecond, mean: 27 * MIB, ...(marks ? { marks: [{ at: points[62].at, kind: 'retry' }, { at: points[95].at, kind: 'restart' }] } : {}) };
  }

  function segments(job) {
    const files = job.files.filter((file) => file.totalBytes > 100 * MIB).map((file) => {
      const size = 256 * MIB;
      const count = Math.ceil(file.totalBytes / size);
      const done = Math.floor((file.downloaded / file.totalBytes) * count);
      return {
        path: file.path, totalBytes: file.totalBytes, written: file.downloaded, synced: Math.max(0, file.downloaded - 40 * MIB), hashed: Math.max(0, file.downloaded - 2 * size),
        segments: Array.from({ length: Math.min(count, done + 4) }, (_, index) => {
          const length = Math.min(size, file.totalBytes - index * size);
          const written = index < done ? length : Math.floor(length * (0.8 - 0.2 * (index - done)));
          return { start: index * size, length, written, synced: Math.max(0, written - 10 * MIB), open: index >= done && job.status === 'running' };
        }),
      };
    });
    return { files };
  }

  /** `[status, body]`, or `undefined` when the route is another's. */
  return (method, url, body) => {
    const [, , name, id, part] = url.pathname.split('/');
    if (name === 'limits') return method === 'PUT' ? setLimits(body) : [200, limits];
    if (name === 'speed') return [200, speed(url.searchParams.get('range'), false)];
    if (name !== 'jobs') return undefined;
    if (id === 'bulk') {
      const { action, ids, ...patch } = body;
      const results = ids.map((one_) => (jobs.has(one_) ? one(action, jobs.get(one_), patch) : { id: one_, ok: false, error: 'Job not found' }));
      return [200, { results, done: results.filter((result) => result.ok).length, refused: results.filter((result) => !result.ok).length }];
    }
    if (id === 'order') return move(body);
    const job = jobs.get(id);
    if (job === undefined) return undefined;
    if (method === 'PATCH' && part === undefined) {
      one('set', job, body);
      return [200, job];
    }
    if (part === 'speed') return [200, speed(url.searchParams.get('range'), true)];
    if (part === 'segments') return [200, segments(job)];
    return undefined;
  };
}
