import { systemClock } from '../../../clock.ts';
import type { JournalEntry } from '../../port/credentials.ts';
import { JOURNAL_KEY_TYPE } from '../connection/auth-state.ts';
import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  proto,
  type SignalDataSet,
  type SignalKeyStore,
} from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import { encodeStanza } from '../parse/journal-stanza.ts';

const ID_PREFIX = 'app-state|';
const VERSION_KEY_TYPE = 'app-state-sync-version';
/** So that journal rows of one moment sort by version. */
const VERSION_DIGITS = 12;

/**
 * Keeps the app-state patches that the library has applied, so that none is lost between applying and
 * reporting.
 *
 * The library stores a collection's new version first and emits the changes afterwards, through an event
 * buffer that may hold them for up to 30 s: a crash in between loses them for good, because the server
 * never sends an applied patch again. So the patches are taken off the wire before the library sees them,
 * and ride in the very commit that stores the new version, as journal rows. They are decoded from there.
 */
export class AppStateTap {
  /** By collection and version: seen on the wire, not yet applied. */
  readonly #seen = new Map<string, Map<number, Uint8Array>>();
  /** Collections that were brought up to date since the last `takeCurrent`. */
  readonly #current = new Set<string>();
  /** Collections whose first sync is over: only their patches are news. */
  readonly #synced: ReadonlySet<string>;
  readonly #applied: (entry: JournalEntry) => void;

  constructor(parts: { synced: ReadonlySet<string>; applied: (entry: JournalEntry) => void }) {
    this.#synced = parts.synced;
    this.#applied = parts.applied;
  }

  /** Call for each frame before the library handles it. */
  see(frame: BinaryNode): void {
    if (frame.tag !== 'iq' || frame.attrs.type !== 'result') return;
    const sync = getBinaryNodeChild(frame, 'sync');
    for (const collection of getBinaryNodeChildren(sync, 'collection')) this.#seeCollection(collection);
  }

  /** Names brought up to date since the last call. */
  takeCurrent(): Set<string> {
    const current = new Set(this.#current);
    this.#current.clear();
    return current;
  }

  /** A key store that journals patches in the commit that applies them. */
  watch(keys: SignalKeyStore): SignalKeyStore {
    return {
      get: (type, ids) => keys.get(type, ids),
      set: async (data) => {
        const versions = data[VERSION_KEY_TYPE];
        if (!versions) return keys.set(data);
        const entries = this.#appliedUpTo(versions);
        const journal = Object.fromEntries(entries.map((entry) => [entry.id, entry]));
        const rows = entries.length > 0 ? { [JOURNAL_KEY_TYPE]: journal } : {};
        await keys.set({ ...data, ...rows } as unknown as SignalDataSet);
        for (const name of Object.keys(versions)) {
          this.#current.add(name);
          this.#seen.delete(name);
        }
        for (const entry of entries) this.#applied(entry);
      },
      ...(keys.clear ? { clear: () => keys.clear?.() } : {}),
    };
  }

  #seeCollection(collection: BinaryNode): void {
    const { name, type } = collection.attrs;
    if (!name || type === 'error') return;
    const patches = getBinaryNodeChildren(
      getBinaryNodeChild(collection, 'patches') ?? collection,
      'patch',
    ).flatMap((node) => (node.content instanceof Uint8Array ? [node.content] : []));
    if (patches.length === 0 && !getBinaryNodeChild(collection, 'snapshot')) this.#current.add(name);
    // A snapshot repeats what was there; only what comes after a first sync is news.
    if (!this.#synced.has(name)) return;
    const seen = this.#seen.get(name) ?? new Map<number, Uint8Array>();
    for (const bytes of patches) {
      const version = versionOf(bytes) ?? Number(collection.attrs.version) + 1;
      if (Number.isFinite(version)) seen.set(version, new Uint8Array(bytes));
    }
    this.#seen.set(name, seen);
  }

  #appliedUpTo(versions: { [name: string]: { version: number } | null }): JournalEntry[] {
    return Object.entries(versions).flatMap(([name, state]) =>
      [...(this.#seen.get(name) ?? [])]
        .filter(([version]) => state !== null && version <= state.version)
        .sort(([a], [b]) => a - b)
        .map(([version, patch]) => journalEntry(name, version, patch)),
    );
  }
}

/** True for a row that holds an app-state patch. */
export function isAppStateEntry(entry: JournalEntry): boolean {
  return entry.id.startsWith(ID_PREFIX);
}

function journalEntry(name: string, version: number, patch: Uint8Array): JournalEntry {
  return {
    id: `${ID_PREFIX}${name}|${String(version).padStart(VERSION_DIGITS, '0')}`,
    stanza: encodeStanza({ tag: 'collection', attrs: { name, version: String(version) } }),
    plaintext: patch,
    receivedAt: systemClock.now(),
  };
}

function versionOf(patch: Uint8Array): number | null {
  try {
    const { version } = decodeProtobuf(proto.SyncdPatch, patch);
    return version?.version ? Number(version.version) : null;
  } catch {
    return null;
  }
}
