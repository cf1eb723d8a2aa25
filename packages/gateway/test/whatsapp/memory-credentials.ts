import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageFailure } from '../../src/storage/failure.ts';
import type {
  CredentialStore,
  JournalEntry,
  KeyChange,
  SealedEntry,
} from '../../src/whatsapp/port/credentials.ts';

/** A credential store that lives as long as the test, and can be told to fail. */
export class MemoryCredentials implements CredentialStore {
  #credentials: Uint8Array | null = null;
  readonly #keys = new Map<string, Uint8Array>();
  readonly journal = new Map<string, JournalEntry | SealedEntry>();
  /** Every commit, in order: what it changed and what it journaled. */
  readonly commits: { keys: string[]; journal: string[] }[] = [];

  /** So many of the next reads of a key type fail. */
  unreadable: { type: string; times: number } | null = null;

  /** So many of the next commits that change a key of this type fail. */
  unwritable: { type: string; times: number } | null = null;

  /** Answers later, as a store does that is not in this process. */
  slow = false;

  #onJournal: (() => void) | null = null;
  #dead = false;
  readonly #deleted: (() => void)[] = [];

  /** The next commit that journals something is the last thing this process does; resolves then. */
  dieAfterNextJournal(): Promise<void> {
    return new Promise((resolve) => {
      this.#onJournal = resolve;
    });
  }

  /** A new process on the same disk. */
  revive(): void {
    this.#dead = false;
  }

  async readCredentials(): Promise<Uint8Array | null> {
    return this.#credentials;
  }

  async writeCredentials(value: Uint8Array): Promise<void> {
    this.#credentials = value;
  }

  async readKeys(type: string, ids: string[]): Promise<Map<string, Uint8Array>> {
    if (this.slow) await nextTurn();
    if (this.unreadable?.type === type && this.unreadable.times > 0) {
      this.unreadable.times -= 1;
      throw new StorageFailure('io', new Error('the disk does not answer'));
    }
    const found = new Map<string, Uint8Array>();
    for (const id of ids) {
      const value = this.#keys.get(`${type}/${id}`);
      if (value) found.set(id, value);
    }
    return found;
  }

  async write(changes: KeyChange[], journal: JournalEntry[] = []): Promise<void> {
    if (this.slow) await nextTurn();
    if (this.#dead) return new Promise(() => undefined);
    const { unwritable } = this;
    if (unwritable && unwritable.times > 0 && changes.some(({ type }) => type === unwritable.type)) {
      unwritable.times -= 1;
      throw new StorageFailure('io', new Error('the disk takes nothing'));
    }
    for (const { type, id, value } of changes) {
      if (value) this.#keys.set(`${type}/${id}`, value);
      else this.#keys.delete(`${type}/${id}`);
    }
    for (const entry of journal) this.journal.set(entry.id, entry);
    this.commits.push({
      keys: changes.map((change) => change.type),
      journal: journal.map((entry) => entry.id),
    });
    if (journal.length === 0 || !this.#onJournal) return;
    this.#dead = true;
    this.#onJournal();
    this.#onJournal = null;
    return new Promise(() => undefined);
  }

  async readJournal(): Promise<(JournalEntry | SealedEntry)[]> {
    return [...this.journal.values()].sort((a, b) => a.receivedAt - b.receivedAt);
  }

  /** Reasons by row id. */
  readonly aside = new Map<string, string>();

  async setAside(id: string, reason: string): Promise<void> {
    if (this.journal.delete(id)) this.aside.set(id, reason);
    for (const wake of this.#deleted.splice(0)) wake();
  }

  async deleteJournal(ids: string[]): Promise<void> {
    for (const id of ids) this.journal.delete(id);
    for (const wake of this.#deleted.splice(0)) wake();
  }

  /** Resolves when no entry of the message is left. */
  async forgotten(messageId: string): Promise<void> {
    while ([...this.journal.keys()].some((id) => id.includes(messageId))) {
      await new Promise<void>((wake) => this.#deleted.push(wake));
    }
  }

  async clear(): Promise<void> {
    this.#credentials = null;
    this.#keys.clear();
    this.journal.clear();
  }
}
