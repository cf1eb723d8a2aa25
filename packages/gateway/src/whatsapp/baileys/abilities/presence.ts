import { SessionNotOpen } from '../../port/errors.ts';
import type { SessionPresence } from '../../port/presence.ts';
import type { Link } from '../connection/link.ts';

export function presence(link: Link): SessionPresence {
  return {
    send: (state) =>
      link.ask(async (socket) => {
        // The library passes over it in silence, and whatsmeow refuses it (presence.go SendPresence).
        if (!link.creds.me?.name) throw new SessionNotOpen("the phone has not told the account's name yet");
        await socket.sendPresenceUpdate(state);
      }),
    sendChatState: (to, state) => link.ask((socket) => socket.sendPresenceUpdate(state, to)),
    subscribe: (contact) => link.ask((socket) => socket.presenceSubscribe(contact)),
  };
}
