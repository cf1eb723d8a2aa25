import type { BinaryNode } from 'baileys';
import type { NetworkLink } from '../link.ts';

interface Stored {
  readonly sequence: number;
  readonly node: BinaryNode;
  /** How often the stanza was handed to a link; more than 0 on redelivery. */
  deliveries: number;
}

/** What a client says in an `<ack>` (or, for messages, a delivery receipt) about a stanza it has taken. */
export interface Acknowledgement {
  readonly tag: string;
  readonly id: string;
  readonly from?: string | undefined;
  readonly participant?: string | undefined;
  readonly type?: string | undefined;
}

/**
 * The stanzas of one device that it has not acknowledged yet, in order, and the link it is attached by.
 * Stanzas are found by tag and id, so that settling one costs the same whatever the length of the queue.
 */
export class Mailbox {
  link: NetworkLink | undefined;
  /** True once stored stanzas were delivered on this link; new ones then go out at once. */
  receiving = false;
  /** True once the device said `<presence type="available">` on this link. */
  available = false;

  readonly #stored = new Map<number, Stored>();
  readonly #byId = new Map<string, Stored[]>();
  #sequence = 0;

  /** Stanzas stored and not acknowledged. */
  get pending(): number {
    return this.#stored.size;
  }

  /** Keeps a stanza until the device acknowledges it; false for one without an id, which cannot be acknowledged. */
  store(node: BinaryNode): boolean {
    const id = node.attrs.id;
    if (id === undefined) return false;
    this.#sequence += 1;
    const stored: Stored = { sequence: this.#sequence, node, deliveries: this.receiving ? 1 : 0 };
    this.#stored.set(stored.sequence, stored);
    const key = `${node.tag} ${id}`;
    const same = this.#byId.get(key);
    if (same) same.push(stored);
    else this.#byId.set(key, [stored]);
    return true;
  }

  /**
   * Forgets the stanza that the device took. Receipts of many readers share one id, so sender and type are
   * compared too; when none fits exactly the oldest with that id is meant.
   */
  acknowledge(acknowledged: Acknowledgement): boolean {
    const key = `${acknowledged.tag} ${acknowledged.id}`;
    const same = this.#byId.get(key);
    if (!same) return false;
    const exact = same.findIndex(({ node: { attrs } }) => {
      return (
        attrs.from === acknowledged.from &&
        attrs.participant === acknowledged.participant &&
        (acknowledged.tag === 'message' || attrs.type === acknowledged.type)
      );
    });
    const [stored] = same.splice(Math.max(exact, 0), 1);
    if (same.length === 0) this.#byId.delete(key);
    if (stored) this.#stored.delete(stored.sequence);
    return stored !== undefined;
  }

  /**
   * The stored stanzas in order, each marked as the offline queue marks them. The attribute counts the
   * earlier deliveries of the stanza; clients only look whether it is there (Baileys messages-recv.js
   * processNode).
   */
  *redeliver(): Generator<BinaryNode> {
    for (const stored of [...this.#stored.values()]) {
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
