/** Points of a small line as an SVG path. */

/** `values` from left to right in a box; the newest stands at the right edge. Empty for fewer than two. */
export function sparkPath(values: number[], width: number, height: number, points: number): string {
  if (values.length < 2) return '';
  const top = Math.max(...values, 1);
  const step = width / (points - 1);
  const start = width - (values.length - 1) * step;
  return values
    .map((value, index) => `${index === 0 ? 'M' : 'L'}${(start + index * step).toFixed(1)} ${(height - 1 - (value / top) * (height - 2)).toFixed(1)}`)
    .join('');
}
