// What the mock knows beside jobs: library, mirror, days of the history, limits, keys, health.
import { libraryMock } from './library.mjs';
import { mirrorMock } from './mirror.mjs';
import { systemMock } from './system.mjs';

const GIB = 2 ** 30;
const DAY = 86_400_000;

export function moreMock() {
  const library = libraryMock();
  const mirror = mirrorMock(library.work);
  const system = systemMock();
  const office = 'nnnnnnnnsssssssssssnnnnn';
  const limits = {
    normal: { maxSpeed: '50MiB', maxConnections: 16 }, slow: { maxSpeed: '5MiB', maxConnections: 4 }, mode: 'schedule', active: 'slow', activeReason: 'schedule', until: new Date(Date.now() + 3 * 3_600_000).toISOString(),
    schedule: { timeZone: 'Europe/Berlin', grid: [office, office, office, office, office, 'n'.repeat(24), `${'p'.repeat(6)}${'n'.repeat(18)}`] }, pausedUntil: null,
  };
  const keys = [
    { id: 1, name: 'cron', scope: 'enqueue', prefix: 'hfd_4kQz', createdAt: new Date(Date.now() - 40 * DAY).toISOString(), lastUsedAt: new Date(Date.now() - 3_600_000).toISOString(), lastUsedFrom: '192.0.2.20' },
    { id: 2, name: 'dashboard', scope: 'read', prefix: 'hfd_9aBc', createdAt: new Date(Date.now() - 2 * DAY).toISOString(), lastUsedAt: null, lastUsedFrom: null },
  ];
  const days = () => Array.from({ length: 30 }, (_, index) => index).filter((index) => index % 6 !== 4).map((index) => ({
    day: new Date(Date.now() - index * DAY).toISOString().slice(0, 10),
    networkBytes: Math.round(Math.abs(Math.sin(index * 1.7)) * 90 * GIB), reusedBytes: index % 3 === 0 ? 11 * GIB : 0,
    completed: (index * 7) % 5, failed: index % 7 === 2 ? 2 : 0, cancelled: index % 9 === 0 ? 1 : 0,
  }));
  const volumes = [
    { path: '/srv/huggingface', mount: '/srv', fsType: 'ext4', total: 3686 * GIB, free: 412 * GIB, used: 3274 * GIB, reserved: 96 * GIB, floor: 50 * GIB, roles: ['cache'], waitingJobs: 1, waitingBytes: 305 * GIB },
    { path: '/var/lib/hfdepot', mount: '/', fsType: 'btrfs', total: 120 * GIB, free: 84 * GIB, used: 36 * GIB, reserved: 0, floor: GIB, roles: ['data'], waitingJobs: 0, waitingBytes: 0 },
    { path: '/mnt/nas/hf', mount: '/mnt/nas', fsType: 'nfs4', total: 7373 * GIB, free: 2150 * GIB, used: 5223 * GIB, reserved: 0, floor: GIB, roles: ['target:nas'], waitingJobs: 0, waitingBytes: 0 },
  ];
  const checks = [
    { name: 'database', status: 'ok', message: 'writes, WAL', hint: '', since: null },
    { name: 'cache', status: 'ok', message: '/srv/huggingface/hub', hint: '', since: null },
    { name: 'free_space', status: 'warn', message: '4 % free on /srv', hint: 'Free space on the volume; waiting downloads go on by themselves.', since: new Date(Date.now() - 2 * DAY).toISOString() },
    { name: 'mirror_targets', status: 'fail', message: 'usb-archive is not mounted', hint: 'Plug the disk in and mount it at /mnt/usb, or remove the target.', since: new Date(Date.now() - 12 * DAY).toISOString() },
  ];

  function answer(method, url, body, failure) {
    const own = library.answer(method, url, body, failure) ?? mirror.answer(method, url, body, failure);
    if (own !== undefined) return own;
    const path = url.pathname.replace(/^\/api\//, '');
    if (path === 'openapi.json') return [200, { openapi: '3.1.0', paths: { '/api/disk': {}, '/api/speed': {}, '/api/system/checks': {}, '/api/system/trends': {} } }];
    if (path === 'history/stats') return [200, { days: days() }];
    if (path === 'history/verify') return [200, { ok: true, checked: 128, head: '5f1a77c0'.repeat(8), anchor: null }];
    if (/^history\/\d+\/files$/.test(path)) return [200, { files: [{ path: 'config.json', size: 731, sha256: null, blobId: 'a7'.repeat(20), verification: 'git-sha1', source: 'network' }, { path: 'model-Q4_K_M.gguf', size: 18.4 * GIB, sha256: '5f1a77c0'.repeat(8), verification: 'sha256', source: 'reused' }] }];
    if (path === 'limits') {
      if (method === 'PUT') {
        if (/[^0-9.a-zA-Z ]/.test(body.normal?.maxSpeed ?? '')) return [400, failure('Invalid limits', 'normal.maxSpeed must be a size such as 50MiB', 'bad_request', '')];
        Object.assign(limits, body);
      }
      return [200, limits];
    }
    if (path === 'keys' && method === 'GET') return [200, { keys }];
    if (path === 'keys') {
      const key = { id: keys.length + 1, name: body.name, scope: body.scope, prefix: 'hfd_New1', createdAt: new Date().toISOString(), lastUsedAt: null, lastUsedFrom: null };
      keys.push(key);
      return [201, { ...key, key: 'hfd_New1ThisIsTheWholeKeyOfTheMock42' }];
    }
    if (path.startsWith('keys/')) {
      keys.splice(keys.findIndex((key) => String(key.id) === path.slice(5)), 1);
      return [200, { success: true }];
    }
    if (path === 'settings/test') return [200, { ok: false, endpoint: { ok: true, message: 'answers', ms: 84 }, token: { ok: false, message: 'The Hub refused the token', name: '', scopes: [] }, proxy: { ok: true, message: 'not in use' } }];
    if (path === 'disk') return [200, { volumes }];
    if (path === 'ratelimit') return [200, { endpoint: 'https://huggingface.co', buckets: [{ bucket: 'api', quota: 1000, remaining: 812, resetSeconds: 180, waitingUntil: null }, { bucket: 'resolvers', quota: 5000, remaining: 310, resetSeconds: 44, waitingUntil: null }, { bucket: 'pages', quota: null, remaining: null, resetSeconds: null, waitingUntil: null }] }];
    if (path === 'system/checks') return [200, { checks }];
    return path.startsWith('system/') ? system.answer(method, url, failure) : undefined;
  }
  return { answer, library, mirror, system, volumes, checks };
}
