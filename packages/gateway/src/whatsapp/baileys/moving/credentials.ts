/** The credentials of a held session: what they must be, and that they are genuine. */
import type { Jid } from '../../port/identity.ts';
import type { HeldIdentity } from '../../port/moving.ts';
import {
  type AuthenticationCreds,
  Curve,
  createSignalIdentity,
  generateSignalPubKey,
  initAuthCreds,
  jidNormalizedUser,
  proto,
  WA_ADV_ACCOUNT_SIG_PREFIX,
  WA_ADV_DEVICE_SIG_PREFIX,
  WA_ADV_HOSTED_ACCOUNT_SIG_PREFIX,
} from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import type { HeldValue } from './held-value.ts';
import { bareKey, heldKeyPair, type RawKeyPair } from './key-pairs.ts';

/** Three bytes on the wire (`<id>` of a key, Baileys signal.ts `xmppPreKey`). */
export const MOST_KEY_ID = 0xffffff;
const UINT32 = 0xffffffff;
/** Device 0 is the phone; a companion has another number. */
const OWN_NUMBER = /^[1-9]\d{4,19}:[1-9]\d{0,2}@s\.whatsapp\.net$/;
const OWN_LID = /^[1-9]\d{4,19}(?::[1-9]\d{0,2})?@lid$/;
/** Before what a hosted device signs (whatsmeow types/advstore: `AdvHostedPrefixDeviceIdentityDeviceSignature`, 6 6). */
const HOSTED_DEVICE_PREFIX = Buffer.from([6, 6]);

/** The members of `AuthenticationCreds` that are read here, or that need not be. */
const KNOWN = [
  'noiseKey',
  'pairingEphemeralKeyPair',
  'signedIdentityKey',
  'signedPreKey',
  'registrationId',
  'advSecretKey',
  'me',
  'account',
  'signalIdentities',
  'myAppStateKeyId',
  'firstUnuploadedPreKeyId',
  'nextPreKeyId',
  'lastAccountSyncTimestamp',
  'platform',
  'processedHistoryMessages',
  'accountSyncCounter',
  'accountSettings',
  'registered',
  'pairingCode',
  'lastPropHash',
  'routingInfo',
] as const;

export interface HeldCredentials {
  creds: AuthenticationCreds;
  identity: HeldIdentity;
  /** Members that nobody here knows. */
  unknown: string[];
}

/** Throws `HeldSessionRefused`. */
export function heldCredentials(held: HeldValue): HeldCredentials {
  const [me, signed] = [held.member('me'), held.member('account')];
  if (me.absent || signed.absent) held.notLinked('no phone has linked this session');
  const identityKey = heldKeyPair(held.member('signedIdentityKey'));
  const { id, lid, name } = ownNames(me);
  const account = signedAccount(signed, identityKey);
  const platform = optional(held.member('platform'), (each) => each.text());
  const creds: AuthenticationCreds = {
    // What is left of the linking is of no use any more; the library wants it to be there.
    ...initAuthCreds(),
    noiseKey: heldKeyPair(held.member('noiseKey')),
    signedIdentityKey: identityKey,
    signedPreKey: signedPreKey(held.member('signedPreKey'), identityKey),
    registrationId: held.member('registrationId').integer(0, UINT32),
    advSecretKey: held.member('advSecretKey').bytesOrBase64(32).toString('base64'),
    me: { id, ...(lid !== null && { lid }), ...(name !== null && { name }) },
    account,
    signalIdentities: [createSignalIdentity(lid ?? id, account.accountSignatureKey)],
    ...preKeyIds(held),
    // 0 would make the library wait for the history that a phone sends to a device which was linked just now.
    accountSyncCounter: Math.max(
      1,
      optional(held.member('accountSyncCounter'), (each) => each.integer(0, UINT32)) ?? 1,
    ),
    accountSettings: { unarchiveChats: unarchives(held.member('accountSettings')) },
    registered: held.member('registered').isTrue(),
    ...defined('platform', platform),
    ...defined(
      'myAppStateKeyId',
      optional(held.member('myAppStateKeyId'), (each) => each.text()),
    ),
    ...defined(
      'lastAccountSyncTimestamp',
      optional(held.member('lastAccountSyncTimestamp'), (each) => each.integer(0, Number.MAX_SAFE_INTEGER)),
    ),
  };
  return { creds, identity: identityOf(creds), unknown: held.others(KNOWN) };
}

/** Of credentials that are linked. */
export function identityOf(creds: AuthenticationCreds): HeldIdentity {
  const { id = '', lid, name } = creds.me ?? {};
  return {
    deviceJid: id as Jid,
    jid: jidNormalizedUser(id) as Jid,
    lid: lid ? (jidNormalizedUser(lid) as Jid) : null,
    pushName: name ?? null,
    platform: creds.platform ?? null,
    identityKey: creds.signedIdentityKey.public,
  };
}

function ownNames(me: HeldValue): { id: string; lid: string | null; name: string | null } {
  const id = me.member('id').text(OWN_NUMBER);
  const lid = optional(me.member('lid'), (each) => each.text(OWN_LID));
  const device = lid?.match(/:(\d+)@/)?.[1];
  if (device && !id.includes(`:${device}@`)) me.member('lid').inconsistent('is of another device than me.id');
  return { id, lid, name: optional(me.member('name'), (each) => each.text()) };
}

/** The key that peers begin sessions with; they refuse it unless the identity has signed it. */
function signedPreKey(held: HeldValue, identity: RawKeyPair): AuthenticationCreds['signedPreKey'] {
  const keyPair = heldKeyPair(held.member('keyPair'));
  const signature = held.member('signature').bytes(64);
  if (!Curve.verify(identity.public, generateSignalPubKey(keyPair.public), signature)) {
    held.inconsistent('is not signed with signedIdentityKey');
  }
  return { keyPair, signature, keyId: held.member('keyId').integer(0, MOST_KEY_ID) };
}

type SignedAccount = AuthenticationCreds['account'] & { accountSignatureKey: Uint8Array };

/**
 * What the phone signed when it linked this device, and the device in turn: that the identity is the one which the
 * account knows (ADV; Baileys validate-connection.ts `configureSuccessfulPairing`, whatsmeow pair.go).
 */
function signedAccount(held: HeldValue, identity: RawKeyPair): SignedAccount {
  const details = held.member('details').bytesOrBase64();
  const accountSignatureKey = held.member('accountSignatureKey').bytesOrBase64(32, 33);
  const accountSignature = held.member('accountSignature').bytesOrBase64(64);
  const deviceSignature = held.member('deviceSignature').bytesOrBase64(64);
  const key = bareKey(held.member('accountSignatureKey'), accountSignatureKey);
  const hosted = detailsOf(held, details).deviceType === proto.ADVEncryptionType.HOSTED;
  const accountPrefix = hosted ? WA_ADV_HOSTED_ACCOUNT_SIG_PREFIX : WA_ADV_ACCOUNT_SIG_PREFIX;
  const byAccount = Buffer.concat([accountPrefix, details, identity.public]);
  if (!Curve.verify(key, byAccount, accountSignature)) {
    held.inconsistent('was signed by the account for another identity than signedIdentityKey');
  }
  // Baileys signs with the prefix of unhosted devices in any case, whatsmeow with the other one.
  const byDevice = [WA_ADV_DEVICE_SIG_PREFIX, HOSTED_DEVICE_PREFIX].map((prefix) =>
    Buffer.concat([prefix, details, identity.public, key]),
  );
  if (!byDevice.some((text) => Curve.verify(identity.public, text, deviceSignature))) {
    held.inconsistent('is not signed with signedIdentityKey');
  }
  return { details, accountSignatureKey: key, accountSignature, deviceSignature };
}

function detailsOf(held: HeldValue, details: Uint8Array): proto.ADVDeviceIdentity {
  try {
    return decodeProtobuf(proto.ADVDeviceIdentity, details);
  } catch {
    return held.member('details').malformed('is no identity of a device');
  }
}

function preKeyIds(held: HeldValue): Pick<AuthenticationCreds, 'nextPreKeyId' | 'firstUnuploadedPreKeyId'> {
  const nextPreKeyId = held.member('nextPreKeyId').integer(1, MOST_KEY_ID);
  const first = held.member('firstUnuploadedPreKeyId').integer(1, MOST_KEY_ID);
  return { nextPreKeyId, firstUnuploadedPreKeyId: Math.min(first, nextPreKeyId) };
}

function unarchives(settings: HeldValue): boolean {
  return !settings.absent && settings.member('unarchiveChats').isTrue();
}

function optional<T>(held: HeldValue, read: (held: HeldValue) => T): T | null {
  return held.absent ? null : read(held);
}

function defined<K extends string, T>(name: K, value: T | null): { [name in K]?: T } {
  return (value === null ? {} : { [name]: value }) as { [name in K]?: T };
}
