/** What this browser remembers of its user: looks only, nothing of the service. */

export type Theme = 'auto' | 'light' | 'dark';
export type LanguageChoice = 'auto' | 'en' | 'de';

interface Saved {
  theme: Theme;
  language: LanguageChoice;
  /** Whether single keys do something (WCAG 2.1.4: they can be turned off). */
  shortcuts: boolean;
}

const NAME = 'hfdepot.prefs';
const DEFAULTS: Saved = { theme: 'auto', language: 'auto', shortcuts: true };

function load(): Saved {
  try {
    const saved = JSON.parse(localStorage.getItem(NAME) ?? '{}') as Partial<Saved>;
    return {
      theme: (['auto', 'light', 'dark'] as const).find((theme) => theme === saved.theme) ?? DEFAULTS.theme,
      language: (['auto', 'en', 'de'] as const).find((one) => one === saved.language) ?? DEFAULTS.language,
      shortcuts: typeof saved.shortcuts === 'boolean' ? saved.shortcuts : DEFAULTS.shortcuts,
    };
  } catch {
    // Storage may be switched off.
    return DEFAULTS;
  }
}

export const prefs: Saved = $state(load());

export function setPref<K extends keyof Saved>(name: K, value: Saved[K]): void {
  prefs[name] = value;
  try {
    localStorage.setItem(NAME, JSON.stringify(prefs));
  } catch {
    // Then it holds until the page is closed.
  }
}
