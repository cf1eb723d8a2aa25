/** What `wuts import` sends of a path: an archive as it is, anything else packed. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type PackedFile, tarOf } from './tar.ts';

const ARCHIVE = /\.(?:zip|tar|tgz|gz)$/i;
/** What SQLite writes beside its file, and is part of it (sqlite.org, "Temporary Files Used By SQLite"). */
const BESIDE = ['-wal', '-journal'];
/** The messages of WAHA, which are no part of a session, and can be large. */
const NO_PART = /^store\.sqlite3/;

const compress = promisify(gzip);

/** Throws for a path that is not there, or cannot be read. */
export async function packed(path: string): Promise<{ name: string; bytes: Uint8Array }> {
  const found = await lstat(path);
  if (found.isDirectory()) return archiveOf(await filesBelow(path, path));
  if (ARCHIVE.test(path)) return { name: basename(path), bytes: await readFile(path) };
  const beside = await Promise.all(BESIDE.map((end) => fileAt(`${path}${end}`).catch(() => [])));
  return archiveOf([...(await fileAt(path)), ...beside.flat()]);
}

async function archiveOf(files: PackedFile[]): Promise<{ name: string; bytes: Uint8Array }> {
  return { name: 'session.tar.gz', bytes: await compress(tarOf(files)) };
}

/** Links are not followed: they lead to what is not the session. */
async function filesBelow(root: string, folder: string): Promise<PackedFile[]> {
  const files: PackedFile[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await filesBelow(root, path)));
    else if (entry.isFile() && !NO_PART.test(entry.name)) {
      files.push(...(await fileAt(path, relative(root, path).split(sep).join('/'))));
    }
  }
  return files;
}

async function fileAt(path: string, name = basename(path)): Promise<PackedFile[]> {
  const [bytes, { mtimeMs: writtenAt }] = [await readFile(path), await lstat(path)];
  return [{ path: name, bytes, writtenAt }];
}
