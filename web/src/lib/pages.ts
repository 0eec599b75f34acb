/** The pages that are fetched when they are opened; a page exists when its file does. */
import type { Component } from 'svelte';

type Module = { default: Component<{ rest: string[]; section: string }> };

const files = import.meta.glob<Module>('../pages/*.svelte');
const NAMES: Record<string, string> = {
  browse: 'Browse', library: 'Library', mirror: 'Mirror', history: 'History', settings: 'Settings', system: 'System',
};

/** Fetches a page by the first part of its path; `null` when there is none. */
export function pageOf(path: string): (() => Promise<Module>) | null {
  return files[`../pages/${NAMES[path] ?? ''}.svelte`] ?? null;
}

export const hasPage = (path: string): boolean => path === 'queue' || pageOf(path) !== null;
