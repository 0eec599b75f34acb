/** Which words there are beside those of the first load: each part of the pages brings its own. */
import type history from './history/en.json';
import type library from './library/en.json';
import type mirror from './mirror/en.json';
import type settings from './settings/en.json';
import type system from './system/en.json';

export type LaterKey =
  | keyof typeof library | keyof typeof mirror | keyof typeof history | keyof typeof settings | keyof typeof system;
