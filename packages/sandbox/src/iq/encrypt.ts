import { createHash } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import { registeredAgain } from '../accounts/account-changes.ts';
import type { NetworkServices } from '../services.ts';
import type { PreKey, RegisteredDevice, SignedPreKey } from '../state/directory.ts';
import { forgedKeys } from '../wire/forgeries.ts';
import { bytesOf, childNamed, childrenNamed, SERVER_JID, stanza, timestamp, uintOf } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqHandler, type IqRequest, NOT_FOUND } from './answer.ts';

/** Clients upload more when told that fewer than 5 are left (whatsmeow prekeys.go MinPreKeyCount). */
const LOW_PRE_KEYS = 5;
/** The key bundle type byte: Curve25519 (djb). */
const KEY_TYPE = Buffer.from([5]);

/** `encrypt`: a device's own pre-keys, and the bundles of others (whatsmeow prekeys.go). */
const encrypt: IqHandler = (request) => {
  const { iq, sender } = request;
  if (iq.attrs.type === 'set') {
    if (childNamed(iq, 'rotate')) return rotate(request);
    if (childNamed(iq, 'list')) return upload(request);
    return { error: BAD_REQUEST };
  }
  if (childNamed(iq, 'count')) {
    return { content: [stanza('count', { value: String(sender.preKeys.size) })] };
  }
  if (childNamed(iq, 'digest')) return digest(request);
  if (childNamed(iq, 'key')) return bundles(request);
  return { error: BAD_REQUEST };
};

export const encryptHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['encrypt', encrypt]];

function upload({ network, iq, sender }: IqRequest): ReturnType<IqHandler> {
  const signed = signedPreKeyOf(childNamed(iq, 'skey'));
  const identity = bytesOf(childNamed(iq, 'identity'));
  const registration = uintOf(childNamed(iq, 'registration'));
  if (!signed || identity?.length !== 32 || registration === undefined) return { error: BAD_REQUEST };
  const another = !identity.equals(sender.identityPublic);
  // What the device had uploaded under its earlier key fits no session any more.
  if (another) sender.preKeys.clear();
  sender.signedPreKey = signed;
  sender.identityPublic = identity;
  sender.registrationId = registration;
  for (const node of childrenNamed(childNamed(iq, 'list'), 'key')) {
    const key = preKeyOf(node);
    if (key) sender.preKeys.set(key.id, key);
  }
  sender.preKeyLowNotified = false;
  return another && sender.address.device === 0 ? { after: () => registeredAgain(network, sender) } : {};
}

function rotate({ iq, sender }: IqRequest): ReturnType<IqHandler> {
  const signed = signedPreKeyOf(childNamed(childNamed(iq, 'rotate'), 'skey'));
  if (!signed) return { error: BAD_REQUEST };
  sender.signedPreKey = signed;
  return {};
}

/** What the server holds of the device's keys, with a hash over it; clients compare or only look for it. */
function digest({ sender }: IqRequest): ReturnType<IqHandler> {
  const { signedPreKey, identityPublic, registrationId, preKeys } = sender;
  if (!signedPreKey || preKeys.size === 0) return { error: NOT_FOUND };
  const hash = createHash('sha1').update(identityPublic).update(signedPreKey.publicKey);
  hash.update(signedPreKey.signature);
  const ids = [...preKeys.values()].map(({ id, publicKey }) => {
    hash.update(publicKey);
    return stanza('id', {}, bigEndian(id, 3));
  });
  return {
    content: [
      stanza('digest', {}, [
        stanza('registration', {}, bigEndian(registrationId, 4)),
        stanza('type', {}, KEY_TYPE),
        stanza('identity', {}, identityPublic),
        signedPreKeyStanza(signedPreKey),
        stanza('list', {}, ids),
        stanza('hash', {}, hash.digest()),
      ]),
    ],
  };
}

/**
 * A bundle for each device asked for, in the JID it was asked by. A one-time pre-key is given once; without
 * any left the bundle has only the signed one. An unknown device gets an `<error>` in its `<user>`.
 */
function bundles({ network, iq, sender }: IqRequest): ReturnType<IqHandler> {
  const drained: RegisteredDevice[] = [];
  const users = childrenNamed(childNamed(iq, 'key'), 'user').map(({ attrs }) => {
    const device = network.directory.resolveDevice(attrs.jid);
    if (!device?.signedPreKey || network.orders.withoutKeys.has(device.account.user)) {
      return stanza('user', { jid: attrs.jid }, [
        stanza('error', { code: String(NOT_FOUND.code), text: NOT_FOUND.text }),
      ]);
    }
    const content = [
      stanza('registration', {}, bigEndian(device.registrationId, 4)),
      stanza('type', {}, KEY_TYPE),
      stanza('identity', {}, device.identityPublic),
    ];
    const oneTime = takePreKey(device);
    if (oneTime) content.push(preKeyStanza('key', oneTime));
    content.push(signedPreKeyStanza(device.signedPreKey));
    if (device.preKeys.size < LOW_PRE_KEYS && !device.preKeyLowNotified) drained.push(device);
    const forged = sender.address.device !== 0 && network.orders.withForgedKeys.has(device.account.user);
    return stanza('user', { jid: attrs.jid, t: timestamp() }, forged ? forgedKeys(content) : content);
  });
  return {
    content: [stanza('list', {}, users)],
    after: () => {
      for (const device of drained) notifyLow(network, device);
    },
  };
}

function takePreKey(device: RegisteredDevice): PreKey | undefined {
  for (const key of device.preKeys.values()) {
    device.preKeys.delete(key.id);
    return key;
  }
  return undefined;
}

function notifyLow(network: NetworkServices, device: RegisteredDevice): void {
  device.preKeyLowNotified = true;
  network.delivery.post(
    device,
    stanza(
      'notification',
      { from: SERVER_JID, type: 'encrypt', id: network.delivery.nextId(), t: timestamp() },
      [stanza('count', { value: String(device.preKeys.size) })],
    ),
  );
}

function preKeyOf(node: BinaryNode | undefined): PreKey | undefined {
  const id = uintOf(childNamed(node, 'id'));
  const publicKey = bytesOf(childNamed(node, 'value'));
  return id !== undefined && publicKey?.length === 32 ? { id, publicKey } : undefined;
}

function signedPreKeyOf(node: BinaryNode | undefined): SignedPreKey | undefined {
  const key = preKeyOf(node);
  const signature = bytesOf(childNamed(node, 'signature'));
  return key && signature?.length === 64 ? { ...key, signature } : undefined;
}

function preKeyStanza(tag: 'key' | 'skey', { id, publicKey }: PreKey): BinaryNode {
  return stanza(tag, {}, [stanza('id', {}, bigEndian(id, 3)), stanza('value', {}, publicKey)]);
}

function signedPreKeyStanza({ signature, ...key }: SignedPreKey): BinaryNode {
  const node = preKeyStanza('skey', key);
  return { ...node, content: [...(node.content as BinaryNode[]), stanza('signature', {}, signature)] };
}

function bigEndian(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
