/** The keyboard: what each key means, and when it may. */

/** Where keys belong to what is typed, or to a dialog. */
export function inField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('dialog') !== null) return true;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type);
}

/** Key as the list writes it: `Alt+ArrowUp`, `g`, `?`. */
export function nameOf(event: KeyboardEvent): string {
  const shift = event.shiftKey && event.key.length > 1 ? 'Shift+' : '';
  return `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${shift}${event.key}`;
}

/** What the list on `?` shows: keys and the text that says what they do. */
export const KEY_LIST = [
  [['/', 'Ctrl K'], 'keys.search'],
  [['n'], 'keys.add'],
  [['g', 'q'], 'keys.queue'],
  [['g', 'b'], 'keys.browse'],
  [['g', 'l'], 'keys.library'],
  [['g', 'm'], 'keys.mirror'],
  [['g', 'h'], 'keys.history'],
  [['g', 's'], 'keys.settings'],
  [['g', 'y'], 'keys.system'],
  [['j', '↓'], 'keys.down'],
  [['k', '↑'], 'keys.up'],
  [['Alt', '↑ ↓'], 'keys.order'],
  [['Enter'], 'keys.open'],
  [['x'], 'keys.select'],
  [['Space'], 'keys.pause'],
  [['r'], 'keys.retry'],
  [['Del'], 'keys.cancel'],
  [['Esc'], 'keys.close'],
  [['?'], 'keys.list'],
] as const;
