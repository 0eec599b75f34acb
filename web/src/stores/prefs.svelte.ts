/** What this browser remembers of its user: looks only, nothing of the service. */
import { COLUMNS, readWidths, STANDARD, type Column, type Widths } from '../lib/columns';
import type { Hardware } from '../lib/pick';

export type Theme = 'auto' | 'light' | 'dark';
export type LanguageChoice = 'auto' | 'en' | 'de';

interface Saved {
  theme: Theme;
  language: LanguageChoice;
  /** Whether single keys do something (WCAG 2.1.4: they can be turned off). */
  shortcuts: boolean;
  /** The machine that models are to fit. */
  hardware: Hardware;
  /** Columns of the queue beside the name, in their order. */
  columns: Column[];
  /** Widths of those that were resized, in pixels; empty = all are as wide as they need. */
  widths: Widths;
}

const NAME = 'hfdepot.prefs';
const DEFAULTS: Saved = { theme: 'auto', language: 'auto', shortcuts: true, hardware: { gpu: 24, ram: 64 }, columns: [...STANDARD], widths: {} };

const size = (value: unknown, otherwise: number) => (typeof value === 'number' && value >= 0 ? value : otherwise);
const columnAt = (saved: Partial<Saved>, column: Column) => saved.columns?.indexOf(column) ?? 0;

function load(): Saved {
  try {
    const saved = JSON.parse(localStorage.getItem(NAME) ?? '{}') as Partial<Saved>;
    return {
      theme: (['auto', 'light', 'dark'] as const).find((theme) => theme === saved.theme) ?? DEFAULTS.theme,
      language: (['auto', 'en', 'de'] as const).find((one) => one === saved.language) ?? DEFAULTS.language,
      shortcuts: typeof saved.shortcuts === 'boolean' ? saved.shortcuts : DEFAULTS.shortcuts,
      hardware: { gpu: size(saved.hardware?.gpu, DEFAULTS.hardware.gpu), ram: size(saved.hardware?.ram, DEFAULTS.hardware.ram) },
      columns: Array.isArray(saved.columns) ? COLUMNS.filter((one) => saved.columns?.includes(one)).sort((a, b) => columnAt(saved, a) - columnAt(saved, b)) : DEFAULTS.columns,
      widths: readWidths(saved.widths),
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
