import { LRUCache } from 'lru-cache';
import type { GroupMetadata, Socket } from '../library.ts';

const MAX_GROUPS = 500;
/** A missed notification must not keep a stale member list for ever. */
const MAX_AGE_MS = 10 * 60_000;

/** Member lists of groups, so that a group send does not ask the server each time. */
export class GroupCache {
  readonly #groups = new LRUCache<string, GroupMetadata>({ max: MAX_GROUPS, ttl: MAX_AGE_MS });
  /** Questions under way; one whose group changed meanwhile is answered and not kept. */
  readonly #asked = new Map<string, symbol>();

  get(jid: string): GroupMetadata | undefined {
    return this.#groups.get(jid);
  }

  /** The member list that is kept, else the server's, which is kept from now on. */
  async fetched(socket: Pick<Socket, 'groupMetadata'>, jid: string): Promise<GroupMetadata> {
    const kept = this.#groups.get(jid);
    if (kept) return kept;
    const question = Symbol(jid);
    this.#asked.set(jid, question);
    const fresh = await socket.groupMetadata(jid);
    if (this.#asked.get(jid) === question) {
      this.#asked.delete(jid);
      this.#groups.set(jid, fresh);
    }
    return fresh;
  }

  /** `<notification type="w:gp2" from=…>`: members, name or settings changed, or they are asked for anew. */
  forget(jid: string): void {
    this.#groups.delete(jid);
    this.#asked.delete(jid);
  }
}
