// The service about itself, in memory: its log and those who follow it, its tasks, the copies of its database.
const MIB = 2 ** 20;
const HOUR = 3_600_000;
const LEVELS = ['error', 'warn', 'info', 'debug', 'trace'];

export function systemMock() {
  const began = Date.now() - 26 * HOUR;
  const ago = (ms) => new Date(Date.now() - ms).toISOString();
  const lines = [];
  const tails = new Set();
  /** A line of the log; those who follow it get it at once. */
  function say(level, message, fields = {}, target = 'hfdepot::engine::run', at = Date.now()) {
    const line = { seq: began * 1000 + lines.length, at: new Date(at).toISOString(), level, target, message, fields };
    lines.push(line);
    for (const tail of tails) if (tail.fits(line)) tail.response.write(event(line));
  }
  const event = (line) => `id: ${line.seq}\nevent: line\ndata: ${JSON.stringify(line)}\n\n`;
  const wantedBy = (url) => (line) => LEVELS.indexOf(line.level) <= LEVELS.indexOf(url.searchParams.get('level') ?? 'trace')
    && JSON.stringify([line.message, line.target, line.fields]).toLowerCase().includes((url.searchParams.get('q') ?? '').toLowerCase());

  const past = [
    ['info', 'serving on http://127.0.0.1:8080/', { version: '0.0.0-mock', database: '/var/lib/hfdepot/hfdepot.db', login: 'false', web_ui: 'true' }, 'hfdepot::service'],
    ['warn', 'other users of this machine may read this; it may hold a token', { path: '/var/lib/hfdepot' }, 'hfdepot::service'],
    ['info', 'job started', { 'job.id': '3fa1b2c4d5e6', repo: 'Qwen/Qwen3-32B-GGUF', revision: 'main', attempt: '0' }],
    ['debug', 'request', { method: 'GET', path: '"/api/jobs"', status: '200', duration_ms: '2', peer: '192.0.2.7' }, 'hfdepot::http::access'],
    ['info', 'trying again', { 'job.seq': '41', error: 'cdn.example answered 503 Service Unavailable for https://cdn.example/repos/5f/1a/77c0aabbccddeeff00112233445566778899aabbccddeeff0011223344556677?…', pause_ms: '1600' }, 'hfdepot::engine::attempt'],
    ['error', 'the database could not be copied', { error: 'The volume of the database is full (database or disk is full)' }, 'hfdepot::upkeep'],
    ['info', 'copied the database', { copy: 'hfdepot-1795858800000-daily.db', size_bytes: '12582912' }, 'hfdepot::upkeep'],
  ];
  past.forEach(([level, message, fields, target], index) => say(level, message, fields, target, Date.now() - (past.length - index) * 7_123));

  const minute = 60_000;
  const task = (name, everyMs, last, more = {}) => ({ name, everyMs, alsoOnChange: false, runningSince: null, nextAt: new Date(Date.now() + everyMs * 0.7).toISOString(), last, runs: last === null ? 0 : 26, failures: 0, ...more });
  const done = (ms, durationMs, detail = '', outcome = 'ok') => ({ startedAt: ago(ms), durationMs, outcome, detail });
  const tasks = [
    task('backup', 24 * HOUR, done(9 * HOUR, 412, 'hfdepot-1795858800000-daily.db'), { failures: 1 }),
    task('clean_up', HOUR, done(20 * minute, 6, '0 jobs left the list, 0 rows of history dropped')),
    task('ballast', HOUR, done(20 * minute, 0, 'No space left on device (os error 28)', 'failed'), { failures: 3 }),
    task('library', 15 * minute, done(4 * minute, 183, '12 repos, 1 looked into, 0 gone, 0 unreadable')),
    task('library_deep', 24 * HOUR, null),
    task('queue', 5000, done(1200, 1), { alsoOnChange: true }),
    task('work', 5000, done(2100, 1), { alsoOnChange: true }),
    task('measure', minute, done(20_000, 0, '61.4 MiB')),
    task('limits', 500, done(300, 0, 'slow limits hold')),
  ];

  const copy = (at, label, size, schemaVersion = 9) => ({ name: `hfdepot-${at}-${label}.db`, label, madeAt: new Date(at).toISOString(), size, schemaVersion, usable: schemaVersion !== null && schemaVersion <= 9 });
  const backups = [
    copy(Date.now() - 9 * HOUR, 'daily', 12 * MIB), copy(Date.now() - 30 * HOUR, 'manual', 11.8 * MIB), copy(Date.now() - 33 * HOUR, 'daily', 11.7 * MIB),
    copy(Date.now() - 57 * HOUR, 'daily', 4096, null), copy(Date.now() - 60 * HOUR, 'schema-8', 11 * MIB, 8), copy(Date.now() - 61 * HOUR, 'daily', 10 * MIB, 12),
  ];
  const about = {
    version: '0.0.0-mock', build: { profile: 'release', target: 'x86_64-linux', label: '', web: true }, licence: 'Apache-2.0', startedAt: new Date(began).toISOString(), schemaVersion: 9, pid: 4711,
    paths: { database: '/var/lib/hfdepot/hfdepot.db', backups: '/var/lib/hfdepot/backups', cache: '/srv/huggingface', hub: '/srv/huggingface/hub' },
  };

  function answer(method, url, failure) {
    const path = url.pathname.replace(/^\/api\/system\//, '');
    if (path === 'about') return [200, about];
    if (path === 'trends') {
      const memory = Array.from({ length: 288 }, (_, index) => ({ at: ago((287 - index) * 5 * minute), bytes: Math.round((48 + 14 * Math.abs(Math.sin(index / 23)) + (index % 4)) * MIB) }));
      return [200, { startedAt: new Date(began).toISOString(), stepMs: 5 * minute, memory, errorsSince: ago(24 * HOUR), errors: [{ code: 'server_error', failures: 1, retries: 41 }, { code: 'stalled', failures: 0, retries: 12 }, { code: 'gated', failures: 2, retries: 0 }] }];
    }
    if (path === 'log') {
      const fits = wantedBy(url);
      const after = Number(url.searchParams.get('after') ?? -1);
      const found = lines.filter((line) => line.seq > after && fits(line));
      if (url.searchParams.get('format') === 'text') return [200, found.map((line) => `${line.at} ${line.level} ${line.message}\n`).join(''), 'text/plain; charset=utf-8'];
      return [200, { entries: found.slice(-500), cursor: lines.at(-1)?.seq ?? 0, missed: 0 }];
    }
    if (path === 'tasks') return [200, { tasks }];
    const run = /^tasks\/(\w+)\/run$/.exec(path);
    if (run !== null && method === 'POST') {
      const found = tasks.find((one) => one.name === run[1]);
      if (found === undefined) return [404, failure('Task not found')];
      found.runningSince = new Date().toISOString();
      setTimeout(() => Object.assign(found, { runningSince: null, runs: found.runs + 1, last: done(0, 1240, 'done by hand') }), 1500);
      return [202, found];
    }
    if (path === 'backups' && method === 'POST') {
      const made = copy(Date.now(), 'manual', 12.1 * MIB);
      backups.unshift(made);
      return [201, made];
    }
    if (path === 'backups') return [200, { backups, directory: about.paths.backups, schemaVersion: 9, kept: 7 }];
    if (path.startsWith('backups/')) return [200, 'SQLite format 3\0', 'application/vnd.sqlite3'];
    return undefined;
  }

  /** Takes a follower of the log. */
  function follow(url, request, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': here\n\n');
    const tail = { response, fits: wantedBy(url) };
    for (const line of lines) if (line.seq > Number(url.searchParams.get('after') ?? Infinity) && tail.fits(line)) response.write(event(line));
    tails.add(tail);
    request.on('close', () => tails.delete(tail));
  }
  /** Cuts all followers off. */
  const cut = () => { for (const { response } of tails) response.destroy(); };
  return { answer, follow, cut, say, lines, tasks, backups };
}
