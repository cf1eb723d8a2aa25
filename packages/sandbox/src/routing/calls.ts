import type { BinaryNode } from 'baileys';
import type { NetworkServices } from '../services.ts';
import type { Account, RegisteredDevice } from '../state/directory.ts';
import { alternateJid, isUserServer, jidIn, modeOf, parseJid } from '../state/jid.ts';
import { childrenOf, stanza, timestamp } from '../wire/stanza.ts';

/** Signals that end the ringing of a call on one device; the account's other devices stop ringing. */
const SETTLING = new Set(['accept', 'reject']);

/**
 * Takes a `<call to id><offer call-id call-creator/></call>`: acknowledges it and passes it on (whatsmeow
 * call.go; issue 2391 of Baileys for the order of an answered call). Simplified: the real server addresses
 * signals to devices and gives relays in its ack; here each goes to all devices of the other side, an offer
 * to a group to all its members as `offer_notice`, and an accept or reject to the own other devices too.
 */
export function routeCall(network: NetworkServices, sender: RegisteredDevice, node: BinaryNode): void {
  const to = parseJid(node.attrs.to);
  const signal = childrenOf(node)[0];
  const order = network.orders.takeAck(sender, node);
  if (order !== 'silence') {
    const named = { ...node, attrs: { ...node.attrs, ...(signal ? { type: signal.tag } : {}) } };
    network.delivery.acknowledge(sender, named, order === undefined ? {} : { error: String(order) });
  }
  if (typeof order === 'number') return;
  if (!to || !signal) return;
  const group = to.server === 'g.us' ? network.groups.get(to.user) : undefined;
  if (group) {
    if (!group.participants.has(sender.account.user)) return;
    const notice = signal.tag === 'offer' ? noticeOf(signal, group.jid) : signal;
    const from = jidIn(group.addressingMode, sender.account, sender.address.device);
    const named = { ...notice, attrs: { ...notice.attrs, 'group-jid': group.jid } };
    for (const { account } of group.participants.values())
      ring(network, sender, account, { from, signal: named });
    return;
  }
  const callee = isUserServer(to.server) ? network.directory.resolve(to) : undefined;
  if (!callee || callee.blocked.has(sender.account.user)) return;
  const mode = modeOf(to);
  const from = jidIn(mode, sender.account, sender.address.device);
  const caller_pn = signal.tag === 'offer' && mode === 'lid' ? alternateJid(mode, sender.account) : undefined;
  const named = caller_pn ? { ...signal, attrs: { ...signal.attrs, caller_pn } } : signal;
  ring(network, sender, callee, { from, signal: named });
  if (SETTLING.has(signal.tag)) ring(network, sender, sender.account, { from, signal });
}

function ring(
  network: NetworkServices,
  sender: RegisteredDevice,
  account: Account,
  { from, signal }: { from: string; signal: BinaryNode },
): void {
  for (const device of account.devices.values()) {
    if (device === sender) continue;
    const attrs = {
      from,
      id: network.delivery.nextId(),
      t: timestamp(),
      platform: sender.platform,
      version: '2.26.1',
    };
    const notify = sender.account.name;
    network.delivery.post(device, stanza('call', { ...attrs, notify }, [signal]));
  }
}

/** `<offer_notice media type="group">`, as members of a group are told of its call (whatsmeow CallOfferNotice). */
function noticeOf(offer: BinaryNode, group: string): BinaryNode {
  const video = childrenOf(offer).some(({ tag }) => tag === 'video');
  return stanza('offer_notice', {
    ...offer.attrs,
    'group-jid': group,
    media: video ? 'video' : 'audio',
    type: 'group',
  });
}
