// What the mock knows of the Hub: search results, reports of several kinds, descriptions.

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const COMMIT = '9c1e2f7a0b3d4c5e6f708192a3b4c5d6e7f80912';
const ago = (days) => new Date(Date.now() - days * 86_400_000).toISOString();
const sha = (seed) => seed.repeat(64).slice(0, 64);

const found = (id, more = {}) => ({
  id, author: id.split('/')[0], downloads: 120_431, likes: 512, trendingScore: 9, private: false, gated: false, pipelineTag: 'text-generation',
  libraryName: 'gguf', tags: [], lastModified: ago(2), createdAt: ago(90), cached: false, cacheSource: '', cacheStatus: '', ...more,
});
const RESULTS = [
  found('unsloth/Qwen3-32B-GGUF', { downloads: 1_204_551, likes: 1930, cached: true }),
  found('Qwen/Qwen3-32B', { gated: 'auto', libraryName: 'transformers' }),
  found('black-forest-labs/FLUX.1-dev', { pipelineTag: 'text-to-image', gated: 'auto', lastModified: ago(200) }),
  found('some-owner/a-model-whose-name-goes-on-and-on-far-beyond-what-any-column-can-hold-GGUF', { downloads: 3, likes: 0, private: true }),
  found('sentence-transformers/all-MiniLM-L6-v2', { pipelineTag: 'sentence-similarity', cached: true, downloads: 98_112_003 }),
  ...Array.from({ length: 12 }, (_, index) => found(`community/model-${index + 1}-GGUF`, { downloads: 9000 - index * 311, likes: 40 - index })),
];
const DATASETS = ['allenai/c4', 'HuggingFaceFW/fineweb-edu', 'cornell-movie-review-data/rotten_tomatoes'].map((id) => found(id, { pipelineTag: '', libraryName: '' }));

function quant(name, gib, quality, more = {}) {
  const parts = more.parts ?? 1;
  const stem = `Qwen3-32B-${name}`;
  return {
    id: name.toLowerCase(), label: name, description: more.description ?? '4-bit', size: Math.round(gib * GIB), quality,
    quality_stars: '★'.repeat(quality) + '☆'.repeat(5 - quality), recommended: more.recommended ?? false, category: 'quantization', filter_value: name.toLowerCase(),
    files: Array.from({ length: parts }, (_, index) => (parts === 1 ? `${stem}.gguf` : `${stem}/${stem}-0000${index + 1}-of-0000${parts}.gguf`)),
    ram: Math.floor(gib * GIB * 1.1) + 500 * MIB, ...(more.warning === undefined ? {} : { warning: more.warning }),
  };
}

const QUANTS = [
  quant('BF16', 61.0, 5, { parts: 2, description: 'half precision' }), quant('Q8_0', 32.4, 5, { description: '8-bit, minimal loss' }),
  quant('Q6_K', 25.0, 5, { parts: 3, warning: 'Part 2 of 3 of Qwen3-32B-Q6_K is missing', description: '6-bit, near-lossless' }),
  quant('Q5_K_M', 21.6, 5, { description: 'large 5-bit' }), quant('Q4_K_M', 18.4, 4, { recommended: true, description: 'medium 4-bit, recommended' }),
  quant('UD-Q4_K_XL', 18.7, 4, { description: 'dynamic: large 4-bit' }), quant('IQ3_XXS', 12.3, 2, { description: 'small 3-bit' }), quant('Q2_K', 11.5, 1, { description: 'smallest, clear loss' }),
];
const MMPROJ = { id: 'mmproj-f16', label: 'mmproj-F16', description: 'vision encoder, needed for pictures', size: 0.8 * GIB, recommended: true, category: 'vision_encoder', filter_value: 'mmproj-f16', files: ['mmproj-F16.gguf'] };

const file = (path, size) => ({ path, name: path.split('/').at(-1), size: Math.round(size), lfs: size > 10 * MIB, is_lfs: size > 10 * MIB, directory: '.', ...(size > 10 * MIB ? { sha256: sha('5f1a') } : {}) });

function base(repo, more) {
  const files = more.files;
  return {
    repo, is_dataset: false, branch: 'main', commit: COMMIT, file_count: files.length, total_size: files.reduce((sum, one) => sum + one.size, 0),
    refs: [{ name: 'main', type: 'branch', commit: COMMIT }, { name: 'refs/pr/3', type: 'branch', commit: COMMIT }, { name: 'v1.0', type: 'tag', commit: COMMIT }],
    analyzed_at: new Date(Date.now() - 190_000).toISOString(), selectable_items: [], recommended_filters: [], recommended_download: { repo }, gated: false, private: false,
    disabled: false, locked: '', tags: ['license:apache-2.0', 'base_model:Qwen/Qwen3-32B'], pipeline_tag: 'text-generation', library_name: '', downloads: 1_204_551, likes: 1930,
    last_modified: ago(2), security: { scans_done: true, files_with_issues: [] }, cached: false, ...more,
  };
}

function report(repo, dataset) {
  if (dataset) {
    const split = (name, count) => Array.from({ length: count }, (_, index) => file(`data/${name}-${String(index).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.parquet`, 220 * MIB));
    const [train, test] = [split('train', 40), split('test', 2)];
    const item = (name, files, recommended) => ({ id: name, label: name, size: files.reduce((sum, one) => sum + one.size, 0), recommended, category: 'split', filter_value: `data/${name}-*`, files: files.map((one) => one.path) });
    return base(repo, { type: 'dataset', type_description: 'HuggingFace dataset', is_dataset: true, files: [file('README.md', 4000), ...train, ...test], dataset: { primary_format: 'parquet', formats: ['parquet'], configs: [] }, selectable_items: [item('train', train, true), item('test', test, false)], recommended_download: { repo, dataset: true, filters: ['data/train-*'] } });
  }
  if (/GGUF/i.test(repo)) {
    return base(repo, {
      type: 'gguf', type_description: 'GGUF quantized model (llama.cpp, Ollama)', cached: repo.startsWith('unsloth/'),
      files: [file('.gitattributes', 1519), file('README.md', 18_231), file('config.json', 731), file('mmproj-F16.gguf', 0.8 * GIB), ...QUANTS.flatMap((one) => one.files.map((path) => file(path, one.size / one.files.length)))],
      gguf: { parameter_count: '32B', parameter_count_exact: 32_762_123_264, architecture: 'qwen3', context_length: 40_960, model_chain: [{ repo: 'Qwen/Qwen3-32B-Base', is_current: false }, { repo: 'Qwen/Qwen3-32B', is_current: false }, { repo, relation: 'quantized', is_current: true }] },
      selectable_items: [...QUANTS, MMPROJ], recommended_filters: ['q4_k_m', 'mmproj-f16'], recommended_download: { repo, filters: ['q4_k_m', 'mmproj-f16'], exactMatch: true },
      warnings: ['Part 2 of 3 of Qwen3-32B-Q6_K is missing'],
    });
  }
  if (/FLUX/.test(repo)) {
    const part = (name, gib, recommended) => ({ id: name, label: name, size: gib * GIB, recommended, category: 'component', filter_value: `${name}/*`, files: [`${name}/config.json`, `${name}/model.safetensors`] });
    const parts = [part('transformer', 22.2, true), part('text_encoder_2', 8.9, true), part('vae', 0.2, true)];
    return base(repo, { type: 'diffusers', type_description: 'Diffusers pipeline (Stable Diffusion, SDXL, Flux)', gated: 'auto', locked: 'Access to this repo is restricted: accept its terms on the Hub and set a token of that account.', files: [file('model_index.json', 500), ...parts.flatMap((one) => [file(one.files[0], 700), file(one.files[1], one.size)])], selectable_items: parts, recommended_download: { repo, filters: ['transformer/*', 'text_encoder_2/*', 'vae/*'] } });
  }
  const files = [file('README.md', 3000), file('config.json', 700), file('training/args.bin', 4000), ...Array.from({ length: 4 }, (_, index) => file(`model-0000${index + 1}-of-00004.safetensors`, 4.9 * GIB)), file('pytorch_model.bin', 19.6 * GIB)];
  const weights = files.filter((one) => one.path.endsWith('.safetensors')).map((one) => one.path);
  return base(repo, {
    type: 'transformers', type_description: 'Transformers model (safetensors)', files, transformers: { architecture: 'Qwen3ForCausalLM', estimated_parameters: '32B', precision: 'bf16', context_length: 40_960 },
    security: { scans_done: true, files_with_issues: [{ path: 'training/args.bin', level: 'unsafe' }] },
    selectable_items: [{ id: 'safetensors', label: 'safetensors', size: 19.6 * GIB, quality: 5, quality_stars: '★★★★★', recommended: true, category: 'format', filter_value: '*.safetensors', files: weights }, { id: 'pytorch', label: 'PyTorch .bin', size: 19.6 * GIB, quality: 3, quality_stars: '★★★☆☆', recommended: false, category: 'format', filter_value: '*.bin', files: ['pytorch_model.bin'] }],
    recommended_download: { repo, filters: ['*.safetensors'] },
  });
}

const CARD = `<h1>Qwen3 32B GGUF</h1><p>Quantized with <a href="https://github.com/ggml-org/llama.cpp" target="_blank" rel="noopener noreferrer nofollow">llama.cpp</a>. Works with <code>llama-server</code>.</p>
<p><img data-asset="/api/readme-asset?url=x" alt="A chart of perplexity by size"></p>
<h2>Use</h2><pre><code>llama-server -m Qwen3-32B-Q4_K_M.gguf --ctx-size 32768 --n-gpu-layers 99 --host 127.0.0.1 --port 8081 --flash-attn --cache-type-k q8_0</code></pre>
<table><thead><tr><th>File</th><th>Size</th><th>Perplexity</th></tr></thead><tbody><tr><td>Q4_K_M</td><td>18.4 GiB</td><td>6.21</td></tr><tr><td>Q8_0</td><td>32.4 GiB</td><td>6.09</td></tr></tbody></table>
<ul><li>Context of 40,960 tokens</li><li>Thinking can be switched off</li></ul><blockquote><p>Not for medical advice.</p></blockquote>`;
const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M/wHwAEBgIApD5fRAAAAABJRU5ErkJggg==', 'base64');

/** `[status, body]`, or `undefined` when the route is not the Hub's. */
export function answerHub(url, failure) {
  const [, , name, owner, repo] = url.pathname.split('/');
  const id = `${owner}/${repo}`;
  const query = url.searchParams;
  if (name === 'search') {
    const words = (query.get('q') ?? '').toLowerCase();
    if (words === 'down') return [502, failure('Upstream request failed', 'connection refused', 'offline', 'Check the network, DNS and proxy.')];
    if (words === 'stale') return [200, { results: RESULTS.slice(0, 3), total: 3, query: words, nextCursor: null, staleSince: new Date(Date.now() - 3.5 * 3_600_000).toISOString() }];
    const all = (query.get('datasets') === 'true' ? DATASETS : RESULTS).filter((one) => one.id.toLowerCase().includes(words) && (query.get('maxParameters') !== '8B' || !one.id.includes('32B')));
    return [200, { results: query.has('cursor') ? [] : all, total: all.length, query: words, nextCursor: query.has('cursor') || all.length < 5 ? null : 'more' }];
  }
  if (name === 'suggest') {
    const near = /^qwne/i.test(query.get('q') ?? '') ? [{ id: 'Qwen/Qwen3-32B', dataset: false, source: 'hub' }, { id: 'unsloth/Qwen3-32B-GGUF', dataset: false, source: 'library' }] : [];
    return [200, { suggestions: near }];
  }
  if (name === 'commits') {
    const commits = ['Fix the chat template', 'Upload Q6_K', '', 'Initial commit'].map((title, index) => ({ commit: sha(`${index}a`).slice(0, 40), title, date: ago(index * 3), cached: index === 3 }));
    if (owner === 'openai') return [404, failure('Commits not loaded', 'The model is missing or private', 'repo_not_found', '')];
    const fresh = owner === 'mistralai' || owner === 'allenai';
    return [200, { repo: id, dataset: false, revision: COMMIT, commits, more: false, behind: fresh ? 0 : 3, behindMore: false, held: { commit: commits[3].commit, refs: ['main'] } }];
  }
  if (name === 'collections') {
    if (owner === undefined) return [200, { collections: query.get('owner') === 'nobody' ? [] : [{ id: 'Qwen/qwen3-67dd247413f0e2e4f653967f', title: 'Qwen3', description: 'Dense and MoE', private: false, lastUpdated: ago(30) }] }];
    if (repo === 'none') return [404, failure('Collection not found', `The collection ${id} is missing or private, or needs a token (asked huggingface.co)`, 'repo_not_found', 'Check the address of the collection.')];
    const items = ['Qwen/Qwen3-32B', 'unsloth/Qwen3-32B-GGUF'].map((one) => ({ repo: one, dataset: false, gated: false, private: false, cached: false }));
    return [200, { id, title: 'Qwen3', description: 'Dense and MoE', private: false, lastUpdated: ago(30), items: [...items, { repo: 'allenai/c4', dataset: true, gated: false, private: false, cached: false }], leftOut: [{ type: 'paper', name: 'Qwen3 Technical Report' }, { type: 'space', name: 'Qwen3 Demo' }] }];
  }
  if (name === 'analyze') {
    if (repo === 'missing') return [404, failure('Analysis failed', `404: repository not found. ${id} does not exist`, 'repo_not_found', 'Check the spelling of owner/name and whether it is a dataset.')];
    if (repo === 'gated') return [403, failure('Analysis failed', `Access to model ${id} is restricted; you must accept its terms.`, 'gated', 'Open the repo on the Hub, accept its terms, then set a token of that account.')];
    if (repo === 'both' && !query.has('dataset')) return [200, { needsSelection: true, repo: id, message: '', options: ['model', 'dataset'] }];
    const made = report(id, query.get('dataset') === 'true' || id.startsWith('allenai/'));
    return [200, { ...made, branch: query.get('revision') ?? 'main', ...(query.get('fresh') === 'true' ? { analyzed_at: new Date().toISOString() } : {}) }];
  }
  if (name === 'readme') return repo === 'model-1-GGUF' ? [404, failure('README not found')] : [200, { repo: id, html: CARD, markdown: '', truncated: false, commit: COMMIT }];
  if (name === 'readme-asset') return [200, PICTURE, 'image/png'];
  return undefined;
}
