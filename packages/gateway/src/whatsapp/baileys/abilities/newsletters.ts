import { RequestRefused } from '../../port/errors.ts';
import type { Jid } from '../../port/identity.ts';
import type { Newsletter, SessionNewsletters } from '../../port/newsletters.ts';
import type { Link } from '../connection/link.ts';
import { type BinaryNode, getBinaryNodeChild, QueryIds, type Socket, XWAPaths } from '../library.ts';
import type { AckWaiter } from '../outbound/ack-waiter.ts';
import { mexQuery } from '../outbound/mex-query.ts';
import { parseNewsletter, parsePosts } from '../parse/newsletter.ts';

const SERVER = '@s.whatsapp.net';
const NOT_FOUND = 404;
/** The library has no number for it (whatsmeow newsletter.go querySubscribedNewsletters). */
const SUBSCRIBED = { queryId: '6388546374527196', path: 'xwa2_newsletter_subscribed' };
/** What an account agrees to before it makes a channel (whatsmeow newsletter.go AcceptTOSNotice). */
const TERMS = { id: '20601218', stage: '5' };
/** Takes a reaction back (whatsmeow newsletter.go NewsletterSendReaction). */
const UNREACT = { edit: '7' };
const ACK_TIMEOUT_MS = 20_000;

export function newsletters(link: Link, acks: AckWaiter): SessionNewsletters {
  const change = (queryId: string, path: string, jid: Jid): Promise<void> =>
    link.ask(async (socket) => {
      await mexQuery(socket, { queryId, path, variables: { newsletter_id: jid } });
    });
  return {
    list: () =>
      link.ask(async (socket) => {
        const found = await mexQuery(socket, { ...SUBSCRIBED, variables: {} });
        return Array.isArray(found) ? found.flatMap((each) => parseNewsletter(each) ?? []) : [];
      }),

    find: (name) =>
      link.ask(async (socket) => {
        const byJid = 'jid' in name;
        return described(
          await mexQuery(socket, {
            queryId: QueryIds.METADATA,
            path: XWAPaths.xwa2_newsletter_metadata,
            variables: {
              fetch_creation_time: true,
              fetch_full_image: true,
              fetch_viewer_metadata: true,
              input: byJid ? { key: name.jid, type: 'JID' } : { key: name.inviteCode, type: 'INVITE' },
            },
          }),
        );
      }),

    create: ({ name, description, picture }) =>
      link.ask(async (socket) => {
        await acceptTerms(socket);
        // The picture as whatsmeow has it (newsletter.go CreateNewsletterParams).
        const shown = picture && { picture: Buffer.from(picture).toString('base64') };
        const variables = { input: { name, description: description || null, ...shown } };
        const query = { queryId: QueryIds.CREATE, path: XWAPaths.xwa2_newsletter_create };
        return described(await mexQuery(socket, { ...query, variables }));
      }),

    follow: (jid, follows) =>
      follows
        ? change(QueryIds.FOLLOW, XWAPaths.xwa2_newsletter_join_v2, jid)
        : change(QueryIds.UNFOLLOW, XWAPaths.xwa2_newsletter_leave_v2, jid),

    mute: (jid, muted) =>
      muted
        ? change(QueryIds.MUTE, XWAPaths.xwa2_newsletter_mute_v2, jid)
        : change(QueryIds.UNMUTE, XWAPaths.xwa2_newsletter_unmute_v2, jid),

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

function described(found: unknown): Newsletter {
  const newsletter = parseNewsletter(found);
  if (!newsletter) throw new RequestRefused(NOT_FOUND, 'WhatsApp knows no such channel');
  return newsletter;
}

async function acceptTerms(socket: Socket): Promise<void> {
  await socket.query({
    tag: 'iq',
    attrs: { id: socket.generateMessageTag(), type: 'set', to: SERVER, xmlns: 'tos' },
    content: [{ tag: 'notice', attrs: TERMS }],
  });
}
