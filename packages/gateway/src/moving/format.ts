/** What another program's way to keep a session is, to those who read one. */
import type { HeldSession } from '../whatsapp/port/moving.ts';

/** Files as they were handed in: of a folder, of an archive, or a single one. */
export interface HandedFiles {
  /** Paths with `/`, relative and without `..`; sorted. */
  readonly paths: readonly string[];
  /** Undefined for a path that is not there. */
  bytes(path: string): Uint8Array | undefined;
  /** When it was last written, milliseconds; null where the way here did not tell. */
  writtenAt(path: string): number | null;
}

/** One session among what was handed in. */
export interface FoundSession {
  /** What its own program calls it, for whoever has to choose; e.g. a folder, an instance name, a JID. */
  name: string;
  /** When the program last wrote to it, milliseconds; null or left out where that cannot be seen. */
  lastWritten?: number | null;
  /** Reads it. Throws `HeldSessionRefused` for what cannot be understood. */
  read(): HeldSession;
}

export interface SessionFormat {
  /** What callers name it by in `format`. */
  name: string;
  /** For people: whose it is. */
  title: string;
  /**
   * Null when nothing here is of this format. Cheap: looks at paths and beginnings, and parses no keys. `saw` says in
   * one sentence by what it was recognised; it names files and tables, and no values.
   */
  recognise(files: HandedFiles): { saw: string; sessions: FoundSession[] } | null;
}
