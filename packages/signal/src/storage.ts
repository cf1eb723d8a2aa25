import type { SessionRecord } from './session-record.ts';

/** Keys as a storage may give them: public ones with or without their type. */
export interface StoredKeyPair {
  privKey: Uint8Array;
  pubKey: Uint8Array;
}

type MaybeLater<T> = T | Promise<T>;

/** Where a client keeps what it is and its sessions. One object for each client: it stands for it in the order of work. */
export interface SignalStorage {
  loadSession(address: string): MaybeLater<SessionRecord | null | undefined>;
  storeSession(address: string, record: SessionRecord): MaybeLater<unknown>;
  isTrustedIdentity(address: string, identityKey: Uint8Array, direction: number): MaybeLater<boolean>;
  loadPreKey(id: number): MaybeLater<StoredKeyPair | null | undefined>;
  removePreKey(id: number): MaybeLater<unknown>;
  loadSignedPreKey(id: number): MaybeLater<StoredKeyPair | null | undefined>;
  getOurRegistrationId(): MaybeLater<number>;
  getOurIdentity(): MaybeLater<StoredKeyPair>;
}

/** What `isTrustedIdentity` is asked for. */
export const SENDING_TO = 1;
export const RECEIVING_FROM = 2;
