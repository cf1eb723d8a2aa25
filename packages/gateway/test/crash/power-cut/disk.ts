/** A disk that loses what was not synced when the power goes: `power-cut.c` notes, this takes away. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Chance } from '../chance.ts';
import { type DataChange, type EntryChange, readUnsynced } from './log.ts';

const SOURCE = fileURLToPath(new URL('./power-cut.c', import.meta.url));
/** A slow disk: what is told too early is told long before it is safe. */
const SYNC_MS = 8;

/** How much of what was not synced a cut takes, and how often. */
const CUTS = {
  /** Nothing had left the cache. */
  everything: 40,
  /** The cache writes pages as it likes. */
  pages: 35,
  /** A disk writes sectors, and stops between two of them. */
  sectors: 25,
} as const;
const UNIT_BYTES = { pages: 4096, sectors: 512 };

export interface CutReport {
  readonly how: keyof typeof CUTS;
  /** Changes of bytes that no sync had covered. */
  readonly changes: number;
  /** New, renamed and removed names that no sync had covered, and how many of those were taken back. */
  readonly entries: number;
  readonly undone: number;
}

export class LossyDisk {
  /** Settings of the process whose disk this is. */
  readonly environment: Record<string, string>;
  readonly #root: string;
  readonly #log: string;
  readonly #grave: string;

  private constructor(root: string, folder: string) {
    this.#root = root;
    this.#log = join(folder, 'disk.log');
    this.#grave = join(folder, 'grave');
    this.environment = {
      LD_PRELOAD: join(folder, 'power-cut.so'),
      POWERCUT_ROOT: root,
      POWERCUT_LOG: this.#log,
      POWERCUT_GRAVE: this.#grave,
      POWERCUT_SYNC_MS: String(SYNC_MS),
      // Writes that libuv hands to the kernel in a ring are seen by nobody.
      UV_USE_IO_URING: '0',
    };
  }

  /** Compiles the library. `root` is the folder that is on the disk, `folder` a place beside it for notes. */
  static create(root: string, folder: string): LossyDisk {
    for (const each of [root, folder, join(folder, 'grave')])
      mkdirSync(each, { recursive: true, mode: 0o700 });
    const disk = new LossyDisk(root, folder);
    const library = disk.environment.LD_PRELOAD ?? '';
    execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-o', library, SOURCE, '-ldl', '-lpthread']);
    return disk;
  }

  /** The power goes and comes back. The process must be dead. */
  cut(chance: Chance): CutReport {
    const how = chance.weighted(CUTS);
    const { data, entries } = readUnsynced(this.#log);
    const places = this.#places();
    let changes = 0;
    for (const [file, all] of data) {
      const place = places.get(file);
      if (place === undefined) continue;
      changes += all.length;
      writeFileSync(place, afterCut(readFileSync(place), all, how, chance));
    }
    // A file system keeps the order of names: the cut is somewhere in it.
    const undone = how === 'everything' ? entries.length : chance.integer(0, entries.length);
    for (const entry of entries.slice(entries.length - undone).reverse()) this.#undo(entry);
    this.#forget();
    return { how, changes, entries: entries.length, undone };
  }

  #undo({ kind, path, to, grave }: EntryChange): void {
    const kept = grave === 0n ? null : join(this.#grave, String(grave));
    switch (kind) {
      case 'create':
        rmSync(path, { force: true });
        break;
      case 'rename':
        if (existsSync(to)) renameSync(to, path);
        if (kept !== null) linkSync(kept, to);
        break;
      case 'unlink':
        if (kept !== null && !existsSync(path)) linkSync(kept, path);
        break;
      case 'mkdir':
        // What is in it was synced: so is the folder.
        if (existsSync(path) && readdirSync(path).length === 0) rmdirSync(path);
        break;
      case 'rmdir':
        mkdirSync(path, { recursive: true });
    }
  }

  /** Where each inode is, the removed ones included. */
  #places(): Map<bigint, string> {
    const places = new Map<bigint, string>();
    for (const folder of [this.#grave, this.#root]) {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        const path = join(folder, name);
        const found = statSync(path, { bigint: true });
        if (found.isFile()) places.set(found.ino, path);
      }
    }
    return places;
  }

  /** What is there now is on the disk. */
  #forget(): void {
    truncateSync(this.#log, 0);
    for (const name of readdirSync(this.#grave)) unlinkSync(join(this.#grave, name));
    for (const name of readdirSync(this.#root)) if (name.endsWith('-shm')) unlinkSync(join(this.#root, name));
  }
}

/** What is left of a file: of the parts that were not synced some are new and some are old. */
function afterCut(
  now: Buffer,
  changes: readonly DataChange[],
  how: keyof typeof CUTS,
  chance: Chance,
): Buffer {
  const synced = undo(now, changes);
  if (how === 'everything') return synced;
  const size = chance.integer(0, 1) === 0 ? synced.length : now.length;
  const left = sized(now, size);
  const old = sized(synced, size);
  const unit = UNIT_BYTES[how];
  const touched = new Set<number>();
  for (const { kind, offset, length, size: sizeBefore } of changes) {
    const end = kind === 'write' ? offset + length : sizeBefore;
    for (let at = Math.floor(offset / unit); at * unit < Math.min(end, size); at += 1) touched.add(at);
  }
  for (const at of touched) {
    if (chance.integer(0, 1) === 0) old.copy(left, at * unit, at * unit, (at + 1) * unit);
  }
  return left;
}

function undo(now: Buffer, changes: readonly DataChange[]): Buffer {
  let bytes = now;
  for (const { offset, size, before } of [...changes].reverse()) {
    bytes = sized(bytes, size);
    before.copy(bytes, offset);
  }
  return bytes;
}

/** Cut off, or filled up with zeros. */
function sized(bytes: Buffer, size: number): Buffer {
  const made = Buffer.alloc(size);
  bytes.copy(made);
  return made;
}
