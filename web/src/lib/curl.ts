/** What a button does, as a line for the shell. */

/** Quoted for a POSIX shell. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function curl(method: string, url: string, body?: unknown): string {
  const words = ['curl', '-sS'];
  if (method !== 'GET') words.push('-X', method);
  if (body !== undefined) words.push('--json', quoted(JSON.stringify(body)));
  words.push(quoted(url));
  return words.join(' ');
}
