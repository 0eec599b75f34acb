/** The settings as fields: what each takes, where it stands, and what a save has to send. */
import type { Settings } from '../api/types';

export type Kind =
  | { type: 'number'; min: number; max: number }
  | { type: 'text'; placeholder?: string }
  | { type: 'secret' }
  | { type: 'flag' }
  /** The words for the choices stand under the key of the field. */
  | { type: 'choice'; choices: string[] }
  /** Texts, edited one a line. */
  | { type: 'list'; placeholder?: string }
  /** A folder for each sort of model; edited as lines `sort = folder`. */
  | { type: 'routes' };

export interface Field {
  /** As in `sources`: `proxy.url` stands for `{"proxy": {"url": …}}`. */
  key: string;
  kind: Kind;
  /** What holds when nobody says anything; a key of the texts where it is no plain value. */
  default?: string;
}

export const SECTIONS = {
  downloads: [
    { key: 'maxActive', kind: { type: 'number', min: 1, max: 32 }, default: '3' },
    { key: 'maxFilesPerJob', kind: { type: 'number', min: 1, max: 64 }, default: '8' },
    { key: 'connections', kind: { type: 'number', min: 1, max: 64 }, default: '8' },
    { key: 'maxConnections', kind: { type: 'number', min: 1, max: 256 }, default: '16' },
    { key: 'multipartThreshold', kind: { type: 'text', placeholder: '32MiB' }, default: '32MiB' },
    { key: 'verify', kind: { type: 'choice', choices: ['none', 'size', 'sha256'] }, default: 'size' },
    { key: 'maxSpeed', kind: { type: 'text', placeholder: '50MiB' }, default: '@unlimited' },
    { key: 'retries', kind: { type: 'number', min: 0, max: 20 }, default: '4' },
    { key: 'backoffInitial', kind: { type: 'text', placeholder: '400ms' }, default: '400ms' },
    { key: 'backoffMax', kind: { type: 'text', placeholder: '10s' }, default: '10s' },
    { key: 'stallTimeout', kind: { type: 'text', placeholder: '60s' }, default: '60s' },
  ],
  storage: [
    { key: 'cacheDir', kind: { type: 'text' }, default: '@cache' },
    { key: 'linkMode', kind: { type: 'choice', choices: ['auto', 'symlink', 'hardlink', 'copy'] }, default: 'auto' },
    { key: 'localDir', kind: { type: 'text', placeholder: '/srv/models' } },
    { key: 'downloadRoutes', kind: { type: 'routes' } },
    { key: 'localScanDirs', kind: { type: 'list', placeholder: '/srv/models' } },
    { key: 'freeSpaceFloor', kind: { type: 'text', placeholder: '1GiB' }, default: '@floor' },
    { key: 'retentionDays', kind: { type: 'number', min: 0, max: 3650 }, default: '30' },
    { key: 'historyRetention', kind: { type: 'number', min: 0, max: 3650 }, default: '0' },
  ],
  hub: [
    { key: 'endpoint', kind: { type: 'text', placeholder: 'https://huggingface.co' } },
    { key: 'token', kind: { type: 'secret' } },
    { key: 'proxy.url', kind: { type: 'text', placeholder: 'socks5h://192.0.2.1:1080' } },
    { key: 'proxy.username', kind: { type: 'text' } },
    { key: 'proxy.password', kind: { type: 'secret' } },
    { key: 'proxy.noProxy', kind: { type: 'text', placeholder: '.local, 10.0.0.0/8' } },
    { key: 'proxy.noEnvProxy', kind: { type: 'flag' }, default: '@off' },
  ],
} as const satisfies Record<string, readonly Field[]>;

export type Section = keyof typeof SECTIONS | 'speed' | 'keys' | 'appearance' | 'other';
export type Value = string | number | boolean;
export type Edits = Record<string, Value>;

const FIELDS: readonly Field[] = Object.values(SECTIONS).flat();

/** Every field that this page knows. */
export function allFields(): readonly Field[] {
  return FIELDS;
}

/** The value at a key with dots; secrets that are only known to exist are empty. */
export function valueAt(settings: Settings, key: string): Value {
  const found = key.split('.').reduce<unknown>(
    (part, name) => (typeof part === 'object' && part !== null ? (part as Record<string, unknown>)[name] : undefined),
    settings,
  );
  if (Array.isArray(found)) return found.join('\n');
  if (typeof found === 'object' && found !== null) return joinRoutes(found as Record<string, string>);
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? found : '';
}

/** The sorts of models that may have a folder of their own. */
export const ROUTES = ['llm', 'llm/gguf', 'llm/safetensors', 'diffusion', 'audio', 'embedding'] as const;

/** Folders by sort as lines, those without a folder left out. */
export function joinRoutes(routes: Record<string, string>): string {
  return Object.entries(routes).filter(([, folder]) => folder.trim() !== '').sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, folder]) => `${name} = ${folder}`).join('\n');
}

/** The lines of {@link joinRoutes} as folders by sort. */
export function splitRoutes(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.split(' = ')).filter(([, folder]) => folder !== undefined);
  return Object.fromEntries(lines.map(([name = '', ...folder]) => [name, folder.join(' = ')]));
}

/** What was typed as the service takes it. */
function sent(key: string, value: Value): unknown {
  const kind = FIELDS.find((field) => field.key === key)?.kind.type;
  if (kind === 'list') return String(value).split('\n').map((line) => line.trim()).filter((line) => line !== '');
  if (kind === 'routes') return splitRoutes(String(value));
  return value;
}

/** Settings that the service has and this page knows nothing of: shown as they are. */
export function unknownKeys(settings: Settings): string[] {
  const known = new Set(FIELDS.map((field) => field.key));
  return Object.keys(settings.sources).filter((key) => !known.has(key)).sort();
}

/** A field for a setting that is newer than this page: what it takes is told by its value. */
export function guessed(settings: Settings, key: string): Field {
  const value = valueAt(settings, key);
  const kind: Kind = typeof value === 'boolean' ? { type: 'flag' }
    : typeof value === 'number' ? { type: 'number', min: 0, max: Number.MAX_SAFE_INTEGER }
    : { type: 'text' };
  return { key, kind };
}

/** Fields with all the words in their name, label or help. */
export function matching(fields: readonly Field[], text: string, wordsOf: (field: Field) => string): Field[] {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return fields.filter((field) => {
    const own = `${field.key} ${wordsOf(field)}`.toLowerCase();
    return words.every((word) => own.includes(word));
  });
}

/** The changed fields as the body of `POST /api/settings`. */
export function patchOf(edits: Edits): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(edits)) {
    const [name, inner] = key.split('.');
    if (name === undefined) continue;
    if (inner === undefined) patch[name] = sent(key, value);
    else patch[name] = { ...(patch[name] as object | undefined), [inner]: value };
  }
  return patch;
}

/**
 * The field that an error speaks of: the service starts its sentence with the name. `null` when
 * it names none of ours.
 */
export function fieldOf(details: string): string | null {
  const first = /^([A-Za-z.]+)\b/.exec(details)?.[1]?.replace(/\.$/, '');
  return FIELDS.find((field) => field.key === first)?.key ?? null;
}
