import { systemClock } from '../../../clock.ts';
import { STATE_COLLECTIONS, type StateCollection } from '../../port/account.ts';
import type { JournalEntry } from '../../port/credentials.ts';
import { AnswerUnreadable, RequestRefused } from '../../port/errors.ts';
import { journalRows } from '../connection/auth-state.ts';
import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  proto,
  type SignalKeyStore,
} from '../library.ts';
import { decodeProtobuf, UnreadableProtobuf } from '../parse/bounded-protobuf.ts';
import { decodeStanza, encodeStanza } from '../parse/journal-stanza.ts';
import { VERSION_KEY_TYPE } from './app-state-sync.ts';

const ID_PREFIX = 'app-state|';
/** So that journal rows of one moment sort by version, and the pieces of one by their place. */
const VERSION_DIGITS = 12;
const PIECE_DIGITS = 5;
/** A patch of more bytes is kept in pieces: each is worked off in one transaction. */
const UNDIVIDED_BYTES = 32 * 1024;
const MUTATIONS_PER_PIECE = 100;
/** Of an `<error>` in a collection: somebody else has changed it meanwhile (whatsmeow appstate.go sendAppState). */
const CONFLICT = '409';

/** How often a collection is asked for while no answer tells of it. */
const MOST_ASKED = 5;

/** A change of ours was made on a version that is not the last one: it has to be made again. */
export class AppStateConflict extends Error {
  constructor(collection: string) {
    super(`the app state ${collection} was changed by another device`);
    this.name = 'AppStateConflict';
  }
}

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
  /** Collections whose snapshot came though we have them, since the last `takeSpoilt`. */
  readonly #spoilt = new Set<string>();
  /** How often a collection was asked for since an answer told of it, or a question failed, which ends the asking. */
  readonly #asked = new Map<string, number>();
  /** Collections whose last answer was that a change of ours was refused. */
  readonly #refused = new Set<string>();
  /** What the server refused to give of a collection since the last `takeRefusal`; the library passes over it. */
  #refusal: RequestRefused | null = null;
  /** Collections whose first sync is over: only their patches are news. */
  readonly #synced: ReadonlySet<string>;
  /** Collections of which a version is stored. */
  readonly #stored: Set<string>;
  readonly #applied: (entry: JournalEntry) => void;

  constructor(parts: {
    synced: ReadonlySet<string>;
    stored: Set<string>;
    applied: (entry: JournalEntry) => void;
  }) {
    this.#synced = parts.synced;
    this.#stored = parts.stored;
    this.#applied = parts.applied;
  }

  /** The library asks for a collection until an answer tells of it, for ever and without a pause: throws into it. */
  asked(collection: string): void {
    const times = (this.#asked.get(collection) ?? 0) + 1;
    this.#asked.set(collection, times);
    if (times <= MOST_ASKED) return;
    this.#asked.clear();
    throw new AnswerUnreadable(collection);
  }

  /** A question was refused, or not answered. */
  questionFailed(): void {
    this.#asked.clear();
  }

  /** Call for each answer about app state before the library handles it, with the files that it refers to. */
  see(frame: BinaryNode): void {
    const sync = getBinaryNodeChild(frame, 'sync');
    for (const collection of getBinaryNodeChildren(sync, 'collection')) this.#seeCollection(collection);
  }

  /** Names brought up to date since the last call. */
  takeCurrent(): Set<string> {
    const current = new Set(this.#current);
    this.#current.clear();
    return current;
  }

  /** What the server refused of a collection since the last call; null: nothing. */
  takeRefusal(): RequestRefused | null {
    const refusal = this.#refusal;
    this.#refusal = null;
    return refusal;
  }

  /** Whether a snapshot of the collection would take the place of something. */
  replaces(collection: string): boolean {
    if (!this.#stored.has(collection)) return false;
    this.#spoilt.add(collection);
    return true;
  }

  /** Names for which `replaces` was true since the last call. */
  takeSpoilt(): Set<string> {
    const spoilt = new Set(this.#spoilt);
    this.#spoilt.clear();
    return spoilt;
  }

  /** A key store that journals patches in the commit that applies them. */
  watch(keys: SignalKeyStore): SignalKeyStore {
    return {
      get: (type, ids) => keys.get(type, ids),
      set: async (data) => {
        const versions = data[VERSION_KEY_TYPE];
        if (!versions) return keys.set(data);
        // The library looks at refusals of the whole question alone, and would go on from a version that nobody has.
        const refused = Object.keys(versions).find((name) => this.#refused.has(name));
        if (refused !== undefined) throw new AppStateConflict(refused);
        const entries = this.#appliedUpTo(versions);
        await keys.set({ ...data, ...(entries.length > 0 ? journalRows(entries) : {}) });
        for (const name of Object.keys(versions)) {
          this.#current.add(name);
          this.#stored.add(name);
          this.#seen.delete(name);
        }
        for (const entry of entries) this.#applied(entry);
      },
      ...(keys.clear ? { clear: () => keys.clear?.() } : {}),
    };
  }

  #seeCollection(collection: BinaryNode): void {
    const { name, type } = collection.attrs;
    if (!name) return;
    this.#asked.delete(name);
    const { code, text = 'refused' } = getBinaryNodeChild(collection, 'error')?.attrs ?? {};
    // It is not there this time (`app-state-answers.ts`): nothing is said of it.
    if (type === 'error' && !code) return;
    this.#refused.delete(name);
    if (type === 'error') {
      if (code === CONFLICT) this.#refused.add(name);
      this.#refusal = new RequestRefused(Number(code), `${text}, of ${name}`);
      return;
    }
    const patches = getBinaryNodeChildren(
      getBinaryNodeChild(collection, 'patches') ?? collection,
      'patch',
    ).flatMap((node) => (node.content instanceof Uint8Array ? [node.content] : []));
    if (patches.length === 0) this.#current.add(name);
    const seen = this.#seen.get(name) ?? new Map<number, Uint8Array>();
    for (const bytes of patches) {
      const version = versionOf(bytes) ?? Number(collection.attrs.version) + 1;
      if (Number.isFinite(version)) seen.set(version, new Uint8Array(bytes));
    }
    this.#seen.set(name, seen);
  }

  #appliedUpTo(versions: { [name: string]: { version: number } | null }): JournalEntry[] {
    return Object.entries(versions).flatMap(([name, state]) => {
      const applied = [...(this.#seen.get(name) ?? [])]
        .filter(([version]) => state !== null && version <= state.version)
        .sort(([a], [b]) => a - b)
        .flatMap(([version, patch]) => pieces(patch).map((piece) => ({ version, ...piece })));
      return applied.map((piece, index) => {
        const told = this.#synced.has(name) ? 'news' : 'state';
        const begins = told === 'state' && index === 0 && !this.#stored.has(name);
        return journalEntry(name, { ...piece, told, begins });
      });
    });
  }
}

/** True for a row that holds an app-state patch. */
export function isAppStateEntry(entry: JournalEntry): boolean {
  return entry.id.startsWith(ID_PREFIX);
}

/** What a row of the journal holds. */
export interface AppliedPatch {
  collection: StateCollection;
  /** Changes that others made, or what was there when the collection was fetched first. */
  told: 'news' | 'state';
  /** Of state: nothing of the collection came before. */
  begins: boolean;
}

/** Of a row for which `isAppStateEntry` is true. */
export async function appliedPatch({ id, stanza }: JournalEntry): Promise<AppliedPatch> {
  const { attrs } = (await decodeStanza(stanza)).stanza;
  const collection = STATE_COLLECTIONS.find((name) => name === id.split('|')[1]);
  if (!collection) throw new UnreadableProtobuf('an app state of no known collection');
  return { collection, told: attrs.told === 'state' ? 'state' : 'news', begins: attrs.begins === 'true' };
}

interface Piece {
  bytes: Uint8Array;
  /** Counted from 0; null for a patch that is whole. */
  place: number | null;
}

function pieces(patch: Uint8Array): Piece[] {
  if (patch.length <= UNDIVIDED_BYTES) return [{ bytes: patch, place: null }];
  try {
    const { mutations } = decodeProtobuf(proto.SyncdPatch, patch);
    const count = Math.ceil(mutations.length / MUTATIONS_PER_PIECE);
    return Array.from({ length: count }, (_, place) => {
      const begin = place * MUTATIONS_PER_PIECE;
      const some = mutations.slice(begin, begin + MUTATIONS_PER_PIECE);
      return { bytes: proto.SyncdPatch.encode({ mutations: some }).finish(), place };
    });
  } catch {
    // It is set aside as it came.
    return [{ bytes: patch, place: null }];
  }
}

function journalEntry(
  name: string,
  piece: Piece & { version: number; told: AppliedPatch['told']; begins: boolean },
): JournalEntry {
  const { version, bytes, place, told, begins } = piece;
  const numbers = [String(version).padStart(VERSION_DIGITS, '0')];
  if (place !== null) numbers.push(String(place).padStart(PIECE_DIGITS, '0'));
  const attrs = { name, version: String(version), told, ...(begins ? { begins: 'true' } : {}) };
  return {
    id: `${ID_PREFIX}${name}|${numbers.join('|')}`,
    stanza: encodeStanza({ tag: 'collection', attrs }),
    plaintext: bytes,
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
