import { takeListeners } from '../connection/taken-listeners.ts';
import { type BinaryNode, getBinaryNodeChild, type Socket } from '../library.ts';

const EVENT = 'CB:ib,,dirty';
/**
 * Some of them, by name, while the connection is there (WhatsApp Web, as read in whatsapp-rust pull request 1357). All
 * are fetched: that is one question too.
 */
const SOME = 'CB:notification,,groups_dirty';

/**
 * `<ib><dirty type="groups"/></ib>`: what a client knows of its groups may be wrong; the server says so at each login
 * until it hears that they were fetched.
 *
 * The library fetches them by itself, for nobody, and says so at once. When that is refused, its listener rejects and
 * nobody hears of it, which ends the process (groups.js, chats.js `ws.on('CB:ib,,dirty')`). So its listeners are
 * called with an ear for what becomes of them, and not for groups.
 */
export class DirtyGroups {
  #dirty = false;

  /** Calls `changed` for groups; `failed` when the library could not deal with something else. */
  attach(socket: Socket, changed: () => void, failed: (error: unknown) => void): void {
    const library = takeListeners(socket.ws, EVENT);
    if (library.length === 0)
      throw new Error(`the library no longer listens to ${EVENT}: see dirty-groups.ts`);
    socket.ws.on(SOME, () => changed());
    socket.ws.on(EVENT, (node: BinaryNode) => {
      if (getBinaryNodeChild(node, 'dirty')?.attrs.type === 'groups') {
        this.#dirty = true;
        changed();
        return;
      }
      for (const listener of library) {
        // In a function of its own, so that one that throws at once rejects.
        const done = (async () => listener(node))();
        done.catch(failed);
      }
    });
  }

  /** They were fetched and stored. */
  async clean(socket: Socket): Promise<void> {
    if (!this.#dirty) return;
    await socket.cleanDirtyBits('groups');
    this.#dirty = false;
  }
}
