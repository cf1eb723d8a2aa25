import { LRUCache } from 'lru-cache';
import type { CredentialStore } from '../../port/credentials.ts';
import type { SessionReporter } from '../../port/events.ts';
import type { Identity, Jid } from '../../port/identity.ts';
import type { InboundMessage } from '../../port/messages.ts';

const KEY_TYPE = 'push-name';
/** Senders whose name is held in memory, per session; the rest is one read away. */
const CACHED_NAMES = 500;

/**
 * Notices when a sender's push name is another than before (whatsmeow store `PutPushName`: the first name
 * counts as a change too). The names are kept with the device's keys, so that a restart is no news.
 */
export class PushNames {
  readonly #store: CredentialStore;
  readonly #cache = new LRUCache<string, string>({ max: CACHED_NAMES });

  constructor(store: CredentialStore) {
    this.#store = store;
  }

  /** A reporter that follows each message from somebody whose name changed with the notice of it. */
  following(report: SessionReporter): SessionReporter {
    return async (event) => {
      await report(event);
      if (event.type === 'message') await this.#compare(event.message, report);
    };
  }

  /** Names from history: known from now on, and no news. */
  async learn(names: { jid: Jid; name: string }[]): Promise<void> {
    await this.#store.write(
      names.map(({ jid, name }) => ({ type: KEY_TYPE, id: jid, value: Buffer.from(name) })),
    );
    for (const { jid, name } of names) if (this.#cache.has(jid)) this.#cache.set(jid, name);
  }

  async #compare(message: InboundMessage, report: SessionReporter): Promise<void> {
    const { sender, pushName, fromMe } = message;
    if (!pushName || fromMe || message.content.kind === 'undecryptable') return;
    const names = [sender.jid, sender.lid].filter((jid) => jid !== null);
    if (names.length === 0 || (await this.#known(names)) === pushName) return;
    await report({ type: 'notice', notice: noticeOf(sender, pushName) });
    // Under both names: history knows a person by one, and a message may bring the other first.
    await this.#store.write(names.map((id) => ({ type: KEY_TYPE, id, value: Buffer.from(pushName) })));
    for (const id of names) this.#cache.set(id, pushName);
  }

  async #known(names: string[]): Promise<string | null> {
    for (const id of names) {
      const cached = this.#cache.get(id);
      if (cached !== undefined) return cached;
    }
    const stored = await this.#store.readKeys(KEY_TYPE, names);
    for (const id of names) {
      const value = stored.get(id);
      if (!value) continue;
      const name = Buffer.from(value).toString('utf8');
      this.#cache.set(id, name);
      return name;
    }
    return null;
  }
}

function noticeOf(contact: Identity, pushName: string) {
  return { name: 'contact.pushname' as const, contact, pushName };
}
