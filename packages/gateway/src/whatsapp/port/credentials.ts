/**
 * Where one device's keys live. Values are opaque bytes to the store; it encrypts them.
 * One `write` is one commit, all of it or nothing; it is durable when the promise resolves, or, in a store
 * that has `durable`, once that has resolved. Nothing that depends on it may leave the process earlier.
 */
export interface CredentialStore {
  readCredentials(): Promise<Uint8Array | null>;
  writeCredentials(value: Uint8Array): Promise<void>;
  readKeys(type: string, ids: string[]): Promise<Map<string, Uint8Array>>;
  /** A null value deletes. `journal` rows are written in the same commit. */
  write(changes: KeyChange[], journal?: JournalEntry[]): Promise<void>;
  /** Entries that were journaled but not yet reported as stored nor set aside, oldest first. */
  readJournal(): Promise<(JournalEntry | SealedEntry)[]>;
  deleteJournal(ids: string[]): Promise<void>;
  /** Keeps an entry for a person to look at: no start reads it again. `reason` is free of its content. */
  setAside(id: string, reason: string): Promise<void>;
  /** Forgets everything of this device: after a logout. */
  clear(): Promise<void>;
  /** Resolves once every commit made before the call is durable. */
  durable?(): Promise<void>;
}

/** The store of a device. Sessions come and go over it, and one at a time may write. */
export interface DeviceCredentials extends CredentialStore {
  /**
   * The store for the next session, once nothing of the one before is under way. From the call on, and from
   * a `clear`, whoever had a lease earlier reads, and is refused whatever it writes, with `LeaseEnded`: a
   * session that closes slowly would put its older keys over newer ones, or bring back what a logout removed.
   */
  lease(): Promise<CredentialStore>;
}

/** A write of a session that another has taken the place of, or whose keys were removed. */
export class LeaseEnded extends Error {
  constructor() {
    super('the keys of this device are no longer those of this session');
    this.name = 'LeaseEnded';
  }
}

export interface KeyChange {
  type: string;
  id: string;
  value: Uint8Array | null;
}

/** A decrypted stanza on its way into the archive: kept until it is stored there. */
export interface JournalEntry {
  /** Unique within the device: sender, message id and position of the ciphertext. */
  id: string;
  /** The stanza without its ciphertexts, in an encoding of the engine's own. */
  stanza: Uint8Array;
  /** Encoded waE2E.Message, unpadded. */
  plaintext: Uint8Array;
  receivedAt: number;
}

/** A row that is there, but whose plaintext the store cannot open any more. */
export interface SealedEntry {
  id: string;
  stanza: Uint8Array;
  plaintext: null;
  receivedAt: number;
}
