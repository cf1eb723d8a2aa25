import { randomBytes } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import type { NetworkServices } from '../services.ts';
import type { RegisteredDevice } from '../state/directory.ts';
import {
  alternateJid,
  isBroadcastList,
  jidIn,
  modeOf,
  type ParsedJid,
  parseJid,
  STATUS_JID,
} from '../state/jid.ts';
import { forgedKeys } from '../wire/forgeries.ts';
import { childNamed, childrenNamed, stanza, timestamp } from '../wire/stanza.ts';
import { countViews } from './newsletter-posts.ts';

/** Receipt types that say a message arrived; they acknowledge it like an ack. No type is plain delivery. */
const DELIVERY_TYPES = new Set<string | undefined>([undefined, 'inactive', 'sender', 'peer_msg']);

/**
 * Takes a `<receipt>`: takes the message it is about off the queue when it says delivered, acknowledges it, and passes
 * it on to whom it concerns. Types as whatsmeow types/presence.go names them.
 */
export function routeReceipt(network: NetworkServices, reader: RegisteredDevice, node: BinaryNode): void {
  const { id, type, to, participant, recipient } = node.attrs;
  if (id === undefined) return;
  if (DELIVERY_TYPES.has(type)) {
    network.delivery.taken(reader, { tag: 'message', id, from: to, participant, recipient });
  }
  const views = type === 'view' ? countViews(network, reader, node) : {};
  network.delivery.acknowledge(reader, node, views);
  const target = parseJid(to);
  if (!target) return;
  switch (type) {
    case 'retry':
      routeRetry(network, reader, node, target);
      return;
    case 'server-error':
    case 'hist_sync':
    case 'peer_msg':
      toOwnPhone(network, reader, node);
      return;
    case 'read-self':
    case 'played-self':
      toOwnDevices(network, reader, node, target);
      return;
    case 'sender':
      toOneOwnDevice(network, reader, node, target);
      return;
    case 'read':
    case 'played':
      toSender(network, reader, node, target);
      toOwnDevices(network, reader, node, target);
      return;
    default:
      toSender(network, reader, node, target);
  }
}

/** The group, the chat of stories or the list that a receipt is about: in each the person is its `participant`. */
function sharedChat(network: NetworkServices, node: BinaryNode, target: ParsedJid): string | undefined {
  if (target.server === 'g.us') return network.groups.get(target.user)?.jid;
  return isShared(node.attrs.to) ? node.attrs.to : undefined;
}

function isShared(jid: string | undefined): jid is string {
  return jid === STATUS_JID || isBroadcastList(jid);
}

/** Delivered, read, played: to all devices of the sender, which in a group is `participant`. */
function toSender(
  network: NetworkServices,
  reader: RegisteredDevice,
  node: BinaryNode,
  target: ParsedJid,
): void {
  const shared = sharedChat(network, node, target);
  const senderJid = shared ? node.attrs.participant : node.attrs.to;
  const sender = network.directory.resolve(senderJid);
  if (!sender || sender === reader.account) return;
  if (shared === STATUS_JID) {
    for (const device of sender.devices.values()) network.delivery.post(device, viewOf(reader, node));
    return;
  }
  const receipt = receiptFrom(reader, node, shared, modeOf(parseJid(senderJid) ?? target));
  for (const device of sender.devices.values()) network.delivery.post(device, receipt);
}

/**
 * Who got or saw a story, as its author is told: in a stanza of its own, with the message and the people within, and
 * beside each what it was (whatsmeow issue 1270). Simplified: one person each, where the real server waits for more.
 */
function viewOf(reader: RegisteredDevice, receipt: BinaryNode): BinaryNode {
  const { attrs } = receipt;
  const t = attrs.t ?? timestamp();
  const type = attrs.type === undefined || attrs.type === 'inactive' ? 'delivery' : attrs.type;
  const listed = childrenNamed(childNamed(receipt, 'list'), 'item');
  const ids = [attrs.id, ...listed.map((item) => item.attrs.id)];
  const user = stanza('user', { jid: jidIn('lid', reader.account), t, type });
  const id = randomBytes(8).toString('hex').toUpperCase();
  return stanza(
    'receipt',
    { class: 'status', from: STATUS_JID, id, t },
    ids.map((message_id) => stanza('participants', { message_id }, [user])),
  );
}

/** As its receiver sees it: from the reader's device, or from the group with the reader as participant. */
function receiptFrom(
  reader: RegisteredDevice,
  node: BinaryNode,
  groupJid: string | undefined,
  mode: 'lid' | 'pn',
): BinaryNode {
  const readerJid = jidIn(mode, reader.account, reader.address.device);
  const alternate = mode === 'lid' ? 'participant_pn' : 'participant_lid';
  const { id, type, t } = node.attrs;
  const attrs = groupJid
    ? {
        from: groupJid,
        participant: readerJid,
        [alternate]: alternateJid(mode, reader.account),
        ...(isBroadcastList(groupJid) ? {} : { addressing_mode: mode }),
      }
    : { from: readerJid };
  return stanza('receipt', { ...attrs, id, type, t: t ?? timestamp() }, node.content);
}

/** A message of another device of ours arrived here: tell the device that sent it. */
function toOneOwnDevice(
  network: NetworkServices,
  reader: RegisteredDevice,
  node: BinaryNode,
  target: ParsedJid,
): void {
  const shared = sharedChat(network, node, target);
  const device = network.directory.resolveDevice(shared ? node.attrs.participant : node.attrs.to);
  if (!device || device === reader || device.account !== reader.account) return;
  const receipt = receiptFrom(reader, node, shared, isShared(shared) ? 'lid' : modeOf(target));
  network.delivery.post(
    device,
    stanza('receipt', { ...receipt.attrs, recipient: node.attrs.recipient }, receipt.content),
  );
}

/** Read here: the account's other devices mark it too. `recipient` is the chat (Baileys handleReceipt). */
function toOwnDevices(
  network: NetworkServices,
  reader: RegisteredDevice,
  node: BinaryNode,
  target: ParsedJid,
): void {
  const { id, type, t, to, participant } = node.attrs;
  const ofMany = target.server === 'g.us' || isShared(to);
  const mode = ofMany ? (network.groups.get(target.user)?.addressingMode ?? 'lid') : modeOf(target);
  const own = jidIn(mode, reader.account, reader.address.device);
  const attrs = ofMany
    ? { from: to, participant: own, recipient: participant }
    : { from: own, recipient: to === undefined ? undefined : bareJid(to) };
  const receipt = stanza('receipt', { ...attrs, id, type, t: t ?? timestamp() }, node.content);
  for (const device of reader.account.devices.values()) {
    if (device !== reader) network.delivery.post(device, receipt);
  }
}

function bareJid(jid: string): string {
  return jid.replace(/:\d+@/, '@');
}

/** The reader could not decrypt: only the device that encrypted the message is asked. */
function routeRetry(
  network: NetworkServices,
  reader: RegisteredDevice,
  node: BinaryNode,
  target: ParsedJid,
): void {
  const shared = sharedChat(network, node, target);
  const deviceJid = shared ? node.attrs.participant : node.attrs.to;
  const device = network.directory.resolveDevice(deviceJid);
  if (!device || device === reader) return;
  const receipt = receiptFrom(reader, node, shared, modeOf(parseJid(deviceJid) ?? target));
  const forged = device.address.device !== 0 && network.orders.withForgedKeys.has(reader.account.user);
  const content = forged ? withForgedKeys(receipt.content) : receipt.content;
  network.delivery.post(
    device,
    stanza('receipt', { ...receipt.attrs, recipient: node.attrs.recipient }, content),
  );
}

function withForgedKeys(content: BinaryNode['content']): BinaryNode['content'] {
  if (!Array.isArray(content)) return content;
  return content.map((node) =>
    node.tag === 'keys' && Array.isArray(node.content)
      ? { ...node, content: forgedKeys(node.content) }
      : node,
  );
}

/** Requests to the primary phone: re-upload of media, history sync and peer message receipts. */
function toOwnPhone(network: NetworkServices, reader: RegisteredDevice, node: BinaryNode): void {
  const phone = reader.account.devices.get(0);
  if (!phone || phone === reader) return;
  const { id, type } = node.attrs;
  network.delivery.post(
    phone,
    stanza(
      'receipt',
      { from: jidIn('pn', reader.account, reader.address.device), id, type, t: timestamp() },
      node.content,
    ),
  );
}
