/** The Signal protocol, with what Baileys takes of `libsignal`. */
export { ProtocolAddress } from './address.ts';
export type { KeyBundle } from './agreement.ts';
export * as crypto from './crypto.ts';
export * as curve from './curve.ts';
export {
  ForgedPreKeyError,
  MessageCounterError,
  PreKeyError,
  SessionError,
  UntrustedIdentityKeyError,
} from './errors.ts';
export { SessionBuilder } from './session-builder.ts';
export { SessionCipher } from './session-cipher.ts';
export { SessionRecord, type StoredRecord } from './session-record.ts';
export type { SignalStorage } from './storage.ts';
