import type { BinaryNode } from 'baileys';
import type { NetworkLink } from '../link.ts';

export interface KeptStanza {
  readonly node: BinaryNode;
  /** How often the stanza was handed to a link; more than 0 on redelivery. */
  readonly deliveries: number;
}

interface Stored extends KeptStanza {
  readonly sequence: number;
  deliveries: number;
}

/** What a client says in an `<ack>` (or, for messages, a delivery receipt) about a stanza it has taken. */
export interface Acknowledgement {
  readonly tag: string;
  readonly id: string;
  readonly from?: string | undefined;
  readonly participant?: string | undefined;
  readonly recipient?: string | undefined;
  readonly type?: string | undefined;
}

/**
 * The stanzas of one device that it has not acknowledged yet, in order, and the link it is attached by.
 * Stanzas are found by tag and id, so that settling one costs the same whatever the length of the queue.
 */
export class Mailbox {
  // Private, as all of it: what is kept of a network is everything about a device but its mailbox and its link.
  #link: NetworkLink | undefined;
  #receiving = false;
  #available = false;
  readonly #stored = new Map<number, Stored>();
  readonly #byId = new Map<string, Stored[]>();
  /** Sequences of what the device answered with an error, and what is kept for that. */
  readonly #refused = new Set<number>();
  #sequence = 0;

  /** A mailbox with these stanzas, in their order; nobody is attached to it. */
  static of(stanzas: readonly KeptStanza[]): Mailbox {
    const mailbox = new Mailbox();
    for (const { node, deliveries } of stanzas) mailbox.#add(node, deliveries);
    return mailbox;
  }

  /** What {@link Mailbox.of} makes an equal one from. */
  get stanzas(): readonly KeptStanza[] {
    return [...this.#stored.values()].map(({ node, deliveries }) => ({ node, deliveries }));
  }

  get link(): NetworkLink | undefined {
    return this.#link;
  }

  set link(link: NetworkLink | undefined) {
    this.#link = link;
  }

  /** True once stored stanzas were delivered on this link; new ones then go out at once. */
  get receiving(): boolean {
    return this.#receiving;
  }

  set receiving(receiving: boolean) {
    this.#receiving = receiving;
  }

  /** True once the device said `<presence type="available">` on this link. */
  get available(): boolean {
    return this.#available;
  }

  set available(available: boolean) {
    this.#available = available;
  }

  /** Stanzas stored and not acknowledged. */
  get pending(): number {
    return this.#stored.size;
  }

  /** Keeps a stanza until the device acknowledges it; false for one without an id, which cannot be acknowledged. */
  store(node: BinaryNode): boolean {
    if (node.attrs.id === undefined) return false;
    this.#add(node, this.#receiving ? 1 : 0);
    return true;
  }

  #add(node: BinaryNode, deliveries: number): void {
    this.#sequence += 1;
    const stored: Stored = { sequence: this.#sequence, node, deliveries };
    this.#stored.set(stored.sequence, stored);
    const key = `${node.tag} ${node.attrs.id}`;
    const same = this.#byId.get(key);
    if (same) same.push(stored);
    else this.#byId.set(key, [stored]);
  }

  /**
   * Forgets what the device took, under the very names it came by: to another one the real server keeps the stanza,
   * sends it on every connection, and ends the stream over it (whatsapp-rust pull requests 633, recipient, and
   * 649, the sender's device). A message that was sent again under its id is one with the first.
   */
  acknowledge(acknowledged: Acknowledgement): boolean {
    const key = `${acknowledged.tag} ${acknowledged.id}`;
    const same = this.#byId.get(key) ?? [];
    const meant = same.filter(({ node }) => names(node, acknowledged));
    const taken = acknowledged.tag === 'message' ? meant : meant.slice(0, 1);
    const left = same.filter((stored) => !taken.includes(stored));
    if (left.length === 0) this.#byId.delete(key);
    else this.#byId.set(key, left);
    for (const { sequence } of taken) {
      this.#stored.delete(sequence);
      this.#refused.delete(sequence);
    }
    return taken.length > 0;
  }

  /**
   * The device answered with an error. For a status the server takes that for a failed delivery: it keeps the
   * stanza, and everything behind it waits until it is taken (Baileys pull request 2779).
   */
  refuse(acknowledged: Acknowledgement): void {
    const same = this.#byId.get(`${acknowledged.tag} ${acknowledged.id}`) ?? [];
    for (const stored of same) if (names(stored.node, acknowledged)) this.#refused.add(stored.sequence);
  }

  /** Whether it is a message between the account's own devices that no person wrote. */
  isPeer({ tag, id }: Acknowledgement): boolean {
    const same = this.#byId.get(`${tag} ${id}`) ?? [];
    return same.some(({ node }) => node.attrs.category === 'peer');
  }

  /** Whether something is kept that the device refused: it comes first, and alone. */
  get refused(): boolean {
    return this.#refused.size > 0;
  }

  /** The stanza that waits longest. */
  get oldest(): BinaryNode | undefined {
    for (const { node } of this.#stored.values()) return node;
    return undefined;
  }

  /**
   * The stored stanzas in order, each marked as the offline queue marks them. The attribute counts the
   * earlier deliveries of the stanza; clients only look whether it is there (Baileys messages-recv.js
   * processNode).
   */
  *redeliver(): Generator<BinaryNode> {
    const { refused } = this;
    for (const stored of [...this.#stored.values()]) {
      if (refused && !this.#refused.has(stored.sequence)) continue;
      const offline = String(stored.deliveries);
      stored.deliveries += 1;
      yield { ...stored.node, attrs: { ...stored.node.attrs, offline } };
    }
  }

  /** How many stored stanzas carry each tag, for `<offline_preview>`. */
  countByTag(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { node } of this.#stored.values()) counts.set(node.tag, (counts.get(node.tag) ?? 0) + 1);
    return counts;
  }
}

function names({ attrs }: BinaryNode, acknowledged: Acknowledgement): boolean {
  return (
    attrs.from === acknowledged.from &&
    attrs.participant === acknowledged.participant &&
    attrs.recipient === acknowledged.recipient &&
    (acknowledged.tag === 'message' || attrs.type === acknowledged.type)
  );
}
