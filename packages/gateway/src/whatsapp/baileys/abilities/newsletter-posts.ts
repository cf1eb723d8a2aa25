import { RequestRefused } from '../../port/errors.ts';
import type { SessionNewsletterPosts } from '../../port/newsletters.ts';
import type { Link } from '../connection/link.ts';
import { type BinaryNode, getBinaryNodeChild } from '../library.ts';
import type { AckWaiter } from '../outbound/ack-waiter.ts';
import { parsePosts } from '../parse/newsletter.ts';

const SERVER = '@s.whatsapp.net';
/** Takes a reaction back (whatsmeow newsletter.go NewsletterSendReaction). */
const UNREACT = { edit: '7' };
const ACK_TIMEOUT_MS = 20_000;

/** Posts of channels: listed, looked at, reacted to. */
export function newsletterPosts(link: Link, acks: AckWaiter): SessionNewsletterPosts {
  return {
    posts: (jid, { count, before }) =>
      link.ask(async (socket) => {
        const attrs = {
          type: 'jid',
          jid,
          count: String(count),
          ...(before ? { before: String(before) } : {}),
        };
        const answer: BinaryNode = await socket.query({
          tag: 'iq',
          attrs: { id: socket.generateMessageTag(), type: 'get', to: SERVER, xmlns: 'newsletter' },
          content: [{ tag: 'messages', attrs }],
        });
        return parsePosts(getBinaryNodeChild(answer, 'messages'));
      }),

    view: (jid, serverIds) =>
      link.ask(async (socket) => {
        // The server's ack has the id of the receipt, as the answer to a query has (whatsmeow NewsletterMarkViewed).
        const items = serverIds.map((id) => ({ tag: 'item', attrs: { server_id: String(id) } }));
        const ack: BinaryNode = await socket.query({
          tag: 'receipt',
          attrs: { to: jid, type: 'view', id: socket.generateMessageTag() },
          content: [{ tag: 'list', attrs: {}, content: items }],
        });
        if (ack.attrs.error) throw new RequestRefused(Number(ack.attrs.error), 'not counted');
      }),

    /** whatsmeow newsletter.go NewsletterSubscribeLiveUpdates. */
    followLive: (jid) =>
      link.ask(async (socket) => {
        const answer: BinaryNode = await socket.query({
          tag: 'iq',
          attrs: { id: socket.generateMessageTag(), type: 'set', to: jid, xmlns: 'newsletter' },
          content: [{ tag: 'live_updates', attrs: {} }],
        });
        const seconds = Number(getBinaryNodeChild(answer, 'live_updates')?.attrs.duration);
        return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : null;
      }),

    react: (jid, serverId, emoji) =>
      link.ask(async (socket) => {
        const id = socket.generateMessageTag();
        const waiting = acks.wait(id, ACK_TIMEOUT_MS);
        const reaction = { tag: 'reaction', attrs: emoji === null ? {} : { code: emoji } };
        const attrs = { to: jid, id, server_id: String(serverId), type: 'reaction' };
        await socket.sendNode({
          tag: 'message',
          attrs: { ...attrs, ...(emoji === null ? UNREACT : {}) },
          content: [reaction],
        });
        await waiting.ack;
      }),
  };
}
