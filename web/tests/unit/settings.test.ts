import { describe, expect, it } from 'vitest';
import type { Plan, Settings } from '../../src/api/types';
import { allFields, fieldOf, guessed, matching, patchOf, unknownKeys, valueAt } from '../../src/lib/settings';
import de from '../../src/i18n/de.json';
import en from '../../src/i18n/en.json';
import { total } from '../../src/stores/planner.svelte';

describe('settings', () => {
  it('a save sends the changed fields only, nested as the service has them', () => {
    expect(patchOf({ maxActive: 2, 'proxy.url': 'http://p', 'proxy.noEnvProxy': true })).toEqual({ maxActive: 2, proxy: { url: 'http://p', noEnvProxy: true } });
  });
  it('lists and folders by sort are edited as lines and sent as the service has them', () => {
    const settings = { localScanDirs: ['/a', '/b c'], downloadRoutes: { 'llm/gguf': '/g = x', audio: '/m' }, sources: {} } as unknown as Settings;
    expect(valueAt(settings, 'localScanDirs')).toBe('/a\n/b c');
    const routes = valueAt(settings, 'downloadRoutes');
    expect(routes).toBe('audio = /m\nllm/gguf = /g = x');
    expect(patchOf({ localScanDirs: ' /a \n\n/b c\n', downloadRoutes: routes })).toEqual({ localScanDirs: ['/a', '/b c'], downloadRoutes: { audio: '/m', 'llm/gguf': '/g = x' } });
    expect(patchOf({ localScanDirs: '', downloadRoutes: '' })).toEqual({ localScanDirs: [], downloadRoutes: {} });
  });
  it('a refusal finds its field', () => {
    expect(fieldOf('maxActive must be a whole number from 1 to 32, not 99')).toBe('maxActive');
    expect(fieldOf('proxy.url must be a URL')).toBe('proxy.url');
    expect(fieldOf('certificates could not be read')).toBeNull();
    expect(fieldOf('')).toBeNull();
  });
  it('values are found below dots, and settings of tomorrow are shown', () => {
    const settings = { proxy: { url: 'x' }, retries: 4, sources: { retries: 'default', 'proxy.url': 'env', brandNew: 'flag' } } as unknown as Settings;
    expect([valueAt(settings, 'proxy.url'), valueAt(settings, 'retries'), valueAt(settings, 'proxy.password')]).toEqual(['x', 4, '']);
    expect(unknownKeys(settings)).toEqual(['brandNew']);
  });
  it('each field has its words', () => {
    for (const { key } of allFields()) expect([en, de].every((texts) => `setting.${key}` in texts && `help.${key}` in texts), key).toBe(true);
  });
});

// Words of pages that are fetched later stand in a folder each.
const later = import.meta.glob<Record<string, unknown>>('../../src/i18n/*/*.json', { eager: true, import: 'default' });
const parts: [string, Record<string, unknown>, Record<string, unknown>][] = [
  ['first', en, de],
  ...Object.keys(later).filter((path) => path.endsWith('/en.json')).map((path) => [path, later[path] ?? {}, later[path.replace('en.json', 'de.json')] ?? {}] as [string, Record<string, unknown>, Record<string, unknown>]),
];

describe('words of every part', () => {
  const gaps = (text: unknown) => [...new Set(JSON.stringify(text).match(/\{\w+\}/g) ?? [])].sort();
  it('are the same keys in each language, with the same places for values and every plural', () => {
    expect(parts.length).toBeGreaterThan(5);
    for (const [name, english, german] of parts) {
      expect(Object.keys(german), name).toEqual(Object.keys(english));
      for (const [key, text] of Object.entries(english)) {
        expect(gaps(german[key]), key).toEqual(gaps(text));
        expect(typeof german[key], key).toBe(typeof text);
        if (typeof text === 'object' && text !== null) expect(Object.keys(text), key).toEqual(['one', 'other']);
      }
    }
  });
  it('say each thing once', () => {
    const seen = new Map<string, string>();
    for (const [name, english] of parts) for (const key of Object.keys(english)) {
      expect(seen.get(key), `${key} in ${name}`).toBeUndefined();
      seen.set(key, name);
    }
  });
});

describe('the search over settings', () => {
  it('finds fields by all the words of name, label and help', () => {
    const texts = en as Record<string, unknown>;
    const wordsOf = (field: { key: string }) => `${String(texts[`setting.${field.key}`])} ${String(texts[`help.${field.key}`])}`;
    expect(matching(allFields(), 'connections TOTAL', wordsOf).map((field) => field.key)).toEqual(['maxConnections']);
    expect(matching(allFields(), 'no such thing', wordsOf)).toEqual([]);
  });
  it('offers a field for a setting of tomorrow, by its value', () => {
    const settings = { brandNew: 5, other: true, word: 'x' } as unknown as Settings;
    expect(['brandNew', 'other', 'word'].map((key) => guessed(settings, key).kind.type)).toEqual(['number', 'flag', 'text']);
  });
});

describe('words', () => {
  it('are the same keys in each language, with the same places for values', () => {
    expect(Object.keys(de)).toEqual(Object.keys(en));
    const gaps = (text: unknown) => [...new Set(JSON.stringify(text).match(/\{\w+\}/g) ?? [])].sort();
    for (const [key, text] of Object.entries(en)) expect(gaps((de as Record<string, unknown>)[key]), key).toEqual(gaps(text));
  });
  it('have every plural', () => {
    for (const texts of [en, de]) {
      for (const [key, text] of Object.entries(texts)) if (typeof text === 'object') expect(Object.keys(text), key).toEqual(['one', 'other']);
    }
  });
});

describe('the sum of plans', () => {
  const plan = (fetchBytes: number, more: Partial<Plan> = {}) => ({ fetchBytes, alreadyPresentBytes: 1, freeBytes: 100, reservedBytes: 10, fits: true, ...more }) as Plan;
  it('counts reservations, and which plans do not fit behind the others', () => {
    expect(total([plan(50), plan(30), plan(20)])).toEqual({ fetch: 100, reused: 3, freeAfter: -10, free: 100, reserved: 10, waiting: 1 });
  });
  it('knows nothing of the disk when it was not asked', () => {
    expect(total([plan(50, { freeBytes: null })]).freeAfter).toBeNull();
  });
});

describe('the files of words', () => {
  it('name no key twice: the first one would be lost without a word', () => {
    const texts = import.meta.glob<string>('../../src/i18n/**/*.json', { eager: true, query: '?raw', import: 'default' });
    expect(Object.keys(texts).length).toBeGreaterThan(10);
    const seen = new Map<string, string>();
    for (const [path, text] of Object.entries(texts)) {
      for (const [, key = ''] of text.matchAll(/^ {1,4}"([\w./-]+)":/gm)) {
        // Within a plural the words are those of the language.
        if (!key.includes('.')) continue;
        const name = `${path.slice(path.lastIndexOf('/'))} ${key}`;
        expect(seen.get(name), `${name} in ${path}`).toBeUndefined();
        seen.set(name, path);
      }
    }
  });
});
