import type { SessionPresence } from '../../port/presence.ts';
import type { Link } from '../connection/link.ts';

export function presence(link: Link): SessionPresence {
  return {
    send: (state) => link.ask((socket) => socket.sendPresenceUpdate(state)),
    sendChatState: (to, state) => link.ask((socket) => socket.sendPresenceUpdate(state, to)),
    subscribe: (contact) => link.ask((socket) => socket.presenceSubscribe(contact)),
  };
}
