import { type BinaryNode, getAllBinaryNodeChildren } from 'baileys';
import type { AddressBook } from './address-book.ts';

/** What a phone shows of somebody: online or not, or typing in a chat. */
export type PresenceSeen =
  | {
      readonly kind: 'presence';
      /** Bare JID, the phone number where it is known. */
      readonly from: string;
      readonly available: boolean;
      /** Unix seconds; `deny` where it is hidden; undefined while online. */
      readonly last: string | undefined;
    }
  | {
      readonly kind: 'chat';
      readonly chat: string;
      readonly from: string;
      readonly state: 'composing' | 'paused';
      readonly media: 'text' | 'audio';
    };

interface Waiter {
  matches(seen: PresenceSeen): boolean;
  resolve(seen: PresenceSeen): void;
}

/** What came in of presence and typing, and who waits for it. */
export class PresencesSeen {
  readonly all: PresenceSeen[] = [];
  readonly #book: AddressBook;
  readonly #waiters = new Set<Waiter>();

  constructor(book: AddressBook) {
    this.#book = book;
  }

  presence({ attrs }: BinaryNode): void {
    const from = this.#book.canonical(attrs.from ?? '');
    this.#take({ kind: 'presence', from, available: attrs.type !== 'unavailable', last: attrs.last });
  }

  chatState(node: BinaryNode): void {
    const { from = '', participant } = node.attrs;
    const [child] = getAllBinaryNodeChildren(node);
    if (!child) return;
    this.#take({
      kind: 'chat',
      chat: this.#book.canonical(from),
      from: this.#book.canonical(participant ?? from),
      state: child.tag === 'paused' ? 'paused' : 'composing',
      media: child.attrs.media === 'audio' ? 'audio' : 'text',
    });
  }

  /** The next one that matches and that nobody has waited for yet. Rejects after `timeoutMs`. */
  next(matches: (seen: PresenceSeen) => boolean, timeoutMs: number): Promise<PresenceSeen> {
    const at = this.all.findIndex(matches);
    const [present] = at < 0 ? [] : this.all.splice(0, at + 1).slice(-1);
    if (present) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        matches,
        resolve: (seen) => {
          clearTimeout(timer);
          resolve(seen);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(
          new Error(`no such presence within ${timeoutMs} ms; seen: ${JSON.stringify(this.all.slice(-5))}`),
        );
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  #take(seen: PresenceSeen): void {
    for (const waiter of [...this.#waiters]) {
      if (!waiter.matches(seen)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(seen);
      return;
    }
    this.all.push(seen);
  }
}
