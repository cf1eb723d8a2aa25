import { createHash } from 'node:crypto';
import { pause, systemClock } from '../../../clock.ts';
import type { JournalEntry } from '../../port/credentials.ts';
import { journalRows } from '../connection/auth-state.ts';
import { askingOnce, nameableByNumber } from '../connection/known-by-number.ts';
import { newNames, sessionMigration } from '../connection/session-migration.ts';
import { inTurn } from '../connection/signal-turns.ts';
import { WatchedReads } from '../connection/watched-reads.ts';
import {
  type BinaryNode,
  DEFAULT_CONNECTION_CONFIG,
  getBinaryNodeChildren,
  proto,
  type SignalKeyStoreWithTransaction,
  type SignalRepositoryWithLIDStore,
  type UserFacingSocketConfig,
  unpadRandomMax16,
} from '../library.ts';
import { assistantParts } from '../parse/assistant-answer.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import { encodeStanza } from '../parse/journal-stanza.ts';
import { isNewsletterChange, newsletterChangeId } from '../parse/newsletter-change.ts';
import { type Journal, UNREAD } from './journal.ts';
import { storeCannot } from './may-pass.ts';

/** The library itself has tried a commit a few times by then (`COMMIT_TRIES`). */
const STORE_RETRY_MS = 1000;

type MakeSignalRepository = NonNullable<UserFacingSocketConfig['makeSignalRepository']>;

/** Where a ciphertext stands. */
interface Seen {
  stanza: BinaryNode;
  index: number;
  /** It is no ciphertext: posts of channels are not encrypted. */
  plain: boolean;
}

/** What the tap saw of one ciphertext of a message stanza. */
export interface TapHandlers {
  /** Ratchet and journal row are committed; the receipt has not left yet. */
  decrypted(entry: JournalEntry, stanza: BinaryNode): void;
  /**
   * The ciphertext could not be opened, which is journaled; the library now asks the sender to encrypt it again.
   */
  failed(entry: JournalEntry, stanza: BinaryNode): void;
  /** Whether the message has come before, stored by now or not: `row` is how ids of its rows begin. */
  hasReceived(stanza: BinaryNode, row: string): Promise<boolean>;
  /** The library opens a ciphertext that no stanza brought past the tap: it is not opened. */
  unseen(): void;
}

/**
 * A ratchet that has moved past a ciphertext: `errors.js` of libsignal, `group_cipher.js` of the library. The
 * library takes every such message for one that has come before, and acknowledges it without a word.
 */
const COUNTER_USED = /Key used already or never filled|MessageCounterError|Old counter/i;

/**
 * Clients that write while they read use counters twice (whatsmeow issue 1095): the counter was used, and the
 * message never came. Said in other words than the library's, which then asks the sender for the message again.
 */
class CounterReused extends Error {
  constructor(cause: unknown) {
    super('the counter of a message that never came was used by another', { cause });
    this.name = 'CounterReused';
  }
}

/** The buffer that is to be decrypted is none of those in the stanzas that were seen: the library has changed. */
class UnseenCiphertext extends Error {
  constructor() {
    super('a ciphertext did not come past the decryption tap: see decryption-tap.ts');
    this.name = 'UnseenCiphertext';
  }
}

/**
 * Stands between the library and its Signal repository, so that a message is on disk before its sender
 * can be told that it was delivered.
 *
 * The library sends the delivery receipt inside `handleMessage`, before it reports the message: a crash in
 * between loses it for good. `keys.transaction` gathers every `keys.set` of its body, nested ones included,
 * into one `set`; so decrypting inside an outer transaction and setting one more key type there commits the
 * ratchet and the plaintext together, and only then does `decrypt` return and the receipt leave.
 *
 * A ciphertext is matched to its stanza by the identity of its buffer: `noteStanza` sees each stanza first.
 * One that is in the journal is not decrypted again: its plaintext is handed out as if it had just been, and
 * the library does with it what it would have done then (receipt, sender keys, protocol messages).
 */
export class DecryptionTap {
  readonly #stanzas = new WeakMap<Uint8Array, Seen>();
  readonly #journal: Journal;
  readonly #handlers: TapHandlers;
  readonly #stopping = new AbortController();

  constructor(journal: Journal, handlers: TapHandlers) {
    this.#journal = journal;
    this.#handlers = handlers;
  }

  /** The connection has ended: nothing is tried again. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Call for each `<message>` before the library handles it. */
  noteStanza(stanza: BinaryNode): void {
    const children = Array.isArray(stanza.content) ? stanza.content : [];
    const carriers = children.filter(({ tag }) => tag === 'enc' || tag === 'plaintext');
    carriers.forEach((carrier, index) => {
      if (!(carrier.content instanceof Uint8Array)) return;
      const plain = carrier.tag === 'plaintext';
      this.#stanzas.set(carrier.content, { stanza, index, plain });
      // The library would take it as it is, and acknowledge it before anybody has kept it.
      if (plain) Object.assign(carrier, { tag: 'enc', attrs: { ...carrier.attrs, type: 'msg' } });
    });
  }

  readonly makeSignalRepository: MakeSignalRepository = (auth, logger, pnToLid) => {
    // Given with transaction capability by socket.js; the type of the option is wider.
    const keys = auth.keys as SignalKeyStoreWithTransaction;
    const reads = new WatchedReads(keys);
    const library = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
      { ...auth, keys: reads.keys },
      logger,
      askingOnce(pnToLid, systemClock),
    );
    const migrateSession = sessionMigration({ keys: reads.keys, repository: library });
    const inner = reads.watched({ ...library, migrateSession });
    const tapped: SignalRepositoryWithLIDStore = {
      ...inner,
      decryptMessage: (opts) => this.#open(keys, opts.jid, opts.ciphertext, () => inner.decryptMessage(opts)),
      decryptGroupMessage: (opts) =>
        this.#open(keys, opts.group, opts.msg, () => inner.decryptGroupMessage(opts)),
      migrateSession: (from, to) => this.#patiently(() => inner.migrateSession(from, to)),
    };
    // Before it decrypts, the library stores who the sender is, and takes a failure for one of the message:
    // the stanza would be acknowledged with an error and gone (messages-recv.js `handleMessage`).
    const { lidMapping } = tapped;
    nameableByNumber(lidMapping);
    const store = lidMapping.storeLIDPNMappings.bind(lidMapping);
    lidMapping.storeLIDPNMappings = async (pairs) => {
      const learnt = await this.#patiently(() => newNames(pairs, reads.keys));
      await this.#patiently(() => store(pairs));
      // Also where the library does not think of it: a send looks for sessions under the LID from now on.
      for (const { pn, lid } of learnt) await tapped.migrateSession(pn, lid);
    };
    return inTurn(tapped, keys);
  };

  async #open(
    keys: SignalKeyStoreWithTransaction,
    lock: string,
    ciphertext: Uint8Array,
    decrypt: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const seen = this.#stanzas.get(ciphertext);
    if (!seen) {
      // Opened here, it would be acknowledged without ever having been on the disk.
      this.#handlers.unseen();
      throw new UnseenCiphertext();
    }
    const { stanza, index, plain } = seen;
    const id = entryId(stanza, index, ciphertext);
    const known = this.#journal.find(id);
    if (known) {
      this.#handlers.decrypted(known, stanza);
      return forLibrary(known.plaintext);
    }
    let entry: JournalEntry;
    try {
      entry = await this.#patiently(() =>
        keys.transaction(async () => {
          const plaintext = plain ? ciphertext : unpadRandomMax16(await decrypt());
          const opened = journalEntry(id, stanza, plaintext);
          await keys.set(journalRows([opened]));
          return opened;
        }, lock),
      );
    } catch (error) {
      if (storeCannot(error)) throw error;
      throw await this.#unread(keys, id, seen, error);
    }
    this.#journal.committed(entry);
    this.#handlers.decrypted(entry, stanza);
    return forLibrary(entry.plaintext);
  }

  /** Journals that a message could not be read, before the library says so; gives the error to say it with. */
  async #unread(
    keys: SignalKeyStoreWithTransaction,
    id: string,
    { stanza, index }: Seen,
    error: unknown,
  ): Promise<unknown> {
    if (stanza.attrs.category === 'peer') return error;
    const used = error instanceof Error && COUNTER_USED.test(`${error.name} ${error.message}`);
    const row = `${messageKey(stanza)}${index}|`;
    if (used && (await this.#patiently(() => this.#handlers.hasReceived(stanza, row)))) return error;
    // Its keys are there again when the sender distributes them anew: the same bytes may be readable then.
    const entry = unreadEntry(`${id}${UNREAD}`, stanza);
    await this.#patiently(async () => keys.set(journalRows([entry])));
    this.#journal.committed(entry);
    this.#handlers.failed(entry, stanza);
    return used ? new CounterReused(error) : error;
  }

  /**
   * A ratchet that could not be stored has not moved, and the message can be read once the disk is not full
   * any more. To the library a failed commit is a failed decryption: it would take the message off the server
   * and ask its sender for another copy, five times at most. So it waits here, and what came later behind it.
   */
  async #patiently<T>(open: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await open();
      } catch (error) {
        if (!storeCannot(error) || this.#stopping.signal.aborted) throw error;
        await pause(STORE_RETRY_MS, this.#stopping.signal);
      }
    }
  }
}

/** Kinds of ciphertext that the library gives to the repository (decode-wa-message.js `decrypt`). */
const OPENED = new Set(['pkmsg', 'msg', 'skmsg']);

/** Whether the library will ask for anything in the stanza to be opened: call after `noteStanza`. */
export function isOpenedByTap(stanza: BinaryNode): boolean {
  const encs = getBinaryNodeChildren(stanza, 'enc');
  // The library looks at the type of the first one (messages-recv.js `handleMessage`).
  if (encs[0]?.attrs.type === 'msmsg') return false;
  return encs.some(({ attrs, content }) => OPENED.has(attrs.type ?? '') && content instanceof Uint8Array);
}

/** With it the ids of all rows of a message begin. */
export function messageKey(stanza: BinaryNode): string {
  const { from = '', participant = '', id = '' } = stanza.attrs;
  // The id of a post is that of its changes too, and a change may bring back what it said before.
  return `${from}|${participant}|${isNewsletterChange(stanza) ? newsletterChangeId(stanza) : id}|`;
}

/** The row of a message in which there was nothing to open. */
export function unopenedId(stanza: BinaryNode): string {
  return `${messageKey(stanza)}${UNREAD}`;
}

/** The ciphertext is part of it: a sender that was asked to try again reuses the message id. */
function entryId(stanza: BinaryNode, index: number, ciphertext: Uint8Array): string {
  const digest = createHash('sha256').update(ciphertext).digest('base64url').slice(0, 16);
  return `${messageKey(stanza)}${index}|${digest}`;
}

/** What an assistant answered, as it came: it belongs to no ratchet. */
export function assistantEntry(stanza: BinaryNode): JournalEntry {
  const { bare, sealed } = assistantParts(stanza);
  const id = entryId(stanza, 0, sealed);
  return { id, stanza: encodeStanza(bare), plaintext: sealed, receivedAt: nextReceivedAt() };
}

let lastReceivedAt = 0;

/** Never the same twice: the journal is read back in this order, and one millisecond holds many messages. */
function nextReceivedAt(): number {
  lastReceivedAt = Math.max(systemClock.now(), lastReceivedAt + 1);
  return lastReceivedAt;
}

function journalEntry(id: string, stanza: BinaryNode, plaintext: Uint8Array): JournalEntry {
  const bare: BinaryNode = { tag: stanza.tag, attrs: stanza.attrs };
  return {
    id,
    stanza: encodeStanza(bare),
    plaintext: new Uint8Array(plaintext),
    receivedAt: nextReceivedAt(),
  };
}

/** A message that came and cannot be read. */
export function unreadEntry(id: string, stanza: BinaryNode): JournalEntry {
  // Why there is nothing to read, where the server says it.
  const content = getBinaryNodeChildren(stanza, 'unavailable').map(({ tag, attrs }) => ({ tag, attrs }));
  const bare: BinaryNode = {
    tag: stanza.tag,
    attrs: stanza.attrs,
    ...(content.length > 0 ? { content } : {}),
  };
  const row = encodeStanza(bare, { unread: true });
  return { id, stanza: row, plaintext: new Uint8Array(0), receivedAt: nextReceivedAt() };
}

/**
 * The plaintext as the library takes it: padded, with a last byte that says how many to take off (Baileys
 * `unpadRandomMax16`). What cannot be read, or only by a recursion without end, it gets to see as an empty
 * message: the sender's bytes are on the disk, and another copy of them would be no better.
 */
function forLibrary(plaintext: Uint8Array): Uint8Array {
  const readable = isReadable(plaintext) ? plaintext : new Uint8Array(0);
  const out = new Uint8Array(readable.length + 1);
  out.set(readable);
  out[readable.length] = 1;
  return out;
}

function isReadable(plaintext: Uint8Array): boolean {
  try {
    decodeProtobuf(proto.Message, plaintext);
    return true;
  } catch {
    return false;
  }
}
