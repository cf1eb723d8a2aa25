/** The media hosts, and asking the phone to upload a file again. */
import { AnswerUnreadable } from '../../port/errors.ts';
import type { MediaConnection, SessionMedia } from '../../port/media.ts';
import type { Route } from '../../port/route.ts';
import type { Link } from '../connection/link.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import {
  type BinaryNode,
  encryptMediaRetryRequest,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type Socket,
} from '../library.ts';

export function media(link: Link): SessionMedia {
  let asked: Promise<MediaConnection> | null = null;
  return {
    connection: (refresh = false) =>
      link.ask(async (socket) => {
        // The library's own would keep a failed answer for ever (messages-send.js `refreshMediaConn`).
        const kept = refresh ? null : await asked?.catch(() => null);
        if (kept && kept.expiresAt > link.clock.now()) return kept;
        asked = askConnection(socket, link.clock.now(), link.route);
        return asked;
      }),

    requestReupload: ({ messageId, chat, fromMe, participant, mediaKey }) =>
      link.ask(async (socket) => {
        const key = { id: messageId, remoteJid: chat, fromMe, ...(participant ? { participant } : {}) };
        const me = link.creds.me?.id ?? '';
        await socket.sendNode(encryptMediaRetryRequest(key, Buffer.from(mediaKey), me));
      }),
  };
}

/** `now` in milliseconds; the answer holds for its `ttl`, seconds. */
async function askConnection(socket: Socket, now: number, route: Route | null): Promise<MediaConnection> {
  const question: BinaryNode = {
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:m' },
    content: [{ tag: 'media_conn', attrs: {} }],
  };
  const answer: BinaryNode = await socket.query(question);
  assertAnswered();
  const found = getBinaryNodeChild(answer, 'media_conn');
  if (!found?.attrs.auth) throw new AnswerUnreadable('media_conn');
  return {
    hosts: getBinaryNodeChildren(found, 'host').flatMap(({ attrs }) => attrs.hostname ?? []),
    auth: found.attrs.auth,
    expiresAt: now + Number(found.attrs.ttl) * 1000,
    route,
  };
}
