/** A device with its keys and sessions in memory: each record is JSON text, so that nothing is shared with what was stored. */

import type { KeyBundle } from '../src/agreement.ts';
import { curve, ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } from '../src/index.ts';
import type { SealedMessage } from '../src/session-cipher.ts';
import type { SignalStorage } from '../src/storage.ts';
import type { KeyPair } from '../src/x25519.ts';

export interface DeviceKeys {
  readonly registrationId: number;
  readonly identity: KeyPair;
  readonly signedPreKey: KeyPair;
}

export class Device implements SignalStorage {
  readonly address: ProtocolAddress;
  readonly keys: DeviceKeys;
  readonly preKeys = new Map<number, KeyPair>();
  /** By address; whoever sets them restarts the device. */
  readonly records = new Map<string, string>();
  trusts = true;

  constructor(name: string, keys: Partial<DeviceKeys> = {}) {
    this.address = new ProtocolAddress(name, 0);
    const [identity, signedPreKey] = [curve.generateKeyPair(), curve.generateKeyPair()];
    this.keys = { registrationId: 7, identity, signedPreKey, ...keys };
  }

  /** What the server gives to others; a pre-key is used up by one session. */
  bundle({ preKey = true } = {}): KeyBundle {
    const { identity, signedPreKey, registrationId } = this.keys;
    const signature = curve.calculateSignature(identity.privKey, signedPreKey.pubKey);
    const bundle = {
      registrationId,
      identityKey: identity.pubKey,
      signedPreKey: { keyId: 1, publicKey: signedPreKey.pubKey, signature },
    };
    if (!preKey) return bundle;
    const [keyId, pair] = [this.preKeys.size + 100, curve.generateKeyPair()];
    this.preKeys.set(keyId, pair);
    return { ...bundle, preKey: { keyId, publicKey: pair.pubKey } };
  }

  begin(other: Device, bundle = other.bundle()): Promise<void> {
    return new SessionBuilder(this, other.address).initOutgoing(bundle);
  }

  seal(other: Device, text: string): Promise<SealedMessage> {
    return new SessionCipher(this, other.address).encrypt(Buffer.from(text));
  }

  async open(other: Device, { type, body }: Pick<SealedMessage, 'type' | 'body'>): Promise<string> {
    const cipher = new SessionCipher(this, other.address);
    const opened = type === 3 ? cipher.decryptPreKeyWhisperMessage(body) : cipher.decryptWhisperMessage(body);
    return (await opened).toString();
  }

  /** The record of the sessions with somebody, as it is stored. */
  record(other: Device): ReturnType<SessionRecord['serialize']> {
    return JSON.parse(this.records.get(other.address.toString()) ?? 'null');
  }

  async loadSession(address: string): Promise<SessionRecord | null> {
    const stored = this.records.get(address);
    return stored === undefined ? null : SessionRecord.deserialize(JSON.parse(stored));
  }

  async storeSession(address: string, record: SessionRecord): Promise<void> {
    this.records.set(address, JSON.stringify(record.serialize()));
  }

  isTrustedIdentity(): boolean {
    return this.trusts;
  }

  async loadPreKey(id: number): Promise<KeyPair | undefined> {
    return this.preKeys.get(id);
  }

  async removePreKey(id: number): Promise<void> {
    this.preKeys.delete(id);
  }

  loadSignedPreKey(): KeyPair {
    return this.keys.signedPreKey;
  }

  getOurRegistrationId(): number {
    return this.keys.registrationId;
  }

  getOurIdentity(): KeyPair {
    return this.keys.identity;
  }
}

/** Two devices of which the first has begun a session, and the other has answered. */
export async function talking(): Promise<{ ana: Device; bo: Device }> {
  const [ana, bo] = [new Device('ana'), new Device('bo')];
  await ana.begin(bo);
  await bo.open(ana, await ana.seal(bo, 'hello'));
  await ana.open(bo, await bo.seal(ana, 'hello back'));
  return { ana, bo };
}
