import type { SessionMedia } from '../../port/media.ts';
import type { Link } from '../connection/link.ts';
import { encryptMediaRetryRequest } from '../library.ts';

export function media(link: Link): SessionMedia {
  return {
    connection: (refresh = false) =>
      link.ask(async (socket) => {
        const info = await socket.refreshMediaConn(refresh);
        return {
          hosts: info.hosts.map((host) => host.hostname),
          auth: info.auth,
          expiresAt: info.fetchDate.getTime() + info.ttl * 1000,
        };
      }),

    requestReupload: ({ messageId, chat, fromMe, participant, mediaKey }) =>
      link.ask(async (socket) => {
        const key = { id: messageId, remoteJid: chat, fromMe, ...(participant ? { participant } : {}) };
        const me = link.creds.me?.id ?? '';
        await socket.sendNode(encryptMediaRetryRequest(key, Buffer.from(mediaKey), me));
      }),
  };
}
