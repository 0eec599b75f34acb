/** Rectangles whose areas are as the sizes, as square as it goes (Bruls, Huizing, van Wijk, 2000). */

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The longest side of a row's worst box against its shorter one; 1 is a square. */
function worst(row: number[], side: number): number {
  const sum = row.reduce((total, area) => total + area, 0);
  const squared = side * side;
  const total = sum * sum;
  return Math.max((squared * Math.max(...row)) / total, total / (squared * Math.min(...row)));
}

/**
 * One box for each size, in the order of the sizes, which must fall. Sizes of zero or less get a
 * box without area. The boxes fill `into` without a gap.
 */
export function squarify(sizes: number[], into: Box): Box[] {
  const sum = sizes.reduce((total, size) => total + Math.max(0, size), 0);
  if (sum <= 0 || into.width <= 0 || into.height <= 0) return sizes.map(() => ({ x: into.x, y: into.y, width: 0, height: 0 }));
  const scale = (into.width * into.height) / sum;
  const areas = sizes.filter((size) => size > 0).map((size) => size * scale);
  const boxes: Box[] = [];
  let left = { ...into };
  let next = 0;
  while (next < areas.length) {
    const side = Math.min(left.width, left.height);
    let count = 1;
    while (
      next + count < areas.length &&
      worst(areas.slice(next, next + count + 1), side) <= worst(areas.slice(next, next + count), side)
    ) count += 1;
    const row = areas.slice(next, next + count);
    next += count;
    left = place(row, left, boxes);
  }
  let given = 0;
  return sizes.map((size) => (size > 0 ? (boxes[given++] ?? into) : { x: into.x, y: into.y, width: 0, height: 0 }));
}

/** Lays one row along the shorter side; what is left of the room. */
function place(row: number[], room: Box, boxes: Box[]): Box {
  const area = row.reduce((total, one) => total + one, 0);
  if (room.width >= room.height) {
    const width = area / room.height;
    let y = room.y;
    for (const one of row) {
      boxes.push({ x: room.x, y, width, height: one / width });
      y += one / width;
    }
    return { x: room.x + width, y: room.y, width: room.width - width, height: room.height };
  }
  const height = area / room.width;
  let x = room.x;
  for (const one of row) {
    boxes.push({ x, y: room.y, width: one / height, height });
    x += one / height;
  }
  return { x: room.x, y: room.y + height, width: room.width, height: room.height - height };
}
