/** A session as a program on Baileys would hold it, made up and genuine: the signatures of its account are right. */
import { BufferJSON, Curve, initAuthCreds, proto } from 'baileys';

/** Before what the account signs, and the device (ADV). */
const BY_ACCOUNT = Buffer.from([6, 0]);
const BY_DEVICE = Buffer.from([6, 1]);

export interface MadeSession {
  creds: ReturnType<typeof initAuthCreds>;
  /** By the name that `useMultiFileAuthState` gives their file, without `.json`. */
  keys: Record<string, unknown>;
}

/** `device` is which companion of the account it is. */
export function madeSession({
  number = '5511999999999',
  lid = '236395184570386',
  device = 7,
} = {}): MadeSession {
  const creds = initAuthCreds();
  const account = Curve.generateKeyPair();
  const identity = creds.signedIdentityKey.public;
  const details = proto.ADVDeviceIdentity.encode({
    rawId: 1,
    timestamp: 1_718_000_000,
    keyIndex: device,
  }).finish();
  const accountSignature = Curve.sign(account.private, Buffer.concat([BY_ACCOUNT, details, identity]));
  const deviceSignature = Curve.sign(
    creds.signedIdentityKey.private,
    Buffer.concat([BY_DEVICE, details, identity, account.public]),
  );
  creds.me = { id: `${number}:${device}@s.whatsapp.net`, lid: `${lid}:${device}@lid`, name: 'Shop' };
  creds.account = { details, accountSignatureKey: account.public, accountSignature, deviceSignature };
  creds.nextPreKeyId = 3;
  creds.firstUnuploadedPreKeyId = 3;
  return { creds, keys: { 'pre-key-1': Curve.generateKeyPair(), 'pre-key-2': Curve.generateKeyPair() } };
}

/** As Baileys writes it. */
export function json(value: unknown): string {
  return JSON.stringify(value, BufferJSON.replacer);
}

/** The files of its folder, by path. */
export function folderOf({ creds, keys }: MadeSession, prefix = ''): Record<string, Buffer> {
  const entries = Object.entries({ creds, ...keys });
  return Object.fromEntries(
    entries.map(([name, value]) => [`${prefix}${name}.json`, Buffer.from(json(value))]),
  );
}

/** A Signal session with somebody, as libsignal's record has it: keys of nobody, and one chain to each side. */
export function madeRecord(): object {
  const key = () => Buffer.concat([Buffer.from([5]), Curve.generateKeyPair().public]).toString('base64');
  const seed = () => Buffer.from(Curve.generateKeyPair().private).toString('base64');
  const ours = Curve.generateKeyPair();
  const pubKey = Buffer.concat([Buffer.from([5]), ours.public]).toString('base64');
  const [baseKey, theirs] = [key(), key()];
  const chain = (chainType: number) => ({
    chainKey: { counter: 3, key: seed() },
    chainType,
    messageKeys: {},
  });
  const entry = {
    registrationId: 4711,
    currentRatchet: {
      ephemeralKeyPair: { pubKey, privKey: Buffer.from(ours.private).toString('base64') },
      lastRemoteEphemeralKey: theirs,
      previousCounter: 2,
      rootKey: seed(),
    },
    indexInfo: { baseKey, baseKeyType: 2, closed: -1, used: 1, created: 1, remoteIdentityKey: key() },
    _chains: { [pubKey]: chain(1), [theirs]: chain(2) },
  };
  return { _sessions: { [baseKey]: entry }, version: 'v1' };
}
