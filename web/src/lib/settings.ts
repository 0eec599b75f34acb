/** The settings as fields: what each takes, where it stands, and what a save has to send. */
import type { Settings } from '../api/types';

export type Kind =
  | { type: 'number'; min: number; max: number }
  | { type: 'text'; placeholder?: string }
  | { type: 'secret' }
  | { type: 'flag' }
  | { type: 'choice'; choices: string[] };

export interface Field {
  /** As in `sources`: `proxy.url` stands for `{"proxy": {"url": …}}`. */
  key: string;
  kind: Kind;
}

export const SECTIONS = {
  downloads: [
    { key: 'maxActive', kind: { type: 'number', min: 1, max: 32 } },
    { key: 'maxFilesPerJob', kind: { type: 'number', min: 1, max: 64 } },
    { key: 'connections', kind: { type: 'number', min: 1, max: 64 } },
    { key: 'maxConnections', kind: { type: 'number', min: 1, max: 256 } },
    { key: 'multipartThreshold', kind: { type: 'text', placeholder: '32MiB' } },
    { key: 'verify', kind: { type: 'choice', choices: ['none', 'size', 'sha256'] } },
    { key: 'maxSpeed', kind: { type: 'text', placeholder: '50MiB' } },
    { key: 'retries', kind: { type: 'number', min: 0, max: 20 } },
    { key: 'backoffInitial', kind: { type: 'text', placeholder: '400ms' } },
    { key: 'backoffMax', kind: { type: 'text', placeholder: '10s' } },
    { key: 'stallTimeout', kind: { type: 'text', placeholder: '60s' } },
  ],
  storage: [
    { key: 'cacheDir', kind: { type: 'text' } },
    { key: 'freeSpaceFloor', kind: { type: 'text', placeholder: '1GiB' } },
    { key: 'retentionDays', kind: { type: 'number', min: 0, max: 3650 } },
  ],
  hub: [
    { key: 'endpoint', kind: { type: 'text', placeholder: 'https://huggingface.co' } },
    { key: 'token', kind: { type: 'secret' } },
    { key: 'proxy.url', kind: { type: 'text', placeholder: 'socks5h://192.0.2.1:1080' } },
    { key: 'proxy.username', kind: { type: 'text' } },
    { key: 'proxy.password', kind: { type: 'secret' } },
    { key: 'proxy.noProxy', kind: { type: 'text', placeholder: '.local, 10.0.0.0/8' } },
    { key: 'proxy.noEnvProxy', kind: { type: 'flag' } },
  ],
} as const satisfies Record<string, readonly Field[]>;

export type Section = keyof typeof SECTIONS | 'appearance' | 'other';
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
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? found : '';
}

/** Settings that the service has and this page knows nothing of: shown as they are. */
export function unknownKeys(settings: Settings): string[] {
  const known = new Set(FIELDS.map((field) => field.key));
  return Object.keys(settings.sources).filter((key) => !known.has(key)).sort();
}

/** The changed fields as the body of `POST /api/settings`. */
export function patchOf(edits: Edits): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(edits)) {
    const [name, inner] = key.split('.');
    if (name === undefined) continue;
    if (inner === undefined) patch[name] = value;
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
