import { createHash } from 'node:crypto';
import { pause, systemClock } from '../../../clock.ts';
import type { JournalEntry } from '../../port/credentials.ts';
import { JOURNAL_KEY_TYPE, StoreFailure } from '../connection/auth-state.ts';
import { inTurn } from '../connection/signal-turns.ts';
import {
  type BinaryNode,
  DEFAULT_CONNECTION_CONFIG,
  getBinaryNodeChildren,
  type SignalDataSet,
  type SignalKeyStoreWithTransaction,
  type SignalRepositoryWithLIDStore,
  type UserFacingSocketConfig,
  unpadRandomMax16,
} from '../library.ts';
import { encodeStanza } from '../parse/journal-stanza.ts';
import type { Journal } from './journal.ts';

/** The library itself has tried a commit a few times by then (`COMMIT_TRIES`). */
const STORE_RETRY_MS = 1000;

type MakeSignalRepository = NonNullable<UserFacingSocketConfig['makeSignalRepository']>;

/** What the tap saw of one ciphertext of a message stanza. */
export interface TapHandlers {
  /** Ratchet and journal row are committed; the receipt has not left yet. */
  decrypted(entry: JournalEntry, stanza: BinaryNode): void;
  /** The ciphertext could not be opened; the library now asks the sender to encrypt it again. */
  failed(stanza: BinaryNode, error: unknown): void;
  /** The library opens a ciphertext that no stanza brought past the tap: it is not opened. */
  unseen(): void;
}

/** The buffer that is to be decrypted is none of those in the stanzas that were seen: the library has changed. */
export class UnseenCiphertext extends Error {
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
  readonly #stanzas = new WeakMap<Uint8Array, { stanza: BinaryNode; index: number }>();
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
    getBinaryNodeChildren(stanza, 'enc').forEach((enc, index) => {
      if (enc.content instanceof Uint8Array) this.#stanzas.set(enc.content, { stanza, index });
    });
  }

  readonly makeSignalRepository: MakeSignalRepository = (auth, logger, pnToLid) => {
    const inner = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger, pnToLid);
    // Given with transaction capability by socket.js; the type of the option is wider.
    const keys = auth.keys as SignalKeyStoreWithTransaction;
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
    const store = lidMapping.storeLIDPNMappings.bind(lidMapping);
    lidMapping.storeLIDPNMappings = (pairs) => this.#patiently(() => store(pairs));
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
    const { stanza, index } = seen;
    const id = entryId(stanza, index, ciphertext);
    const known = this.#journal.find(id);
    if (known) {
      this.#handlers.decrypted(known, stanza);
      return padded(known.plaintext);
    }
    let entry: JournalEntry | null = null;
    let opened: Uint8Array;
    try {
      opened = await this.#patiently(() =>
        keys.transaction(async () => {
          const plaintext = await decrypt();
          entry = journalEntry(id, stanza, unpadRandomMax16(plaintext));
          await keys.set({ [JOURNAL_KEY_TYPE]: { [entry.id]: entry } } as unknown as SignalDataSet);
          return plaintext;
        }, lock),
      );
    } catch (error) {
      if (!(error instanceof StoreFailure)) this.#handlers.failed(stanza, error);
      throw error;
    }
    if (entry) {
      this.#journal.committed(entry);
      this.#handlers.decrypted(entry, stanza);
    }
    return opened;
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
        if (!(error instanceof StoreFailure) || this.#stopping.signal.aborted) throw error;
        await pause(STORE_RETRY_MS, this.#stopping.signal);
      }
    }
  }
}

/** The ciphertext is part of it: a sender that was asked to try again reuses the message id. */
function entryId(stanza: BinaryNode, index: number, ciphertext: Uint8Array): string {
  const { from = '', participant = '', id = '' } = stanza.attrs;
  const digest = createHash('sha256').update(ciphertext).digest('base64url').slice(0, 16);
  return `${from}|${participant}|${id}|${index}|${digest}`;
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

/** As a sender pads: the last byte says how many bytes to take off (Baileys `unpadRandomMax16`). */
function padded(plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(plaintext.length + 1);
  out.set(plaintext);
  out[plaintext.length] = 1;
  return out;
}
