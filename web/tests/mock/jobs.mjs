// One job in every state that the pages know, and many more on demand.
import { createHash } from 'node:crypto';

const GIB = 2 ** 30;
const now = () => Date.now();
const at = (ms) => new Date(ms).toISOString();
const HASH = '9c1e2f7a0b3d4c5e6f708192a3b4c5d6e7f80912';

let next = 0xa1b2c3d4e5;
const id = () => (next++).toString(16).padStart(12, '0').slice(-12);

export function job(repo, fields = {}) {
  const total = fields.total ?? 18.4 * GIB;
  const downloaded = Math.floor(total * (fields.share ?? 0));
  const status = fields.status ?? 'queued';
  const ended = ['completed', 'failed', 'cancelled'].includes(status);
  const name = repo.split('/')[1];
  const files = fields.files ?? [
    { path: 'README.md', totalBytes: 8123, downloaded: 8123, status: 'complete', verification: 'git-sha1', error: '', errorCode: null },
    { path: `${name}-Q4_K_M-00001-of-00002.gguf`, totalBytes: total - 8123, downloaded, status: status === 'completed' ? 'complete' : status === 'running' ? 'downloading' : 'pending', verification: status === 'completed' ? 'sha256' : '', error: '', errorCode: null },
  ];
  for (const file of files) {
    file.priority ??= 'normal';
    file.source ??= file.priority === 'skip' ? '' : { complete: 'network', skipped: 'reused' }[file.status] ?? '';
    file.blobId ??= createHash(file.path.endsWith('.json') || file.path.endsWith('.md') ? 'sha1' : 'sha256').update(file.path).digest('hex');
  }
  return {
    id: id(), kind: fields.kind ?? 'download', repo, revision: fields.revision ?? 'main', isDataset: fields.isDataset ?? false,
    filters: fields.filters ?? [], excludes: [], exactMatch: false, outputDir: '/srv/huggingface/hub',
    status, phase: status === 'running' ? (fields.phase ?? 'downloading') : null, waitReason: fields.waitReason ?? null,
    progress: {
      totalFiles: fields.totalFiles ?? files.length, completedFiles: fields.completedFiles ?? files.filter((file) => file.status === 'complete').length,
      totalBytes: total, downloadedBytes: status === 'completed' ? total : downloaded,
      bytesPerSecond: fields.speed ?? 0, etaSeconds: fields.speed ? Math.round((total - downloaded) / fields.speed) : 0, activity: fields.activity ?? '',
    },
    error: fields.error ?? '', errorCode: fields.errorCode ?? null, hint: fields.hint ?? '', commit: status === 'queued' ? null : HASH,
    verify: fields.verify ?? 'size', priority: 0, attempt: 1, retries: fields.retries ?? 0,
    networkBytes: downloaded, reusedBytes: fields.reused ?? 0, refetchedBytes: 0,
    lastByteAt: status === 'running' ? at(now() - (fields.silentMs ?? 0)) : null, nextAttemptAt: fields.nextAttemptAt ?? null, notBefore: null,
    actor: '192.0.2.7', createdAt: at(now() - 3_600_000), startedAt: status === 'queued' ? null : at(now() - 720_000),
    endedAt: ended ? at(now() - (fields.agoMs ?? 300_000)) : null, updatedAt: at(now()),
    files, filesTotal: fields.totalFiles ?? files.length, filesTruncated: false, skippedFiles: files.filter((file) => file.priority === 'skip').length, filtersTruncated: false,
    category: fields.category ?? '', tags: fields.tags ?? [], maxSpeed: '', connections: fields.connections ?? null, position: null, pauseReason: null, stalledSince: null, connectionsReason: '', result: fields.result ?? null,
  };
}

export function examples() {
  return [
    job('Qwen/Qwen3-32B-GGUF', { status: 'running', share: 0.71, speed: 22 * 2 ** 20, filters: ['Q4_K_M'], silentMs: 0, reused: 3.1 * GIB, category: 'llm', tags: ['daily', 'gguf'] }),
    job('black-forest-labs/FLUX.1-dev', { status: 'running', share: 0.4, speed: 0, silentMs: 34_000, totalFiles: 28, completedFiles: 3 }),
    job('meta-llama/Llama-3.3-70B-Instruct', { status: 'running', phase: 'verifying', share: 1, activity: 'model-00007-of-00030.safetensors', totalFiles: 42, completedFiles: 41 }),
    job('HuggingFaceFW/fineweb-edu', { status: 'running', phase: 'resolving', total: 0, files: [], isDataset: true }),
    job('allenai/c4', { isDataset: true, waitReason: 'disk', total: 305 * GIB, filters: ['en/*'], totalFiles: 1024, files: [] }),
    job('mistralai/Mistral-Small-3.2-24B-Instruct-2506-with-a-name-that-is-longer-than-any-column-would-like', {}),
    job('google/gemma-3-27b-it', { waitReason: 'retry', nextAttemptAt: at(now() + 40_000), total: 54 * GIB, share: 0.2 }),
    job('unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF', { status: 'paused', share: 0.33, filters: ['UD-Q4_K_XL'], revision: 'refs/pr/7' }),
    job('meta-llama/Llama-4-Scout-17B-16E', { status: 'failed', share: 0, files: [], errorCode: 'gated', error: 'Access to model meta-llama/Llama-4-Scout-17B-16E is restricted; you must accept its terms.' }),
    job('some-owner/with-an-unusually-long-story', { status: 'failed', share: 0.55, retries: 9, errorCode: 'hash_mismatch', error: 'model.safetensors: announced sha256 5f1a…, found 77c0…, twice' }),
    job('sentence-transformers/all-MiniLM-L6-v2', { status: 'completed', share: 1, total: 91 * 2 ** 20, agoMs: 90_000 }),
    job('openai/whisper-large-v3', { status: 'completed', share: 1, total: 3.1 * GIB, verify: 'none', agoMs: 7_200_000 }),
    job('stabilityai/stable-diffusion-xl-base-1.0', { status: 'cancelled', share: 0.1, agoMs: 86_400_000 }),
  ];
}

export function many(count) {
  return Array.from({ length: count }, (_, index) =>
    job(`bulk/repo-${String(index + 1).padStart(4, '0')}`, index < 8 ? { status: 'running', share: 0.2, speed: 2 ** 20 } : {}));
}
