/** Older messages, asked of the phone. */
import type { SessionHistory } from '../../port/history.ts';
import type { Link } from '../connection/link.ts';

export function history(link: Link): SessionHistory {
  return {
    request: ({ chat, oldest, count }) =>
      link.ask(async (socket) => {
        const key = { remoteJid: chat, id: oldest.id, fromMe: oldest.fromMe };
        await socket.fetchMessageHistory(count, key, oldest.timestamp);
      }),
  };
}
