/**
 * A linked session that another program holds, on its way into the store of a device here.
 *
 * Formats are read in `moving/`; they find values and unpack them, and judge none. What the values mean, whether
 * they fit together, and in which form they are kept is the engine's affair: a `HeldSessionReader`.
 */
import type { KeyChange } from './credentials.ts';
import type { Jid } from './identity.ts';

/**
 * The keys that a session consists of. Names and shapes are those of Baileys' `SignalDataTypeMap`
 * (Types/Auth.ts of 7.0.0), because the key store holds them so:
 *
 * | type                     | id                                          | value                                         |
 * |--------------------------|---------------------------------------------|-----------------------------------------------|
 * | `pre-key`                | its number                                  | `{ public, private }`, 32 bytes each          |
 * | `session`                | `<user>[_<domain>].<device>`, see below     | libsignal's record as JSON: `{ _sessions, version: 'v1' }`, bytes in base64 |
 * | `identity-key`           | as `session`                                | 33 bytes, `0x05` first                        |
 * | `sender-key`             | `<group JID>::<user>[_<domain>]::<device>`  | bytes of JSON: a list of sender key states    |
 * | `sender-key-memory`      | group JID                                   | `{ [device JID]: true }`: who has our key     |
 * | `app-state-sync-key`     | key id in base64                            | `{ keyData, fingerprint, timestamp }`         |
 * | `app-state-sync-version` | name of the collection                      | `{ version, hash, indexValueMap }`            |
 * | `lid-mapping`            | number's digits; `<LID digits>_reverse`     | the other one's digits                        |
 * | `device-list`            | user                                        | device numbers, as text                       |
 * | `tctoken`                | JID                                         | `{ token, timestamp }`                        |
 * | `nct-salt`               | `own`                                       | bytes; Baileys has none                       |
 *
 * The domain is left out for a number, 1 for a LID, 128 for a hosted number, 129 for a hosted LID (WABinary/jid-utils.ts).
 */
export const HELD_KEY_TYPES = [
  'pre-key',
  'session',
  'identity-key',
  'sender-key',
  'sender-key-memory',
  'app-state-sync-key',
  'app-state-sync-version',
  'lid-mapping',
  'device-list',
  'tctoken',
  'nct-salt',
] as const;

export type HeldKeyType = (typeof HELD_KEY_TYPES)[number];

export interface HeldKey {
  type: HeldKeyType;
  id: string;
  /** Bytes are Uint8Array, or any of the forms that JSON has for them. Nobody has looked whether it is what the type says. */
  value: unknown;
  /** Where it was found, for the error when it cannot be read: a file's name, a table's. Never a value. */
  place: string;
}

/** Something that was found and stays behind. */
export interface NotTaken {
  /** A key type, or a word of the format's own for what has no place here. */
  what: string;
  count: number;
  /** What follows from it for the account. */
  why: string;
  /** Where some of it was found. */
  places?: string[];
}

export interface HeldSession {
  /** Baileys' `AuthenticationCreds`, bytes as in `HeldKey`. Nobody has looked whether it is that. */
  creds: unknown;
  /** Where `creds` was found, as in `HeldKey`. */
  place: string;
  /** Read once, one after the other: there may be a hundred thousand. */
  keys: Iterable<HeldKey>;
  /** What the format itself leaves out; read after `keys`. */
  notTaken: NotTaken[];
}

/** A held session whose keys come one after the other, from a thread that reads them. */
export interface ComingSession extends Omit<HeldSession, 'keys'> {
  keys: AsyncIterable<HeldKey>;
}

/** Whose session it is, by what it holds. */
export interface HeldIdentity {
  /** Phone-number JID with the device part: which companion of the account this is. */
  deviceJid: Jid;
  /** Without the device part. */
  jid: Jid;
  lid: Jid | null;
  pushName: string | null;
  platform: string | null;
  /** Of the companion: 32 bytes, public. Two stores with the same one hold the same session. */
  identityKey: Uint8Array;
}

/** A session that was checked: the bytes for the credential store. */
export interface CheckedSession {
  identity: HeldIdentity;
  credentials: Uint8Array;
  changes: KeyChange[];
  /** How many of each type `changes` has. */
  taken: { what: HeldKeyType; count: number }[];
  notTaken: NotTaken[];
}

/** What an engine does with held sessions. */
export interface HeldSessionReader {
  /**
   * Checks what was found and brings it into the engine's form, a few keys at a time, for others wait too. A key that
   * is not understood stays behind and is told; without sound credentials there is no session. Throws
   * `HeldSessionRefused`.
   */
  check(held: HeldSession | ComingSession): Promise<CheckedSession>;
  /** Whose session stored credentials are; null before a phone has linked it. */
  identityOf(credentials: Uint8Array): HeldIdentity | null;
}

/** What is wrong with a held session. */
export type RefusalKind =
  /** A value is missing, or is not what it has to be. */
  | 'malformed'
  /** Each value is what it has to be, but they do not belong together, or are not genuine. */
  | 'inconsistent'
  /** It was never linked to a phone, or its linking was not finished. */
  | 'not_linked';

export class HeldSessionRefused extends Error {
  readonly kind: RefusalKind;
  /** The member, as in `creds.noiseKey.private`; values are never told. */
  readonly field: string;
  /** File or table. */
  readonly place: string;

  constructor(kind: RefusalKind, field: string, place: string, message: string) {
    super(message);
    this.name = 'HeldSessionRefused';
    this.kind = kind;
    this.field = field;
    this.place = place;
  }
}
