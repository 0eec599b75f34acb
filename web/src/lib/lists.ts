/** Lists of repos that lie in files: lines of text, or JSON of this or of another program. */

interface Entry {
  repo: string;
  revision?: string;
  dataset: boolean;
  filters: string[];
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');

/** One entry of a JSON list: a name, or what a download asks for under the names that programs use. */
function entryOf(value: unknown): Entry | null {
  if (typeof value === 'string') return { repo: value.trim(), dataset: false, filters: [] };
  if (typeof value !== 'object' || value === null) return null;
  const found = value as Record<string, unknown>;
  const repo = ['repo', 'repo_id', 'repoId', 'id', 'modelId', 'name'].map((name) => textOf(found[name])).find((text) => text !== '');
  if (repo === undefined) return null;
  const revision = textOf(found['revision']);
  const type = textOf(found['type'] ?? found['repo_type'] ?? found['repoType']);
  const wanted = found['filters'] ?? found['allow_patterns'] ?? [];
  const filters = (Array.isArray(wanted) ? wanted : [wanted]).map(textOf).filter((text) => text !== '');
  return { repo, dataset: found['dataset'] === true || found['isDataset'] === true || type === 'dataset', filters, ...(revision === '' ? {} : { revision }) };
}

/** The entry as a line that says the same. */
function lineOf({ repo, revision, dataset, filters }: Entry): string {
  const kind = dataset && !repo.startsWith('datasets/') ? 'datasets/' : '';
  const behind = filters.length > 0 ? `:${filters.join(',')}` : '';
  // Only an address can name a revision.
  return revision === undefined || revision === 'main' ? `${kind}${repo}${behind}` : `hf://${kind}${repo}@${encodeURIComponent(revision)}${behind}`;
}

/** The lines that a file stands for; a text that is no JSON stands for itself. */
export function linesOfFile(text: string): string {
  const bare = text.trim();
  if (!bare.startsWith('[') && !bare.startsWith('{')) return bare;
  let parsed: unknown;
  try {
    parsed = JSON.parse(bare);
  } catch {
    return bare;
  }
  const list = Array.isArray(parsed) ? parsed : ['repos', 'jobs', 'models', 'datasets', 'entries'].map((name) => (parsed as Record<string, unknown>)[name]).find(Array.isArray) ?? [parsed];
  return list.map(entryOf).filter((entry) => entry !== null).map(lineOf).join('\n');
}
