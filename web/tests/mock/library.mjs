// The cache of the mock: repos of each kind and state, and the work on them.
const GIB = 2 ** 30;
const MIB = 2 ** 20;
const COMMIT = '9c1e2f7a0b3d4c5e6f708192a3b4c5d6e7f80912';
const OLD = '1588ec454efa1a09f29cd18ddd04fe05fc8653a2';
const ago = (days) => new Date(Date.now() - days * 86_400_000).toISOString();

function repo(id, size, more = {}) {
  const [owner, name] = id.split('/');
  const type = more.type ?? 'model';
  return {
    repo: id, type, path: `/srv/huggingface/hub/${type}s--${owner}--${name}`, owner, name, source: 'HF cache', size, sizeHuman: '', fileCount: 12,
    branch: 'main', commit: COMMIT.slice(0, 7), downloaded: ago(3).slice(0, 10), downloadStatus: 'complete', snapshots: ['main'], quantizations: [],
    hasMMProj: false, mmprojFiles: [], friendlyPath: '', lastUsed: ago(1), verifiedAt: ago(3), verification: 'verified', revisionCount: 1, missingFiles: 0, problems: [], ...more,
  };
}

export function libraryMock() {
  const repos = [
    repo('Qwen/Qwen3-32B-GGUF', 51.6 * GIB, { quantizations: ['Q4_K_M', 'Q8_0'], downloadStatus: 'filtered', fileCount: 5, revisionCount: 2, friendlyPath: '/srv/huggingface/models/Qwen/Qwen3-32B-GGUF' }),
    repo('Qwen/Qwen3-235B-A22B', 438 * GIB, { fileCount: 130, lastUsed: ago(48) }),
    repo('Qwen/Qwen3-Embedding-0.6B', 1.1 * GIB),
    repo('meta-llama/Llama-3.3-70B-Instruct', 131 * GIB, { fileCount: 41, lastUsed: ago(90), verification: 'partial', verifiedAt: ago(60) }),
    repo('black-forest-labs/FLUX.1-dev', 53.9 * GIB, { lastUsed: ago(12) }),
    repo('allenai/c4', 305 * GIB, { type: 'dataset', fileCount: 1024, downloadStatus: 'filtered', lastUsed: ago(33) }),
    repo('HuggingFaceFW/fineweb-edu-with-a-name-that-is-longer-than-most', 96 * GIB, { type: 'dataset', fileCount: 240 }),
    repo('sentence-transformers/all-MiniLM-L6-v2', 91 * MIB, { verification: '', verifiedAt: null, lastUsed: null, downloadStatus: 'unknown', missingFiles: 2, problems: ['blobs: 2 links lead nowhere'] }),
    repo('openai/whisper-large-v3', 3.1 * GIB, { verification: 'bad', verifiedAt: ago(0.2) }),
    repo('mistralai/Mistral-Small-3.2-24B-Instruct-2506', 47.2 * GIB, { lastUsed: ago(4) }),
    repo('stabilityai/stable-diffusion-xl-base-1.0', 72 * GIB, { lastUsed: ago(40), sharedSize: 3.2 * GIB, diskShare: 70.4 * GIB }),
    repo('stabilityai/sdxl-vae-fix', 3.4 * GIB, { lastUsed: ago(4), sharedSize: 3.2 * GIB, diskShare: 1.8 * GIB }),
  ];
  const jobs = new Map();
  let next = 1;
  let verified = 0;
  const waste = [
    { kind: 'incomplete', repo: 'openai/whisper-large-v3', type: 'model', path: 'blobs/5f1a77c0.incomplete', bytes: 1.2 * GIB, reason: 'untouched for 41 days' },
    { kind: 'orphans', repo: 'Qwen/Qwen3-32B-GGUF', type: 'model', path: 'blobs/77c05f1a', bytes: 18.4 * GIB, reason: 'no revision names it' },
    { kind: 'old_revisions', repo: 'Qwen/Qwen3-32B-GGUF', type: 'model', path: `snapshots/${OLD}`, bytes: 33.2 * GIB, reason: 'no branch or tag names it' },
  ];

  const holder = (id, more = {}) => ({ repo: id, type: 'model', replaced: false, stays: '', ...more });
  const twins = [
    { blobId: '5f1a77c0'.repeat(8), bytes: 9.2 * GIB, copies: 3, freesBytes: 18.4 * GIB, repos: [holder('black-forest-labs/FLUX.1-dev'), holder('black-forest-labs/FLUX.1-schnell', { replaced: true }), holder('someone/a-finetune-of-FLUX.1-dev-with-a-name-that-is-longer-than-most', { replaced: true })] },
    { blobId: '0a44e2d1'.repeat(8), bytes: 1.6 * GIB, copies: 2, freesBytes: 1.6 * GIB, repos: [holder('openai/whisper-large-v3'), holder('openai/whisper-large-v3-turbo', { replaced: true })] },
    { blobId: '9f2c11aa'.repeat(8), bytes: 319 * MIB, copies: 2, freesBytes: 0, repos: [holder('stabilityai/stable-diffusion-xl-base-1.0'), holder('stabilityai/sdxl-turbo', { stays: 'It lies on another volume' })] },
  ];

  /** A job that is not a download, done after some looks at it. */
  function work(kind, repoId, total, result) {
    const id = `f0000000${String(next++).padStart(4, '0')}`;
    const job = {
      id, kind, repo: repoId, revision: 'main', isDataset: false, filters: [], excludes: [], exactMatch: false, outputDir: '/srv/huggingface/hub', status: 'running', phase: kind === 'verify' ? 'verifying' : 'downloading',
      waitReason: null, progress: { totalFiles: 40, completedFiles: 0, totalBytes: total, downloadedBytes: 0, bytesPerSecond: 880 * MIB, etaSeconds: 120, activity: 'Qwen/Qwen3-32B-GGUF Q4_K_M.gguf' },
      error: '', errorCode: null, hint: '', commit: null, verify: 'size', priority: 0, attempt: 1, retries: 0, networkBytes: 0, reusedBytes: 0, refetchedBytes: 0,
      lastByteAt: null, nextAttemptAt: null, notBefore: null, actor: '192.0.2.7', createdAt: new Date().toISOString(), startedAt: new Date().toISOString(), endedAt: null, updatedAt: new Date().toISOString(),
      files: [], filesTotal: 0, filesTruncated: false, filtersTruncated: false, result: null,
    };
    jobs.set(id, { job, looks: 0, result });
    return job;
  }
  function look(id) {
    const entry = jobs.get(id);
    if (entry === undefined) return undefined;
    entry.looks += 1;
    const { job } = entry;
    if (job.status === 'running' && entry.looks >= 3) {
      Object.assign(job, { status: 'completed', phase: null, endedAt: new Date().toISOString(), result: entry.result });
      Object.assign(job.progress, { completedFiles: 40, downloadedBytes: job.progress.totalBytes, bytesPerSecond: 0, activity: '' });
    } else if (job.status === 'running') {
      Object.assign(job.progress, { completedFiles: entry.looks * 12, downloadedBytes: job.progress.totalBytes * 0.3 * entry.looks });
    }
    return job;
  }

  const details = (one) => ({
    ...one,
    revisions: [
      { commit: COMMIT, refs: ['main'], size: one.size, uniqueSize: one.size * 0.36, fileCount: one.fileCount, lastModified: ago(3) },
      ...(one.revisionCount > 1 ? [{ commit: OLD, refs: [], size: one.size * 0.9, uniqueSize: one.size * 0.1, fileCount: one.fileCount - 1, lastModified: ago(80) }] : []),
    ],
    files: [
      { name: 'README.md', size: 8123, isLfs: false, blobId: 'e1'.repeat(20), commit: COMMIT, verification: 'git-sha1', sharedWith: [] },
      { name: 'config.json', size: 731, isLfs: false, blobId: 'a7'.repeat(20), commit: COMMIT, verification: 'git-sha1', sharedWith: ['model:Qwen/Qwen3-32B'] },
      { name: `${one.name}-Q4_K_M.gguf`, size: 18.4 * GIB, isLfs: true, blobId: '5f1a77c0'.repeat(8), commit: COMMIT, verification: 'sha256', sharedWith: [] },
      { name: `${one.name}-Q8_0.gguf`, size: 32.4 * GIB, isLfs: true, blobId: '77c05f1a'.repeat(8), commit: COMMIT, verification: '', sharedWith: [] },
    ],
  });

  /** The answer of a route of the cache, or `undefined` when it is none. */
  function answer(method, url, body, failure) {
    const [, , name, first, second] = url.pathname.split('/');
    const type = url.searchParams.get('type') ?? 'model';
    if (name === 'jobs') {
      if (first === undefined) {
        const kind = url.searchParams.get('kind') ?? 'download';
        if (kind === 'download') return undefined;
        const own = [...jobs.values()].map(({ job }) => job).filter((job) => job.kind === kind);
        return [200, { jobs: own, count: own.length }];
      }
      const job = second === undefined && method === 'GET' ? look(first) : jobs.get(first)?.job;
      if (job === undefined) return undefined;
      if (second === 'events') return [200, { events: [], count: 0 }];
      if (method !== 'GET') job.status = { pause: 'paused', resume: 'running', cancel: 'cancelled' }[second ?? 'cancel'] ?? job.status;
      return [200, job];
    }
    if (name === 'cache-selection') {
      const one = repos.find((entry) => entry.repo === (url.searchParams.get('repo') ?? body.repo));
      if (method === 'DELETE') {
        one.quantizations = one.quantizations.filter((quant) => quant !== body.groupId);
        return [200, { ok: true, repo: one.repo, groupId: body.groupId, removed: 1, remaining: 1, message: `Deleted ${body.groupId}` }];
      }
      const groups = (one?.quantizations ?? []).map((quant) => ({ id: quant, label: quant, quant, canDelete: true, members: [{ path: `${one.name}-${quant}.gguf`, size: quant === 'Q8_0' ? 32.4 * GIB : 18.4 * GIB, versions: [COMMIT], linkOnly: false }] }));
      return [200, { repo: one?.repo, type, locations: [{ id: 'hf-1', source: 'HF cache', path: one?.path, groups, canDelete: true }] }];
    }
    if (name !== 'cache') return undefined;
    if (first === undefined) return [200, { repos, count: repos.length, cacheDir: '/srv/huggingface/hub', stats: {}, scannedAt: new Date().toISOString() }];
    if (first === 'prune') {
      const items = waste.filter((item) => body.what.includes(item.kind));
      const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
      if (body.dryRun !== false) return [200, { dryRun: true, items, freesBytes: bytes, removed: 0, freedBytes: 0, errors: [] }];
      for (const item of items) waste.splice(waste.indexOf(item), 1);
      return [200, { dryRun: false, items, freesBytes: bytes, removed: items.length, freedBytes: bytes, errors: [] }];
    }
    if (first === 'duplicates' && method === 'GET') {
      const items = Number(url.searchParams.get('minBytes')) >= GIB ? [] : twins;
      return [200, { items, count: items.length, freesBytes: items.reduce((sum, item) => sum + item.freesBytes, 0), copies: items.reduce((sum, item) => sum + item.repos.filter((one) => one.replaced).length, 0), minBytes: Number(url.searchParams.get('minBytes')) }];
    }
    if (first === 'duplicates') {
      const gone = twins.filter((item) => item.freesBytes > 0);
      const job = work('verify', '', 23 * GIB, { shared: 3, freedBytes: gone.reduce((sum, item) => sum + item.freesBytes, 0), leftOut: ['model stabilityai/sdxl-turbo 9f2c11aa0034: It lies on another volume'], errors: [] });
      job.spec = { hub: '/srv/huggingface/hub', shareFromBytes: body.minBytes };
      for (const item of gone) twins.splice(twins.indexOf(item), 1);
      return [202, job];
    }
    if (first === 'verify') {
      verified += 1;
      const bad = verified === 1 ? [{ repo: 'openai/whisper-large-v3', type: 'model', path: 'model.safetensors', blobId: '5f1a', problem: 'hash_mismatch' }] : [];
      return [202, work('verify', body.repo ?? '', 1.2e12, { checked: 1412, bytes: 1.2e12, ok: 1412 - bad.length * 2, bad, missing: bad.length > 0 ? [{ repo: 'openai/whisper-large-v3', type: 'model', path: 'tokenizer.json', problem: '' }] : [], unknown: 3 })];
    }
    if (first === 'repair') return [202, { jobs: [], queued: 1 }];
    if (first === 'export') {
      if (body.dest.startsWith('/')) return [400, failure('Invalid destination', 'dest must lie below /srv/export', 'bad_request', 'Give a folder below the export directory.')];
      return [202, work('export', body.repo, 18.4 * GIB, { commit: COMMIT, dest: `/srv/export/${body.dest}`, files: 4, hardlinked: 0, copied: 1, reflinked: 3, unchanged: 0, bytes: 18.4 * GIB })];
    }
    if (first === 'import') {
      if (!body.dir.startsWith('/')) return [400, failure('Invalid folder', 'dir must be absolute', 'bad_request', '')];
      const report = {
        dryRun: body.dryRun !== false, dir: body.dir, matchedCount: 1, bytes: 18.4 * GIB, unmatchedCount: 1, adopted: body.dryRun === false ? 1 : 0, adoptedBytes: body.dryRun === false ? 18.4 * GIB : 0, present: 0, errors: [],
        matched: [{ path: 'qwen/Qwen3-32B-Q4_K_M.gguf', bytes: 18.4 * GIB, repo: 'Qwen/Qwen3-32B-GGUF', type: 'model', commit: COMMIT, name: 'Qwen3-32B-Q4_K_M.gguf', blobId: '5f1a77c0'.repeat(8) }],
        unmatched: [{ path: 'unknown.bin', reason: 'nothing beside it says what it is' }],
      };
      return body.dryRun === false ? [202, { jobId: work('export', '', 18.4 * GIB, report).id }] : [200, { ...report, jobId: null }];
    }
    const at = repos.findIndex((entry) => entry.repo === `${first}/${second}` && entry.type === type);
    const one = repos[at];
    if (one === undefined) return [404, failure('Repository not found in cache', `${first}/${second}`)];
    if (method === 'GET') return [200, details(one)];
    const revision = url.searchParams.get('revision');
    const frees = revision === null ? one.size * 0.9 : one.size * 0.36;
    if (url.searchParams.get('dryRun') === 'true') return [200, { success: true, dryRun: true, repo: one.repo, freesBytes: frees, keepsBytes: one.size * 0.1, revisions: revision === null ? one.revisionCount : 1, files: one.fileCount }];
    if (revision === null) repos.splice(at, 1);
    return [200, { success: true, message: `Deleted ${one.repo} from cache` }];
  }
  return { answer, repos, work };
}
