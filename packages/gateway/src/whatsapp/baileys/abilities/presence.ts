import { KeptOffline, SessionNotOpen } from '../../port/errors.ts';
import type { SessionPresence } from '../../port/presence.ts';
import type { Link } from '../connection/link.ts';

/** `mayAppear`: asked before each `available`, and this is the one place that sends it: the library does not. */
export function presence(link: Link, mayAppear: () => Promise<boolean>): SessionPresence {
  return {
    send: (state) =>
      link.ask(async (socket) => {
        if (state === 'available' && !(await mayAppear())) throw new KeptOffline();
        // The library passes over it in silence, and whatsmeow refuses it (presence.go SendPresence).
        if (!link.creds.me?.name) throw new SessionNotOpen("the phone has not told the account's name yet");
        await socket.sendPresenceUpdate(state);
      }),
    sendChatState: (to, state) => link.ask((socket) => socket.sendPresenceUpdate(state, to)),
    subscribe: (contact) => link.ask((socket) => socket.presenceSubscribe(contact)),
  };
}
