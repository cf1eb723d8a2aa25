import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from 'baileys';
import { deviceOf, toJid } from './address-book.ts';
import type { PhoneParts } from './parts.ts';
import { Receiver } from './receiving.ts';
import type { PhoneIdentity } from './sending.ts';

/** Enough for tests, and made in some tens of milliseconds; a real phone uploads 812. */
export const PRE_KEY_BATCH = 100;

/** What a phone does by itself with what arrives: it acknowledges, decrypts, answers retries and requests. */
export function startReflexes(self: PhoneIdentity, parts: PhoneParts): void {
  const { connection, signal, book, calls, channels, inbox, presences, receipts, mediaRetry } = parts;
  const { sender, sync, policy, problems, timers } = parts;
  const receiver = new Receiver(self, {
    connection,
    signal,
    book,
    inbox,
    receipts,
    policy,
    onMessage: (message) => {
      mediaRetry.keep(message.id, message.message);
      timers.learn(message);
    },
    onPeerMessage: (message, device, id) => {
      sync.answer(deviceOf(device), message, id).catch((error: unknown) => problems.take(error));
    },
  });
  connection.on('message', async (node) => {
    if (node.attrs.from?.endsWith('@newsletter')) channels.take(node);
    else await receiver.take(node);
  });
  connection.on('receipt', async (node) => {
    connection.acknowledge(node);
    receipts.take(node);
    const { type } = node.attrs;
    // Both need answers of the network; the phone goes on handling stanzas meanwhile.
    const work =
      type === 'retry'
        ? sender.sendAgain(node)
        : type === 'server-error'
          ? mediaRetry.answer(node)
          : undefined;
    work?.catch((error: unknown) => problems.take(error));
  });
  connection.on('notification', async (node) => {
    connection.acknowledge(node);
    await notified(self, parts, node);
  });
  connection.on('presence', async (node) => presences.presence(node));
  connection.on('chatstate', async (node) => presences.chatState(node));
  connection.on('call', async (node) => {
    connection.acknowledge(node);
    calls.take(node);
  });
  connection.on('iq', async (node) => {
    if (node.attrs.xmlns !== 'urn:xmpp:ping') return;
    connection.send({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'result', id: node.attrs.id ?? '' },
    });
  });
}

async function notified(self: PhoneIdentity, parts: PhoneParts, node: BinaryNode): Promise<void> {
  const { account, book, byCode, companions, connection, signal, sender, timers } = parts;
  switch (node.attrs.type) {
    case 'link_code_companion_reg':
      byCode.take(node);
      return;
    case 'encrypt':
      if (getBinaryNodeChild(node, 'count')) await connection.query(await signal.preKeyUpload(PRE_KEY_BATCH));
      // A contact registered again: the next message to it starts a new session.
      if (getBinaryNodeChild(node, 'identity'))
        await signal.forgetSession(await book.lid(node.attrs.from ?? ''));
      return;
    case 'devices': {
      if (toJid(node.attrs.from ?? '') !== self.jid) return;
      const removed = getBinaryNodeChildren(getBinaryNodeChild(node, 'remove'), 'device');
      for (const { attrs } of removed) companions.removed(deviceOf(attrs.jid ?? ''));
      return;
    }
    case 'server_sync': {
      const changed = getBinaryNodeChildren(node, 'collection').map(({ attrs }) => attrs.name);
      if (changed.includes('regular_high')) await account.tellStoryPrivacy();
      return;
    }
    case 'w:gp2':
      timers.learnGroup(node);
      if (getBinaryNodeChild(node, 'remove')) await sender.membersLeft(node.attrs.from ?? '');
      return;
    default:
  }
}
