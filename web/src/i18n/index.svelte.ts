/** Words and numbers in the language of the user. */
import * as format from '../lib/format';
import { prefs } from '../stores/prefs.svelte';
import de from './de.json';
import en from './en.json';
import type { LaterKey } from './later';

export type Key = keyof typeof en | LaterKey;
type Plural = Partial<Record<Intl.LDMLPluralRule, string>>;
type Params = Record<string, string | number>;

export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

const texts: Record<Language, Record<string, string | Plural>> = { en, de };

/** Takes in the words of pages that are loaded when they are opened. */
export function addTexts(more: Record<Language, Record<string, string | Plural>>): void {
  for (const one of LANGUAGES) Object.assign(texts[one], more[one]);
}

function preferred(): Language {
  for (const wish of navigator.languages) {
    const found = LANGUAGES.find((language) => wish.toLowerCase().startsWith(language));
    if (found !== undefined) return found;
  }
  return 'en';
}

const language = $derived(prefs.language === 'auto' ? preferred() : prefs.language);
// The user's own region for numbers and times where the language fits: en-GB, de-AT.
const locale = $derived(navigator.languages.find((wish) => wish.startsWith(language)) ?? language);
const plurals = $derived(new Intl.PluralRules(locale));
const number = $derived(new Intl.NumberFormat(locale));

/** The language in use, for the `lang` of the page. */
export function currentLanguage(): Language {
  return language;
}

/** The text of `key`. `{name}` is replaced; `count` chooses the plural and is written as a number. */
export function t(key: Key, params: Params = {}): string {
  const entry = texts[language][key] ?? key;
  const count = params['count'];
  const text =
    typeof entry === 'string'
      ? entry
      : (entry[plurals.select(typeof count === 'number' ? count : 0)] ?? entry.other ?? key);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number.format(value) : value;
  });
}

/** The text of a key that is put together from a word of the service; the word itself when it is a new one. */
export function word(group: string, value: string): string {
  const key = `${group}.${value}`;
  return key in texts.en ? t(key as Key) : value.replaceAll('_', ' ');
}

/** Whether there is a text for a word of the service. */
export function hasWord(group: string, value: string): boolean {
  return `${group}.${value}` in texts.en;
}

export const show = {
  bytes: (value: number) => format.bytes(value, locale),
  /** `13.3 of 18.4 GiB` */
  part: (done: number, total: number) => {
    const [some, all] = format.part(done, total, locale);
    return some === '' ? all : t('progress.bytes', { done: some, total: all });
  },
  exact: (value: number) => t('bytes.exact', { count: value }),
  speed: (value: number) => format.speed(value, locale),
  whole: (value: number) => format.whole(value, locale),
  percent: (value: number) => `${format.whole(value, locale)} %`,
  eta: (seconds: number) => format.eta(seconds, t('unit.day')),
  ago: (at: number, now: number) => format.ago(at, now, locale),
  since: (at: number, now: number) => format.since(at, now, locale),
  until: (at: number, now: number) => format.until(at, now, locale),
  dayAndTime: (at: number) => format.dayAndTime(at, locale),
  absolute: (at: number) => format.absolute(at, locale),
  day: (at: number) => format.day(at, locale),
  weekday: (index: number) => format.weekday(index, locale),
  clock: (at: number) => format.clock(at, locale),
  clockSeconds: (at: number) => format.clockSeconds(at, locale),
};
