/** Keys for programs that use the API. */
import { json } from './client';

export const SCOPES = ['read', 'enqueue', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export interface ApiKey {
  id: string | number;
  name: string;
  scope: Scope;
  /** First letters of the key: enough to know it again, not to use it. */
  prefix: string;
  createdAt: string;
  lastUsedAt?: string | null;
  lastUsedFrom?: string | null;
}

export const keysApi = {
  list: () => json<{ keys: ApiKey[] }>('GET', 'api/keys'),
  create: (name: string, scope: Scope) => json<ApiKey & { key: string }>('POST', 'api/keys', { name, scope }),
  revoke: (id: ApiKey['id']) => json<unknown>('DELETE', `api/keys/${encodeURIComponent(String(id))}`),
};

export interface HubTest {
  ok: boolean;
  endpoint?: { ok: boolean; message?: string; ms?: number } | null;
  token?: { ok: boolean; message?: string; name?: string; scopes?: string[] } | null;
  proxy?: { ok: boolean; message?: string } | null;
}

/** Asks the Hub as the settings say, or as the fields that are given would have it. */
export const testHub = (asked: { endpoint?: string; token?: string; proxy?: unknown }) =>
  json<HubTest>('POST', 'api/settings/test', asked);
