import type { BinaryNode } from 'baileys';
import { REACH_OUT_LOCKED } from '../accounts/reach-out.ts';
import type { Group } from '../groups/group.ts';
import type { NetworkServices } from '../services.ts';
import type { Account, RegisteredDevice } from '../state/directory.ts';
import {
  type AddressingMode,
  alternateJid,
  isBroadcastList,
  isUserServer,
  jidIn,
  modeOf,
  type ParsedJid,
  parseJid,
  phoneJid,
  STATUS_JID,
} from '../state/jid.ts';
import { childNamed, childrenNamed, childrenOf, stanza, timestamp } from '../wire/stanza.ts';
import { type Published, publish } from './newsletter-posts.ts';

/** Refusals as `<ack error=…>`: the number or group does not exist; not a member of the group. */
const NOT_FOUND = '404';
const FORBIDDEN = '403';
/** People who are named in two ways in one stanza (whatsapp-rust issue 730, pull request 636). */
const BAD_REQUEST = '400';

/**
 * `edit` of an admin's revoke (whatsmeow types/message.go EditAttributeAdminRevoke). The content is
 * encrypted: this attribute is all that the server can hold against a member who is no admin.
 */
const ADMIN_REVOKE = '8';

/** Children that are for the server or only for some recipients; every other child travels along. */
const NOT_COPIED = new Set(['participants', 'enc', 'device-identity', 'tctoken', 'cstoken', 'reporting']);

/**
 * Takes a `<message>`: acknowledges it to its sender and gives each addressed device its own stanza with
 * its own `<enc>`; what is for a channel, `newsletter-posts.ts` takes.
 */
export function routeMessage(network: NetworkServices, sender: RegisteredDevice, node: BinaryNode): void {
  const to = parseJid(node.attrs.to);
  const order = network.orders.takeAck(sender, node);
  let refusal = typeof order === 'number' ? String(order) : undefined;
  let deliver: (() => void) | undefined;
  let published: Published | undefined;
  if (to && refusal === undefined) {
    if (to.server === 'newsletter') published = publish(network, sender, node);
    else if (to.server === 'g.us') {
      const group = network.groups.get(to.user);
      if (!group) refusal = NOT_FOUND;
      else if (!group.participants.has(sender.account.user)) refusal = FORBIDDEN;
      else if (group.announce && !group.participants.get(sender.account.user)?.role) refusal = FORBIDDEN;
      else if (node.attrs.edit === ADMIN_REVOKE && !group.participants.get(sender.account.user)?.role) {
        refusal = FORBIDDEN;
      } else deliver = () => routeToGroup(network, sender, node, group);
    } else if (node.attrs.to === STATUS_JID) {
      deliver = () => routeStatus(network, sender, node);
    } else if (isBroadcastList(node.attrs.to)) {
      const list = node.attrs.to;
      if (namesNobody(node)) refusal = BAD_REQUEST;
      else deliver = () => routeToList(network, sender, node, list);
    } else if (isUserServer(to.server)) {
      const account = network.directory.resolve(to);
      if (!account) refusal = NOT_FOUND;
      else if (network.reachOut.refuses(sender, account)) refusal = REACH_OUT_LOCKED;
      else refusal = refusalOfName(network, sender, node, { to, account });
      if (account && refusal === undefined) {
        deliver = () => {
          network.reachOut.delivered(sender.account, account);
          routeToUser(network, sender, node, { to, account });
        };
      }
    }
  }
  if (order !== 'silence') {
    const more = published?.ack ?? { error: refusal, refresh_lid: staleLid(network, node, to) };
    network.delivery.acknowledge(sender, node, more);
  }
  deliver?.();
  published?.deliver?.();
}

/** A LID that is not that of the number beside it any more (whatsapp-rust pull request 1313, Baileys pull request 2661). */
function staleLid(network: NetworkServices, node: BinaryNode, to: ParsedJid | undefined): string | undefined {
  const number = parseJid(node.attrs.peer_recipient_pn);
  const account = number && network.directory.resolve(number);
  return account?.lid && to?.server === 'lid' && account.lid !== to.user ? 'true' : undefined;
}

/** What a one-to-one stanza is refused with for the names in it; the accounts are reached by them as they are moved. */
function refusalOfName(
  { orders }: NetworkServices,
  sender: RegisteredDevice,
  node: BinaryNode,
  { to, account }: { to: ParsedJid; account: Account },
): string | undefined {
  if (sender.address.device === 0 || node.attrs.category === 'peer') return undefined;
  const mode = modeOf(to);
  const targets = childrenNamed(childNamed(node, 'participants'), 'to');
  const named = targets.flatMap(({ attrs }) => parseJid(attrs.jid) ?? []);
  if (named.some((target) => modeOf(target) !== mode)) return BAD_REQUEST;
  if (mode === 'lid') return orders.notMoved.has(sender.account.user) ? BAD_REQUEST : undefined;
  return orders.reachedByLid.has(account.user) ? REACH_OUT_LOCKED : undefined;
}

interface Envelope {
  readonly attrs: Record<string, string | undefined>;
  readonly shared: readonly BinaryNode[];
  readonly deviceIdentity: BinaryNode | undefined;
}

function envelopeOf(sender: RegisteredDevice, node: BinaryNode): Envelope {
  const { id, type, edit, category } = node.attrs;
  return {
    attrs: { id, type, edit, category, t: timestamp(), notify: sender.account.name },
    shared: childrenOf(node).filter(({ tag }) => !NOT_COPIED.has(tag)),
    deviceIdentity: childNamed(node, 'device-identity'),
  };
}

/** The sender's ADV identity goes only with a session start, where the receiver has to check it. */
function contentFor(envelope: Envelope, encs: readonly BinaryNode[]): BinaryNode[] {
  const content = [...encs, ...envelope.shared];
  if (envelope.deviceIdentity && encs.some(({ attrs }) => attrs.type === 'pkmsg')) {
    content.push(envelope.deviceIdentity);
  }
  return content;
}

/** One-to-one: attributes as whatsmeow message.go parseMessageSource reads them. */
function routeToUser(
  network: NetworkServices,
  sender: RegisteredDevice,
  node: BinaryNode,
  { to, account: recipient }: { to: ParsedJid; account: Account },
): void {
  // Whoever has no LID is named by number, and nobody is told another name.
  const mode = sender.account.lid === null ? 'pn' : modeOf(to);
  const envelope = envelopeOf(sender, node);
  const from = jidIn(mode, sender.account, sender.address.device);
  if (recipient !== sender.account) {
    sender.account.contacts.add(recipient.user);
    recipient.contacts.add(sender.account.user);
  }

  const post = (device: RegisteredDevice, encs: readonly BinaryNode[]): void => {
    if (device === sender) return;
    const own = device.account === sender.account;
    if (!own && device.account.blocked.has(sender.account.user)) return;
    network.delivery.post(
      device,
      stanza(
        'message',
        {
          from,
          ...envelope.attrs,
          addressing_mode: mode,
          ...(own
            ? ownCopyAttributes(node, mode, recipient)
            : senderAttributes(network, mode, sender.account)),
        },
        contentFor(envelope, encs),
      ),
    );
  };

  const participants = childNamed(node, 'participants');
  if (participants) {
    for (const target of childrenNamed(participants, 'to')) {
      const device = network.directory.resolveDevice(target.attrs.jid);
      const belongs = device?.account === recipient || device?.account === sender.account;
      if (device && belongs) post(device, childrenNamed(target, 'enc'));
    }
    return;
  }
  // A peer message or a resend to the one device that asked for it.
  const device = recipient.devices.get(to.device);
  if (device) post(device, childrenNamed(node, 'enc'));
}

function senderAttributes(
  network: NetworkServices,
  mode: AddressingMode,
  sender: Account,
): Record<string, string | undefined> {
  if (network.orders.hidingOtherName.has(sender.user)) return {};
  const key = mode === 'lid' ? 'sender_pn' : 'sender_lid';
  return { [key]: alternateJid(mode, sender) };
}

/** A copy for the sender's other devices names the chat; peer messages between own devices name none. */
function ownCopyAttributes(
  node: BinaryNode,
  mode: AddressingMode,
  recipient: Account,
): Record<string, string | undefined> {
  if (node.attrs.category === 'peer') return {};
  if (node.attrs.recipient !== undefined) return { recipient: node.attrs.recipient };
  const key = mode === 'lid' ? 'peer_recipient_pn' : 'peer_recipient_lid';
  return { recipient: jidIn(mode, recipient), [key]: alternateJid(mode, recipient) };
}

/**
 * Each member device gets its own `<enc>` (the sender key), when there is one, and the shared one. Without a shared one
 * it is for those devices alone that it names.
 */
function routeToGroup(
  network: NetworkServices,
  sender: RegisteredDevice,
  node: BinaryNode,
  group: Group,
): void {
  const mode = node.attrs.addressing_mode === 'pn' ? 'pn' : group.addressingMode;
  const envelope = envelopeOf(sender, node);
  const alternate = mode === 'lid' ? 'participant_pn' : 'participant_lid';
  const attrs = {
    from: group.jid,
    participant: jidIn(mode, sender.account, sender.address.device),
    [alternate]: alternateJid(mode, sender.account),
    addressing_mode: mode,
    ...envelope.attrs,
  };
  const shared = childrenNamed(node, 'enc');

  if (node.attrs.participant !== undefined) {
    const device = network.directory.resolveDevice(node.attrs.participant);
    if (device && group.participants.has(device.account.user)) {
      network.delivery.post(device, stanza('message', attrs, contentFor(envelope, shared)));
    }
    return;
  }

  const own = new Map<RegisteredDevice, BinaryNode[]>();
  for (const target of childrenNamed(childNamed(node, 'participants'), 'to')) {
    const device = network.directory.resolveDevice(target.attrs.jid);
    if (device) own.set(device, childrenNamed(target, 'enc'));
  }
  for (const { account } of group.participants.values()) {
    for (const device of account.devices.values()) {
      if (device === sender) continue;
      const encs = [...(own.get(device) ?? []), ...shared];
      if (encs.length === 0) continue;
      network.delivery.post(device, stanza('message', attrs, contentFor(envelope, encs)));
    }
  }
}

/**
 * What is posted for a day: to the devices that the sender names, each with the sender key and the post (whatsmeow
 * send.go sendGroup with the list of the status privacy; message.go parseMessageSource). One that names a
 * `participant` is sent again, to the device that asked (retry.go handleRetryReceipt).
 */
function routeStatus(network: NetworkServices, sender: RegisteredDevice, node: BinaryNode): void {
  const envelope = envelopeOf(sender, node);
  const shared = childrenNamed(node, 'enc');
  const hidden = network.orders.hidingOtherName.has(sender.account.user);
  for (const [device, encs] of statusTargets(network, node)) {
    if (device === sender || device.account.blocked.has(sender.account.user)) continue;
    const attrs = {
      from: STATUS_JID,
      participant: jidIn('lid', sender.account, sender.address.device),
      ...(hidden ? {} : { participant_pn: alternateJid('lid', sender.account) }),
      addressing_mode: 'lid',
      ...envelope.attrs,
    };
    network.delivery.post(device, stanza('message', attrs, contentFor(envelope, [...encs, ...shared])));
  }
}

/**
 * The devices with what each has of its own. A `<to>` without `<enc>` names an account, all of whose devices have the
 * sender key (zapo publishStatusMessage; whatsapp-rust ensure_status_participants).
 */
function statusTargets(network: NetworkServices, node: BinaryNode): Map<RegisteredDevice, BinaryNode[]> {
  const targets = new Map<RegisteredDevice, BinaryNode[]>();
  const { participant } = node.attrs;
  const asking = participant === undefined ? undefined : network.directory.resolveDevice(participant);
  if (asking) targets.set(asking, []);
  if (participant !== undefined) return targets;
  for (const target of childrenNamed(childNamed(node, 'participants'), 'to')) {
    const device = network.directory.resolveDevice(target.attrs.jid);
    if (!device) continue;
    const encs = childrenNamed(target, 'enc');
    if (encs.length > 0) targets.set(device, encs);
    else for (const each of device.account.devices.values()) if (!targets.has(each)) targets.set(each, []);
  }
  return targets;
}

/** The server does not know who is on a list: a stanza that names neither members nor who asked again reaches nobody. */
function namesNobody(node: BinaryNode): boolean {
  const members = childrenNamed(childNamed(node, 'participants'), 'to');
  return node.attrs.participant === undefined && members.length === 0;
}

/**
 * By a broadcast list each device gets a ciphertext of its own (Cobalt MessageSenderService sendBroadcastMessage), in a
 * stanza from the list with the sender as `participant`. The sender's other devices are told beside it who the members
 * are (whatsmeow message.go parseMessageSource, BroadcastRecipients). Unlike a group's it says no addressing mode:
 * clients that look for the sender's other name by that do not find it (mautrix-whatsapp issue 877). One that names a
 * `participant` is sent again, to the device that asked (whatsapp-rust send/dm.rs PairwiseRetryDestination).
 */
function routeToList(
  network: NetworkServices,
  sender: RegisteredDevice,
  node: BinaryNode,
  list: string,
): void {
  const mode = sender.account.lid === null ? 'pn' : 'lid';
  const envelope = envelopeOf(sender, node);
  const hidden = network.orders.hidingOtherName.has(sender.account.user);
  const alternate = mode === 'lid' ? 'participant_pn' : 'participant_lid';
  const targets = listTargets(network, node);
  const members = new Set([...targets.keys()].map(({ account }) => account));
  members.delete(sender.account);
  for (const [device, encs] of targets) {
    if (device === sender || device.account.blocked.has(sender.account.user)) continue;
    const attrs = {
      from: list,
      participant: jidIn(mode, sender.account, sender.address.device),
      ...(hidden ? {} : { [alternate]: alternateJid(mode, sender.account) }),
      ...envelope.attrs,
    };
    const told = device.account === sender.account ? [membersNode(members)] : [];
    network.delivery.post(device, stanza('message', attrs, [...contentFor(envelope, encs), ...told]));
  }
}

function listTargets(network: NetworkServices, node: BinaryNode): Map<RegisteredDevice, BinaryNode[]> {
  const targets = new Map<RegisteredDevice, BinaryNode[]>();
  const { participant } = node.attrs;
  const asking = participant === undefined ? undefined : network.directory.resolveDevice(participant);
  if (asking) targets.set(asking, childrenNamed(node, 'enc'));
  if (participant !== undefined) return targets;
  for (const target of childrenNamed(childNamed(node, 'participants'), 'to')) {
    const device = network.directory.resolveDevice(target.attrs.jid);
    if (device) targets.set(device, childrenNamed(target, 'enc'));
  }
  return targets;
}

function membersNode(members: Iterable<Account>): BinaryNode {
  const named = [...members].map((account) => {
    const pn = alternateJid('lid', account);
    return stanza('to', {
      jid: jidIn('lid', account),
      peer_recipient_pn: account.lid === null ? undefined : pn,
    });
  });
  return stanza('participants', {}, named);
}

/**
 * The phone's answer to a media retry: `<notification type="mediaretry">` to one companion of the same
 * account, which sees it come from its own user (whatsmeow mediaretry.go parseMediaRetryNotification).
 */
export function routeMediaRetry(network: NetworkServices, sender: RegisteredDevice, node: BinaryNode): void {
  const device = network.directory.resolveDevice(node.attrs.to);
  network.delivery.acknowledge(sender, node);
  if (!device || device.account !== sender.account || device === sender) return;
  network.delivery.post(
    device,
    stanza(
      'notification',
      { from: phoneJid(sender.account), id: node.attrs.id, type: 'mediaretry', t: timestamp() },
      [...childrenOf(node)],
    ),
  );
}
