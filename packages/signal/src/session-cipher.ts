import type { ProtocolAddress } from './address.ts';
import { answer } from './agreement.ts';
import { MOST_SKIPPED } from './chain.ts';
import { PreKeyError, SessionError, UntrustedIdentityKeyError } from './errors.ts';
import {
  decodePreKeyWhisper,
  decodeWhisper,
  encodePreKeyWhisper,
  type PreKeyWhisper,
  type ReceivedWhisper,
} from './messages.ts';
import { knowsChain, type Opened, open, seal } from './ratchet.ts';
import { SessionRecord } from './session-record.ts';
import { RECEIVING_FROM, SENDING_TO, type SignalStorage } from './storage.ts';
import { base64, publicKeyOf, type StoredSession, THEIRS } from './stored-session.ts';
import { inTurn } from './turns.ts';
import { typedKey } from './x25519.ts';

/** The type of a sealed message: the first ones of a session bring what the other side needs for it. */
const WHISPER = 1;
const PRE_KEY_WHISPER = 3;

export interface SealedMessage {
  readonly type: typeof WHISPER | typeof PRE_KEY_WHISPER;
  readonly body: Buffer;
  /** The other device's. */
  readonly registrationId: number;
}

/** Seals messages for a device, and opens its. */
export class SessionCipher {
  readonly #storage: SignalStorage;
  readonly #address: string;

  constructor(storage: SignalStorage, address: ProtocolAddress) {
    this.#storage = storage;
    this.#address = address.toString();
  }

  /** Throws `SessionError` where no session is open. */
  encrypt(plaintext: Uint8Array): Promise<SealedMessage> {
    return inTurn(this.#storage, this.#address, async () => {
      const record = await this.#storage.loadSession(this.#address);
      const session = record?.current();
      if (!record || !session) throw new SessionError(record ? 'No open session' : 'No sessions');
      await this.#trust(publicKeyOf(session.indexInfo.remoteIdentityKey), SENDING_TO);
      const identityKey = await this.#ourIdentityKey();
      const sealed = seal(session, identityKey, plaintext);
      const { pendingPreKey, registrationId } = session;
      const ours = pendingPreKey ? await this.#storage.getOurRegistrationId() : 0;
      await this.#storage.storeSession(this.#address, record.withCurrent(sealed.session, Date.now()));
      if (!pendingPreKey) return { type: WHISPER, body: sealed.message, registrationId };
      const body = encodePreKeyWhisper({
        registrationId: ours,
        preKeyId: pendingPreKey.preKeyId,
        signedPreKeyId: pendingPreKey.signedKeyId,
        baseKey: publicKeyOf(pendingPreKey.baseKey),
        identityKey,
        message: sealed.message,
      });
      return { type: PRE_KEY_WHISPER, body, registrationId };
    });
  }

  /**
   * Opens a `WhisperMessage` in whichever session it is of. Throws `SessionError` where it is of none,
   * `MessageCounterError` where it was opened before, `MalformedError` for what is no message.
   */
  decryptWhisperMessage(bytes: Uint8Array): Promise<Buffer> {
    return inTurn(this.#storage, this.#address, async () => {
      const record = await this.#storage.loadSession(this.#address);
      if (!record) throw new SessionError('No session record');
      const identityKey = await this.#ourIdentityKey();
      const opened = openInAny(record.inOrderOfUse(), identityKey, decodeWhisper(bytes));
      await this.#trust(publicKeyOf(opened.session.indexInfo.remoteIdentityKey), RECEIVING_FROM);
      return this.#keep(record, opened);
    });
  }

  /**
   * Opens a `PreKeyWhisperMessage`, with which the other side has begun a session. Throws as for the others, and
   * `PreKeyError` where a key that it was begun with is not there any more.
   */
  decryptPreKeyWhisperMessage(bytes: Uint8Array): Promise<Buffer> {
    return inTurn(this.#storage, this.#address, async () => {
      const message = decodePreKeyWhisper(bytes);
      await this.#trust(message.identityKey, RECEIVING_FROM);
      const record = (await this.#storage.loadSession(this.#address)) ?? new SessionRecord();
      const known = record.find(base64(message.baseKey));
      if (known && known.indexInfo.baseKeyType !== THEIRS) {
        throw new SessionError('the session is begun with a key of ours');
      }
      const session = known ?? (await this.#answer(message));
      const opened = open(session, await this.#ourIdentityKey(), decodeWhisper(message.message));
      const plaintext = await this.#keep(record, opened);
      if (!known && message.preKeyId !== undefined) await this.#storage.removePreKey(message.preKeyId);
      return plaintext;
    });
  }

  async #keep(record: SessionRecord, { session, plaintext }: Opened): Promise<Buffer> {
    await this.#storage.storeSession(this.#address, record.withCurrent(session, Date.now()));
    return plaintext;
  }

  async #answer(message: PreKeyWhisper): Promise<StoredSession> {
    const { preKeyId, signedPreKeyId } = message;
    const preKey = preKeyId === undefined ? undefined : await this.#storage.loadPreKey(preKeyId);
    if (preKeyId !== undefined && !preKey) throw new PreKeyError('Invalid PreKey ID');
    const signedPreKey = await this.#storage.loadSignedPreKey(signedPreKeyId);
    if (!signedPreKey) throw new PreKeyError('Missing SignedPreKey');
    const identity = await this.#storage.getOurIdentity();
    return answer({ identity, signedPreKey, preKey: preKey ?? undefined }, message, Date.now());
  }

  async #ourIdentityKey(): Promise<Buffer> {
    return typedKey((await this.#storage.getOurIdentity()).pubKey);
  }

  async #trust(identityKey: Uint8Array, direction: number): Promise<void> {
    if (await this.#storage.isTrustedIdentity(this.#address, identityKey, direction)) return;
    throw new UntrustedIdentityKeyError(this.#address);
  }
}

/**
 * Keys of messages that may be passed over in all sessions together, to try them with one message: until a MAC is right
 * its counter is anybody's number, and somebody may have begun forty sessions with us.
 */
const MOST_PASSED = 5 * MOST_SKIPPED;

/** One that has the chain of the message is the only one that it can be of, and says what is wrong with it. */
function openInAny(
  sessions: readonly StoredSession[],
  ourIdentity: Uint8Array,
  message: ReceivedWhisper,
): Opened {
  const knowing = sessions.find((session) => knowsChain(session, message));
  if (knowing) return open(knowing, ourIdentity, message);
  let cause: unknown;
  const affordable = Math.floor(MOST_PASSED / Math.max(message.counter, 1));
  for (const session of sessions.slice(0, affordable)) {
    try {
      return open(session, ourIdentity, message);
    } catch (error) {
      // It is of another session, or of none: what the one in use says tells most.
      cause ??= error;
    }
  }
  throw new SessionError('No matching sessions found for message', { cause });
}
