/** A flat list of paths as folders with the sums of what they hold. */
export interface Folder<F> {
  /** Whole path with a slash at its end; empty = the root. */
  path: string;
  name: string;
  size: number;
  count: number;
  folders: Folder<F>[];
  files: F[];
}

/** `sizeOf` tells the bytes of one file. */
export function treeOf<F extends { path: string }>(files: F[], sizeOf: (file: F) => number): Folder<F> {
  const root: Folder<F> = { path: '', name: '', size: 0, count: 0, folders: [], files: [] };
  const known = new Map<string, Folder<F>>([['', root]]);
  const folderOf = (path: string): Folder<F> => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const cut = path.lastIndexOf('/', path.length - 2) + 1;
    const folder: Folder<F> = { path, name: path.slice(cut, -1), size: 0, count: 0, folders: [], files: [] };
    known.set(path, folder);
    folderOf(path.slice(0, cut)).folders.push(folder);
    return folder;
  };
  for (const file of files) {
    const cut = file.path.lastIndexOf('/') + 1;
    folderOf(file.path.slice(0, cut)).files.push(file);
    for (let at = cut; ; at = file.path.lastIndexOf('/', at - 2) + 1) {
      const folder = folderOf(file.path.slice(0, at));
      folder.size += sizeOf(file);
      folder.count += 1;
      if (at === 0) break;
    }
  }
  return root;
}

export interface Row<F> {
  depth: number;
  folder?: Folder<F>;
  file?: F;
}

/** The rows that are seen while the folders in `open` are unfolded. */
export function rowsOf<F>(root: Folder<F>, open: ReadonlySet<string>): Row<F>[] {
  const rows: Row<F>[] = [];
  const walk = (folder: Folder<F>, depth: number) => {
    for (const child of folder.folders) {
      rows.push({ depth, folder: child });
      if (open.has(child.path)) walk(child, depth + 1);
    }
    for (const file of folder.files) rows.push({ depth, file });
  };
  walk(root, 0);
  return rows;
}

/** Every file below a folder. */
export function filesIn<F>(folder: Folder<F>): F[] {
  return [...folder.folders.flatMap((child) => filesIn(child)), ...folder.files];
}
