/** Files by the folder that they lie in. Made once for what was handed in: there may be as many folders as files. */
import type { HandedFiles } from '../format.ts';

const made = new WeakMap<HandedFiles, ReadonlyMap<string, readonly string[]>>();

/** Paths by folder; the folder of files at the top is ''. */
export function foldersOf(files: HandedFiles): ReadonlyMap<string, readonly string[]> {
  const known = made.get(files);
  if (known) return known;
  const folders = new Map<string, string[]>();
  for (const path of files.paths) {
    const folder = folderOf(path);
    const paths = folders.get(folder);
    if (paths) paths.push(path);
    else folders.set(folder, [path]);
  }
  made.set(files, folders);
  return folders;
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
