import type { Socket } from '../library.ts';

/** `DisconnectReason.loggedOut` of the library. */
const LOGGED_OUT = 401;

/**
 * Asks the server to remove this companion, and waits for its word (whatsmeow client.go Logout). The library asks
 * and does not listen (socket.js `logout`): a refusal, or silence, would pass for done, and the phone would go on
 * to list a device whose keys are gone.
 */
export async function unlink(socket: Socket): Promise<void> {
  const jid = socket.authState.creds.me?.id;
  if (!jid) return;
  await socket.query({
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'md' },
    content: [{ tag: 'remove-companion-device', attrs: { jid, reason: 'user_initiated' } }],
  });
}

/** What the connection of a companion that was removed ends with. */
export function loggedOut(): Error {
  return Object.assign(new Error('Intentional Logout'), { output: { statusCode: LOGGED_OUT } });
}
