import { KeptOffline, SessionNotOpen } from '../../port/errors.ts';
import type { SessionPresence } from '../../port/presence.ts';
import type { Link } from '../connection/link.ts';
import { DirectAddresses } from '../outbound/direct-address.ts';

/** `mayAppear`: asked before each `available`, and this is the one place that sends it: the library does not. */
export function presence(link: Link, mayAppear: () => Promise<boolean>): SessionPresence {
  const addresses = new DirectAddresses(link.clock);
  return {
    send: (state) =>
      link.ask(async (socket) => {
        if (state === 'available' && !(await mayAppear())) throw new KeptOffline();
        // The library passes over it in silence, and whatsmeow refuses it (presence.go SendPresence).
        if (!link.creds.me?.name) throw new SessionNotOpen("the phone has not told the account's name yet");
        await socket.sendPresenceUpdate(state);
      }),
    // In the chat in which the message will be (OpenWA pull request 717).
    sendChatState: (chat, state) =>
      link.ask(async (socket) => {
        const { to } = await addresses.of(socket, link.own(), chat);
        await socket.sendPresenceUpdate(state, to);
      }),
    subscribe: (contact) => link.ask((socket) => socket.presenceSubscribe(contact)),
  };
}
