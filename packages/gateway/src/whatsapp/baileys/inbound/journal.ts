import type { Clock } from '../../../clock.ts';
import type { CredentialStore, JournalEntry, SealedEntry } from '../../port/credentials.ts';

/** How long stored entries are gathered before one deletion: at most this much is redone after a crash. */
const GATHER_MS = 500;

/** With it the id of an entry ends that tells of what could not be read. */
export const UNREAD = '|unread';

export interface JournalParts {
  store: CredentialStore;
  clock: Clock;
  /**
   * Resolves once the server has taken everything that was written to it before the call: a ping and its
   * answer, because stanzas are processed in their order. Rejects when the connection ends.
   */
  roundTrip(): Promise<void>;
  onFailure(error: unknown): void;
}

/**
 * The decrypted messages of a device that the server may still send again.
 *
 * A ciphertext can be opened once: the ratchet moves on with the commit that wrote its entry here. When the
 * process dies before the delivery receipt reaches the server, the same stanza comes again, and only its
 * entry can still say what was in it (whatsmeow keeps a buffer of decrypted events for the same reason).
 * So an entry stays until the archive has the message *and* the server has taken the receipt.
 */
export class Journal {
  readonly #parts: JournalParts;
  readonly #entries = new Map<string, JournalEntry>();
  #done: string[] = [];
  #purging: Promise<void> | null = null;
  #gathering: (() => void) | null = null;
  /** Set when the server said that all stored stanzas were sent: from then on entries can be forgotten. */
  #caughtUp = false;

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  /** What an earlier connection left behind, oldest first: stored or not, nobody can tell. */
  async load(): Promise<{ entries: JournalEntry[]; sealed: SealedEntry[] }> {
    const rows = await this.#parts.store.readJournal();
    const entries = rows.filter((row) => row.plaintext !== null);
    for (const entry of entries) this.#entries.set(entry.id, entry);
    return { entries, sealed: rows.filter((row) => row.plaintext === null) };
  }

  /** Whether an entry is here whose id begins so, of something that could be read. */
  hasRow(begin: string): boolean {
    return [...this.#entries.keys()].some((id) => id.startsWith(begin) && !id.endsWith(UNREAD));
  }

  /** The entry of a ciphertext that was opened before. */
  find(id: string): JournalEntry | undefined {
    return this.#entries.get(id);
  }

  /** The entry was committed with its ratchet. */
  committed(entry: JournalEntry): void {
    this.#entries.set(entry.id, entry);
  }

  /** The archive has what the entry says. */
  done(id: string): void {
    this.#done.push(id);
    this.#gather();
  }

  /** `<ib><offline/></ib>`: what the server had stored for us has all been sent. */
  caughtUp(): void {
    this.#caughtUp = true;
    this.#gather();
  }

  /** Deletes the rows that are done by now; resolves when they, or the connection, are gone. */
  async flush(): Promise<void> {
    this.#stopGathering();
    await this.#purging;
    await this.#purge();
  }

  close(): void {
    this.#stopGathering();
    this.#caughtUp = false;
  }

  #gather(): void {
    if (!this.#caughtUp || this.#gathering || this.#done.length === 0) return;
    this.#gathering = this.#parts.clock.after(GATHER_MS, () => {
      this.#gathering = null;
      this.#purging = this.#purge().finally(() => {
        this.#purging = null;
        this.#gather();
      });
    });
  }

  #stopGathering(): void {
    this.#gathering?.();
    this.#gathering = null;
  }

  async #purge(): Promise<void> {
    const ids = this.#done.splice(0);
    if (ids.length === 0 || !this.#caughtUp) {
      this.#done.unshift(...ids);
      return;
    }
    try {
      await this.#parts.roundTrip();
      await this.#parts.store.deleteJournal(ids);
      for (const id of ids) this.#entries.delete(id);
    } catch (error) {
      // Before the session is open, for one: the stored stanzas come first. Tried again while the connection
      // lasts; then they stay for the next one, where storing them again changes nothing.
      this.#done.unshift(...ids);
      this.#parts.onFailure(error);
    }
  }
}
