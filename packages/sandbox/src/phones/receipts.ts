import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren } from 'baileys';
import type { AddressBook } from './address-book.ts';
import type { PhoneConnection } from './connection.ts';

/** How a phone answers what arrives. */
export interface ReceiptPolicy {
  /** Send delivery receipts (two ticks). Without them the stanza is only acknowledged. */
  delivered: boolean;
  /** `auto` reads at once, as a phone with the chat open does. */
  read: 'auto' | 'manual';
}

/** A receipt that came in for a message of this account. */
export interface ReceivedReceipt {
  readonly messageId: string;
  /** `delivered`, or the stanza's type: `read`, `played`, `retry`, `inactive`, `sender`… */
  readonly type: string;
  /** Bare JID of the chat. */
  readonly chat: string;
  /** Bare JID of who sent the receipt, phone number where it is known. */
  readonly from: string;
  readonly fromDevice: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

interface Waiter {
  matches(receipt: ReceivedReceipt): boolean;
  resolve(receipt: ReceivedReceipt): void;
}

/** What a receipt for several people says of one of them. */
function grouped({ attrs }: BinaryNode, id: string | undefined, user: BinaryNode): BinaryNode {
  const { jid, t, type } = user.attrs;
  const of = type === 'delivery' ? undefined : (type ?? attrs.type);
  return {
    tag: 'receipt',
    attrs: {
      from: attrs.from ?? '',
      id: id ?? '',
      ...(jid === undefined ? {} : { participant: jid }),
      ...(t === undefined ? {} : { t }),
      ...(of === undefined ? {} : { type: of }),
    },
  };
}

/** Receipts that came in, and the sending of receipts. */
export class Receipts {
  readonly received: ReceivedReceipt[] = [];
  readonly #connection: PhoneConnection;
  readonly #book: AddressBook;
  readonly #waiters = new Set<Waiter>();

  constructor(connection: PhoneConnection, book: AddressBook) {
    this.#connection = connection;
    this.#book = book;
  }

  take(node: BinaryNode): void {
    const groups = getBinaryNodeChildren(node, 'participants');
    for (const group of groups) {
      const id = group.attrs.message_id ?? group.attrs.key;
      for (const user of getBinaryNodeChildren(group, 'user')) this.#take(grouped(node, id, user));
    }
    if (groups.length === 0) this.#take(node);
  }

  #take(node: BinaryNode): void {
    const { from = '', participant, id = '', t, type = 'delivered', recipient } = node.attrs;
    const author = participant ?? from;
    const items = getBinaryNodeChildren(getBinaryNodeChild(node, 'list'), 'item');
    for (const messageId of [id, ...items.map((item) => item.attrs.id ?? '')]) {
      const receipt: ReceivedReceipt = {
        messageId,
        type,
        chat: this.#book.canonical(recipient ?? from),
        from: this.#book.canonical(author),
        fromDevice: author,
        timestamp: Number(t ?? Math.floor(Date.now() / 1000)),
      };
      this.received.push(receipt);
      for (const waiter of [...this.#waiters]) {
        if (!waiter.matches(receipt)) continue;
        this.#waiters.delete(waiter);
        waiter.resolve(receipt);
      }
    }
  }

  /** Looks at what came in, then waits. Rejects after `timeoutMs`. */
  waitFor(matches: (receipt: ReceivedReceipt) => boolean, timeoutMs: number): Promise<ReceivedReceipt> {
    const present = this.received.find(matches);
    if (present) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        matches,
        resolve: (receipt) => {
          clearTimeout(timer);
          resolve(receipt);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const seen = this.received.map((receipt) => `${receipt.type} ${receipt.messageId}`).slice(-10);
        reject(new Error(`no such receipt within ${timeoutMs} ms; last: ${seen.join(', ') || 'none'}`));
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /**
   * The delivery receipt for a message stanza: no `type` for a message of others, `sender` for one that an
   * own companion wrote, `peer_msg` for peer messages (whatsmeow receipt.go sendMessageReceipt).
   */
  delivered(message: BinaryNode, fromMe: boolean): void {
    const { id = '', from = '', participant, recipient, category } = message.attrs;
    const attrs: Record<string, string> = { id, to: from };
    if (category === 'peer') attrs.type = 'peer_msg';
    else if (fromMe) attrs.type = 'sender';
    if (participant !== undefined) attrs.participant = participant;
    if (recipient !== undefined) attrs.recipient = recipient;
    this.#connection.send({ tag: 'receipt', attrs });
  }

  /** `read` or `played` for messages of one author in one chat (whatsmeow receipt.go MarkRead). */
  mark(type: 'read' | 'played', chat: string, ids: readonly string[], participant?: string): void {
    const [first, ...rest] = ids;
    if (first === undefined) return;
    const attrs: Record<string, string> = {
      id: first,
      to: chat,
      type,
      t: String(Math.floor(Date.now() / 1000)),
    };
    if (participant !== undefined) attrs.participant = participant;
    const items = rest.map((id) => ({ tag: 'item', attrs: { id } }));
    this.#connection.send(
      items.length === 0
        ? { tag: 'receipt', attrs }
        : { tag: 'receipt', attrs, content: [{ tag: 'list', attrs: {}, content: items }] },
    );
  }
}
