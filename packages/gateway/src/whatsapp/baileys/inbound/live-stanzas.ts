import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '../library.ts';

/** Stanzas of this kind that the server neither keeps nor wants acknowledged. */
const LIVE = ['CB:presence', 'CB:chatstate', 'CB:ib'] as const;
/** A stalled database must not pile up who was typing an hour ago. */
const MAX_WAITING = 1_000;

/**
 * Hands on what is only worth something now: presence, typing, and what the server says about itself. One
 * after the other, in their order; what fails or comes too fast is lost, as it would be without a connection.
 */
export function followLiveStanzas(
  ws: EventEmitter,
  take: (node: BinaryNode) => Promise<void>,
  onLost: (node: BinaryNode, error: unknown) => void,
): void {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  const listener = (node: BinaryNode) => {
    if (waiting >= MAX_WAITING) {
      onLost(node, new Error('too many are waiting'));
      return;
    }
    waiting += 1;
    last = last
      .then(() => take(node))
      .catch((error: unknown) => onLost(node, error))
      .finally(() => {
        waiting -= 1;
      });
  };
  for (const event of LIVE) ws.on(event, listener);
}
