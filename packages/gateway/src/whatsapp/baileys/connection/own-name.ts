import type { AuthenticationCreds, Socket } from '../library.ts';

/**
 * Tells the server the account's name as it is, in the library's place.
 *
 * The library tells it whenever credentials change (socket.js `creds.update`): a name that holds an @ as a JID, for which
 * the server may end the stream, and no name at all when something else has changed. In its presences it leaves the
 * @ out (chats.js `sendPresenceUpdate`), and others see the name without it. `writeTexts` comes first.
 */
export function tellOwnName(socket: Socket, onFailure: (error: Error) => void): void {
  const { ev, authState } = socket;
  const tell = (name: string): void => {
    socket.sendNode({ tag: 'presence', attrs: { name } }).catch(onFailure);
  };
  const emit = ev.emit.bind(ev);
  ev.emit = (event, told) => {
    if (event !== 'creds.update') return emit(event, told);
    const { me } = authState.creds;
    const update: Partial<AuthenticationCreds> = { ...(me ? { me } : {}), ...told };
    // Known before the library hears of it, it is no news to it.
    if (update.me) authState.creds.me = update.me;
    const done = emit('creds.update', update);
    if (me && update.me?.name && update.me.name !== me.name) tell(update.me.name);
    return done;
  };
  ev.on('connection.update', ({ isOnline }) => {
    const name = authState.creds.me?.name;
    // It tells of its presence first, and sends it in the same turn.
    if (isOnline !== undefined && name?.includes('@')) queueMicrotask(() => tell(name));
  });
}
