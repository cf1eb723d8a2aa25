import { randomInt } from 'node:crypto';
import {
  addTransactionCapability,
  type BinaryNode,
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  encodeBigEndian,
  extractE2ESessionFromRetryReceipt,
  getBinaryNodeChildren,
  type KeyPair,
  parseAndInjectE2ESessions,
  proto,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type SignedKeyPair,
  signedKeyPair,
  unpadRandomMax16,
  writeRandomPadMax16,
  xmppPreKey,
  xmppSignedPreKey,
} from 'baileys';

/** Key type of a curve25519 bundle on the wire (libsignal's DJB type byte). */
const KEY_BUNDLE_TYPE = Buffer.from([5]);
const SERVER = '@s.whatsapp.net';

type Repository = ReturnType<typeof DEFAULT_CONNECTION_CONFIG.makeSignalRepository>;
type Logger = Parameters<typeof DEFAULT_CONNECTION_CONFIG.makeSignalRepository>[1];

const silent: Logger = {
  level: 'silent',
  child: () => silent,
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

/** Signal keys of one phone, in memory: by type and id in `values`. */
export function memoryKeyStore(values = new Map<string, unknown>()): SignalKeyStore {
  return {
    get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
      const found: Record<string, SignalDataTypeMap[T]> = {};
      for (const id of ids) {
        const value = values.get(`${type}\n${id}`) as SignalDataTypeMap[T] | undefined;
        if (value !== undefined) found[id] = value;
      }
      return found;
    },
    set(data: SignalDataSet) {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries ?? {})) {
          if (value === null || value === undefined) values.delete(`${type}\n${id}`);
          else values.set(`${type}\n${id}`, value);
        }
      }
    },
  };
}

/** What makes a Signal client the same one again. */
export interface KeptSignal {
  readonly identity: KeyPair;
  readonly signedPreKey: SignedKeyPair;
  readonly registrationId: number;
  readonly nextPreKeyId: number;
  readonly keys: ReadonlyMap<string, unknown>;
}

export interface Encrypted {
  readonly type: 'pkmsg' | 'msg';
  readonly ciphertext: Uint8Array;
}

/**
 * The Signal half of a primary phone: identity, pre-keys, sessions, sender keys. Sessions are kept under
 * the peer device's LID, whichever address a stanza used, as current clients do.
 */
export class SignalClient {
  readonly identity: KeyPair;
  readonly signedPreKey: SignedKeyPair;
  /** 14 bits, never 0 (libsignal key helper). */
  readonly registrationId: number;
  readonly #values: Map<string, unknown>;
  readonly #keys: ReturnType<typeof addTransactionCapability>;
  readonly #repository: Repository;
  /** Devices seen with an open session: saves reading a session only to learn that it is there. */
  readonly #established = new Set<string>();
  #nextPreKeyId: number;

  /** A new client, or the one that was kept. Another store than one in memory is not kept. */
  constructor({ kept, store }: { kept?: KeptSignal; store?: SignalKeyStore } = {}) {
    this.identity = kept?.identity ?? Curve.generateKeyPair();
    this.signedPreKey = kept?.signedPreKey ?? signedKeyPair(this.identity, 1);
    this.registrationId = kept?.registrationId ?? randomInt(1, 16_381);
    this.#nextPreKeyId = kept?.nextPreKeyId ?? 1;
    this.#values = new Map(kept?.keys);
    const { identity: signedIdentityKey, signedPreKey, registrationId } = this;
    this.#keys = addTransactionCapability(store ?? memoryKeyStore(this.#values), silent, {
      maxCommitRetries: 1,
      delayBetweenTriesMs: 0,
    });
    this.#repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
      { creds: { signedIdentityKey, signedPreKey, registrationId }, keys: this.#keys },
      silent,
    );
  }

  kept(): KeptSignal {
    const { identity, signedPreKey, registrationId } = this;
    return {
      identity,
      signedPreKey,
      registrationId,
      nextPreKeyId: this.#nextPreKeyId,
      keys: this.#values,
    };
  }

  close(): void {
    this.#repository.close?.();
  }

  async #newPreKeys(count: number): Promise<BinaryNode[]> {
    const nodes: BinaryNode[] = [];
    const stored: Record<string, KeyPair> = {};
    for (let made = 0; made < count; made += 1) {
      const pair = Curve.generateKeyPair();
      stored[this.#nextPreKeyId] = pair;
      nodes.push(xmppPreKey(pair, this.#nextPreKeyId));
      this.#nextPreKeyId += 1;
    }
    await this.#keys.set({ 'pre-key': stored });
    return nodes;
  }

  /** The `iq` that uploads a fresh batch of one-time pre-keys (Baileys getNextPreKeysNode). */
  async preKeyUpload(count: number): Promise<BinaryNode> {
    return {
      tag: 'iq',
      attrs: { xmlns: 'encrypt', type: 'set', to: SERVER },
      content: [
        { tag: 'registration', attrs: {}, content: encodeBigEndian(this.registrationId) },
        { tag: 'type', attrs: {}, content: KEY_BUNDLE_TYPE },
        { tag: 'identity', attrs: {}, content: this.identity.public },
        { tag: 'list', attrs: {}, content: await this.#newPreKeys(count) },
        xmppSignedPreKey(this.signedPreKey),
      ],
    };
  }

  /** The `<keys>` child of a retry receipt: one unused pre-key beside the signed one. */
  async retryKeys(): Promise<BinaryNode> {
    const preKeys = await this.#newPreKeys(1);
    return {
      tag: 'keys',
      attrs: {},
      content: [
        { tag: 'type', attrs: {}, content: KEY_BUNDLE_TYPE },
        { tag: 'identity', attrs: {}, content: this.identity.public },
        ...preKeys,
        xmppSignedPreKey(this.signedPreKey),
      ],
    };
  }

  async hasSession(deviceLid: string): Promise<boolean> {
    if (this.#established.has(deviceLid)) return true;
    const { exists } = await this.#repository.validateSession(deviceLid);
    if (exists) this.#established.add(deviceLid);
    return exists;
  }

  /** Forgets every session with the device, as one with another identity key. */
  async forgetSession(deviceLid: string): Promise<void> {
    this.#established.delete(deviceLid);
    await this.#repository.deleteSession([deviceLid]);
  }

  /** As after going back to an old backup: neither a session with a device of the user nor a sender key of it is left. */
  async forgetUser(lid: string): Promise<void> {
    const [user = ''] = lid.split('@', 1);
    for (const device of this.#established) if (device.startsWith(user)) this.#established.delete(device);
    for (const key of this.#values.keys()) {
      const [type = '', id = ''] = key.split('\n', 2);
      if (['session', 'sender-key'].includes(type) && id.includes(user)) this.#values.delete(key);
    }
  }

  /**
   * Takes the answer to a pre-key query. Devices the server had no bundle for carry an `<error>` and are
   * left out; the return value names those that got a session.
   */
  async takeBundles(answer: BinaryNode): Promise<string[]> {
    const list = getBinaryNodeChildren(answer, 'list')[0];
    const users = getBinaryNodeChildren(list, 'user').filter(
      (user) => getBinaryNodeChildren(user, 'error').length === 0,
    );
    const usable: BinaryNode = {
      tag: 'iq',
      attrs: {},
      content: [{ tag: 'list', attrs: {}, content: users }],
    };
    await parseAndInjectE2ESessions(usable, this.#repository);
    return users.map((user) => user.attrs.jid ?? '');
  }

  /**
   * Begins a session with the key bundle in a retry receipt; false when the receipt carries none. The session
   * before is kept, as every client of libsignal keeps it: messages in it may be on their way.
   */
  async takeRetryBundle(deviceLid: string, receipt: BinaryNode): Promise<boolean> {
    const session = extractE2ESessionFromRetryReceipt(receipt);
    if (!session) return false;
    const { preKey, ...rest } = session;
    await this.#repository.injectE2ESession({
      jid: deviceLid,
      session: preKey === undefined ? rest : { ...rest, preKey },
    });
    return true;
  }

  async encrypt(deviceLid: string, message: proto.IMessage): Promise<Encrypted> {
    return this.encryptBytes(deviceLid, writeRandomPadMax16(proto.Message.encode(message).finish()));
  }

  /** Encrypts any bytes; a message would be padded. */
  async encryptBytes(deviceLid: string, data: Uint8Array): Promise<Encrypted> {
    return this.#repository.encryptMessage({ jid: deviceLid, data });
  }

  /** Throws when the message cannot be decrypted (no session, unknown pre-key, counter used already…). */
  async decrypt(deviceLid: string, type: 'pkmsg' | 'msg', ciphertext: Uint8Array): Promise<proto.Message> {
    const plain = await this.#repository.decryptMessage({ jid: deviceLid, type, ciphertext });
    return proto.Message.decode(unpadRandomMax16(plain));
  }

  /** Encrypts with the own sender key of the group, made on first use. */
  async encryptForGroup(
    group: string,
    senderLid: string,
    message: proto.IMessage,
  ): Promise<{ ciphertext: Uint8Array; distribution: proto.IMessage }> {
    const data = writeRandomPadMax16(proto.Message.encode(message).finish());
    const result = await this.#repository.encryptGroupMessage({ group, meId: senderLid, data });
    return {
      ciphertext: result.ciphertext,
      distribution: {
        senderKeyDistributionMessage: {
          groupId: group,
          axolotlSenderKeyDistributionMessage: result.senderKeyDistributionMessage,
        },
      },
    };
  }

  /** The distribution message of the own sender key, for a member that asked for a retry. */
  async distribution(group: string, senderLid: string): Promise<proto.Message.ISenderKeyDistributionMessage> {
    const bytes = await this.#repository.getSenderKeyDistributionMessage({ group, meId: senderLid });
    return { groupId: group, axolotlSenderKeyDistributionMessage: bytes };
  }

  /** Throws away the own sender key, as a client does when a member leaves. */
  async rotateSenderKey(group: string, senderLid: string): Promise<void> {
    const address = this.#repository.jidToSignalProtocolAddress(senderLid);
    const [user = '', device = '0'] = address.split('.');
    await this.#keys.set({ 'sender-key': { [`${group}::${user}::${device}`]: null } });
  }

  async takeDistribution(
    authorLid: string,
    item: proto.Message.ISenderKeyDistributionMessage,
  ): Promise<void> {
    await this.#repository.processSenderKeyDistributionMessage({ authorJid: authorLid, item });
  }

  async decryptFromGroup(group: string, authorLid: string, ciphertext: Uint8Array): Promise<proto.Message> {
    const plain = await this.#repository.decryptGroupMessage({
      group,
      authorJid: authorLid,
      msg: ciphertext,
    });
    return proto.Message.decode(unpadRandomMax16(plain));
  }
}
