// Targets of the mock: one that is there, one that is away, one whose folder is another disk's.
const GIB = 2 ** 30;
const ago = (hours) => new Date(Date.now() - hours * 3_600_000).toISOString();

export function mirrorMock(work) {
  const targets = [
    { name: 'nas', path: '/mnt/nas/hf', description: 'Share of the NAS', exists: true, mounted: true, markerOk: true, lastSeenAt: ago(0), free: 2.1 * 1024 * GIB, total: 7.2 * 1024 * GIB, lastRunAt: ago(17), lastRun: { jobId: 'f00000000901', status: 'completed', direction: 'push', target: 'nas' }, schedule: { at: '02:00', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], timeZone: 'Europe/Berlin', verify: 'size' }, paused: false, nextRunAt: ago(-7) },
    { name: 'usb-archive', path: '/mnt/usb', description: '', exists: false, mounted: false, markerOk: false, lastSeenAt: ago(11 * 24), free: null, total: null, lastRunAt: ago(12 * 24), lastRun: { jobId: 'f00000000901', status: 'completed', direction: 'push', target: 'nas' }, schedule: { at: '18:30', days: ['mon', 'fri'], timeZone: 'Europe/Berlin', verify: 'sha256' }, paused: false, nextRunAt: ago(30) },
    { name: 'old-disk', path: '/mnt/old', description: '', exists: true, mounted: true, markerOk: false, lastSeenAt: null, free: 10 * GIB, total: 100 * GIB, lastRunAt: null, lastRun: null, schedule: null, paused: false, nextRunAt: null },
  ];
  const diffs = [
    { repo: 'Qwen/Qwen3-32B-GGUF', type: 'model', status: 'missing', localSize: 51.6 * GIB },
    { repo: 'allenai/c4', type: 'dataset', status: 'missing', localSize: 305 * GIB },
    { repo: 'old/model-that-nobody-has-used-for-a-long-time', type: 'model', status: 'extra', remoteSize: 7 * GIB },
    { repo: 'broken/repo', type: 'model', status: 'unreadable', localSize: 0, remoteSize: 0, error: 'Permission denied: snapshots' },
    { repo: 'openai/whisper-large-v3', type: 'model', status: 'outdated', localSize: 3.1 * GIB, remoteSize: 2.9 * GIB },
  ];
  const runs = [
    { jobId: 'f00000000901', target: 'nas', direction: 'push', status: 'completed', report: { copied: 4, copiedSize: 88 * GIB, deleted: 0, deletedSize: 0 }, startedAt: ago(18), endedAt: ago(17) },
    { jobId: 'f00000000900', target: 'nas', direction: 'push', status: 'failed', copied: 1, copiedSize: 2 * GIB, deleted: 0, deletedSize: 0, error: 'The target is not mounted', startedAt: ago(42), endedAt: ago(41) },
  ];

  function answer(method, url, body, failure) {
    const [, , name, part, which] = url.pathname.split('/');
    if (name !== 'mirror') return undefined;
    if (part === 'runs') return [200, { runs }];
    if (part === 'targets' && method === 'GET') return [200, { targets, count: targets.length }];
    if (part === 'targets' && method === 'POST') {
      if (!body.path.startsWith('/')) return [400, failure('Invalid path', 'path must be absolute', 'bad_request', '')];
      // As the service does: the same name is the same target.
      const before = targets.findIndex((target) => target.name === body.name);
      const kept = targets[before]?.schedule ?? null;
      targets.splice(before < 0 ? targets.length : before, before < 0 ? 0 : 1, { ...body, exists: true, mounted: true, markerOk: true, free: 400 * GIB, total: 1000 * GIB, lastRunAt: null, lastRun: null, schedule: kept, paused: false, nextRunAt: null });
      return [200, { success: true, message: `Added target "${body.name}"`, target: body }];
    }
    if (part === 'targets' && method === 'PATCH') {
      const target = targets.find((one) => one.name === decodeURIComponent(which));
      if (target === undefined) return [404, failure('Target not found', which)];
      Object.assign(target, body);
      target.nextRunAt = target.schedule === null || target.paused ? null : ago(-9);
      return [200, target];
    }
    if (part === 'targets' && method === 'DELETE') {
      const at = targets.findIndex((target) => target.name === decodeURIComponent(which));
      if (at < 0) return [404, failure('Target not found', which)];
      targets.splice(at, 1);
      return [200, { success: true, message: `Removed target "${which}"` }];
    }
    if (!targets.some((target) => target.name === body.target)) return [404, failure('Target not found', body.target)];
    const asked = diffs.filter((diff) => diff.repo.includes(body.repoFilter ?? ''));
    if (part === 'diff') return [200, { diffs: asked, localPath: '/srv/huggingface/hub', targetPath: '/mnt/nas/hf', summary: { missing: 2, extra: 1, outdated: 1, inSync: 7, unreadable: 1, missingSizeHuman: '', extraSizeHuman: '' } }];
    const side = part === 'push' ? 'missing' : 'extra';
    const lost = part === 'push' ? 'extra' : 'missing';
    const copies = asked.filter((diff) => diff.status === side || diff.status === 'outdated');
    const gone = body.deleteExtra ? asked.filter((diff) => diff.status === lost) : [];
    const size = (list) => list.reduce((sum, diff) => sum + (diff.localSize ?? diff.remoteSize), 0);
    const report = { success: true, dryRun: body.dryRun === true, copied: copies.length, copiedSize: size(copies), deleted: gone.length, deletedSize: size(gone), repos: copies.map((diff) => diff.repo), errors: [], message: '' };
    if (body.dryRun === true) return [200, report];
    return [202, { jobId: work('mirror', '', report.copiedSize, report).id }];
  }
  return { answer, targets };
}
