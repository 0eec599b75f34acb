import { describe, expect, it, vi } from 'vitest';
import type { Collection } from '../../src/api/hub-types';
import { collectionOf, looksLikeRepos, parseLines, parseRepo, placeOf } from '../../src/lib/lines';
import { leftOut } from '../../src/i18n/collections';
import { expanded } from '../../src/stores/gather.svelte';

const ID = 'acme/small-64f0';
const found: Collection = {
  id: ID, title: 'Small', description: '', private: false, lastUpdated: null,
  items: [{ repo: 'acme/one', dataset: false, gated: false, private: false, cached: false }, { repo: 'acme/rows', dataset: true, gated: false, private: false, cached: true }],
  leftOut: [{ type: 'paper', name: 'A' }, { type: 'space', name: 'B' }, { type: 'paper', name: 'C' }, { type: 'bucket', name: 'D' }],
};

describe('an address of a collection', () => {
  it.each([
    'collections/acme/small-64f0', 'https://huggingface.co/collections/acme/small-64f0', 'HTTPS://huggingface.co/collections/acme/small-64f0/?x=1#y',
    'hf.co/collections/acme/small-64f0', '"https://mirror.example/collections/acme/small-64f0"', 'hf://collections/acme/small-64f0',
  ])('is %s', (text) => expect(collectionOf(text)).toBe(ID));
  it.each(['acme/small', 'collections/acme', 'https://huggingface.co/collections', 'https://huggingface.co/acme/collections', 'collections/a/b/c', 'collections/a/..', 'ftp://x/collections/a/b'])(
    'is not %s', (text) => expect(collectionOf(text)).toBeNull());

  it('is no repo, and leads to the Add dialog', () => {
    const [line] = parseLines(`hf://collections/${ID} # mine`);
    expect([line?.asked, line?.collection]).toEqual([null, ID]);
    expect(parseRepo(`https://huggingface.co/collections/${ID}`)).toBeNull();
    expect(looksLikeRepos(`o/n\ncollections/${ID}`)).toBe(true);
    expect(placeOf(`https://huggingface.co/collections/${ID}`)).toEqual({ kind: 'add' });
  });
});

describe('the line of a collection', () => {
  it('gives way to its repos, and all other lines stay', () => {
    const text = `o/n\r\nhttps://huggingface.co/collections/${ID} # these\n# collections/${ID}\ncollections/acme/other`;
    expect(expanded(text, ID, 'Small', found)).toBe(`o/n\n# Small\nacme/one\ndatasets/acme/rows\n# collections/${ID}\ncollections/acme/other`);
  });
  it('tells what is left out, by kind', () => {
    vi.stubGlobal('navigator', { languages: ['en'] });
    expect(leftOut(found)).toBe('2 papers, 1 space, 1 other entry');
    expect(leftOut({ leftOut: [] })).toBe('');
  });
});
