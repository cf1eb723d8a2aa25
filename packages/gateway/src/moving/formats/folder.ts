/** Folders of files: Baileys' own `useMultiFileAuthState` of 6 and 7, and WAHA's NOWEB engine, which does the same. */
import type { FoundSession, HandedFiles, SessionFormat } from '../format.ts';
import { baseOf, foldersOf } from './folders.ts';
import { heldSession, isOfSession, type NamedValue } from './named-values.ts';

const CREDS = 'creds.json';
const JSON_SUFFIX = '.json';

type Folder = readonly [name: string, paths: readonly string[]];

export const baileysFolder: SessionFormat = {
  name: 'baileys',
  title: "Baileys' multi-file auth state (6 or 7)",
  recognise: (files) => recognised(files, (folder) => !isWaha(folder)),
};

export const wahaFolder: SessionFormat = {
  name: 'waha',
  title: 'WAHA, engine NOWEB',
  recognise: (files) => recognised(files, isWaha),
};

function recognised(files: HandedFiles, is: (folder: Folder) => boolean) {
  const folders = [...foldersOf(files)]
    .filter(([, paths]) => paths.some((path) => baseOf(path) === CREDS))
    .filter(is);
  if (folders.length === 0) return null;
  const sessions = folders.map((folder) => folderSession(files, folder));
  return {
    saw: `${folders.length === 1 ? 'a folder' : `${folders.length} folders`} with creds.json`,
    sessions,
  };
}

/** WAHA keeps them in `<base>/noweb/<session>` and puts files of its own beside (LocalStoreCore.ts, LocalStore.ts). */
function isWaha([name, paths]: Folder): boolean {
  return name.split('/').includes('noweb') || paths.some((path) => baseOf(path).startsWith('.waha.session.'));
}

function folderSession(files: HandedFiles, [folder, paths]: Folder): FoundSession {
  const values = valuesOf(files, paths);
  return {
    name: folder === '' ? '.' : folder,
    lastWritten: lastWritten(files, values),
    read: () => heldSession(values, folder === '' ? CREDS : `${folder}/${CREDS}`),
  };
}

export function valuesOf(files: HandedFiles, paths: readonly string[]): NamedValue[] {
  return paths.map((path) => ({ name: nameOf(path), value: () => files.bytes(path), place: path }));
}

/** Of the files of a session, and not of what lies beside it. */
export function lastWritten(files: HandedFiles, values: readonly NamedValue[]): number | null {
  let latest: number | null = null;
  for (const { name, place } of values) {
    const at = isOfSession(name) ? files.writtenAt(place) : null;
    if (at !== null && at > (latest ?? 0)) latest = at;
  }
  return latest;
}

/** The name of the value that a file of Baileys holds. */
export function nameOf(path: string): string {
  const base = baseOf(path);
  return base.endsWith(JSON_SUFFIX) ? base.slice(0, -JSON_SUFFIX.length) : base;
}
