/** A flat list of paths as folders with the sums of what they hold. */
import type { RepoFile } from '../api/hub-types';

export interface Folder {
  /** Whole path with a slash at its end; empty = the root. */
  path: string;
  name: string;
  size: number;
  count: number;
  folders: Folder[];
  files: RepoFile[];
}

export function treeOf(files: RepoFile[]): Folder {
  const root: Folder = { path: '', name: '', size: 0, count: 0, folders: [], files: [] };
  const known = new Map<string, Folder>([['', root]]);
  const folderOf = (path: string): Folder => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const cut = path.lastIndexOf('/', path.length - 2) + 1;
    const folder: Folder = { path, name: path.slice(cut, -1), size: 0, count: 0, folders: [], files: [] };
    known.set(path, folder);
    folderOf(path.slice(0, cut)).folders.push(folder);
    return folder;
  };
  for (const file of files) {
    const cut = file.path.lastIndexOf('/') + 1;
    folderOf(file.path.slice(0, cut)).files.push(file);
    for (let at = cut; ; at = file.path.lastIndexOf('/', at - 2) + 1) {
      const folder = folderOf(file.path.slice(0, at));
      folder.size += file.size;
      folder.count += 1;
      if (at === 0) break;
    }
  }
  return root;
}

export interface Row {
  depth: number;
  folder?: Folder;
  file?: RepoFile;
}

/** The rows that are seen while the folders in `open` are unfolded. */
export function rowsOf(root: Folder, open: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const walk = (folder: Folder, depth: number) => {
    for (const child of folder.folders) {
      rows.push({ depth, folder: child });
      if (open.has(child.path)) walk(child, depth + 1);
    }
    for (const file of folder.files) rows.push({ depth, file });
  };
  walk(root, 0);
  return rows;
}
