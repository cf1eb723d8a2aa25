import { LRUCache } from 'lru-cache';
import type { GroupMetadata } from './library.ts';

const MAX_GROUPS = 500;
/** A missed notification must not keep a stale member list for ever. */
const MAX_AGE_MS = 10 * 60_000;

/** Member lists of groups, so that a group send does not ask the server each time. */
export class GroupCache {
  readonly #groups = new LRUCache<string, GroupMetadata>({ max: MAX_GROUPS, ttl: MAX_AGE_MS });

  get(jid: string): GroupMetadata | undefined {
    return this.#groups.get(jid);
  }

  put(jid: string, metadata: GroupMetadata): void {
    this.#groups.set(jid, metadata);
  }

  /** `<notification type="w:gp2" from=…>`: members, name or settings changed. */
  forget(jid: string): void {
    this.#groups.delete(jid);
  }
}
