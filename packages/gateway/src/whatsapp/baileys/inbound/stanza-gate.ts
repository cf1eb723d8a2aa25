import type { EventEmitter } from 'node:events';
import { takeListeners } from '../connection/taken-listeners.ts';
import type { BinaryNode } from '../library.ts';

/**
 * Puts our work before the library's for one kind of stanza.
 *
 * The library acknowledges receipts and notifications itself, once its own handler is done, and an
 * acknowledged stanza is gone from the server. So its listeners are taken off, ours runs first, and they
 * see the stanza only when ours has succeeded: what was not stored is not acknowledged, and the server
 * sends it again on the next connection (whatsmeow calls the same thing SynchronousAck).
 * Stanzas of one gate pass in their order; those for which `first` gives `answered` the library does not see. Throws when the library has no listener for them.
 */
export function gateStanzas(
  ws: EventEmitter,
  event: string,
  first: (node: BinaryNode) => Promise<unknown>,
  onRefused: (node: BinaryNode, error: unknown) => void,
): void {
  const library = takeListeners(ws, event);
  // Without a listener to hold back, the library acknowledges somewhere that is not gated.
  if (library.length === 0) {
    throw new Error(`the library no longer listens to ${event}: see stanza-gate.ts`);
  }
  let last: Promise<void> = Promise.resolve();
  ws.on(event, (node: BinaryNode) => {
    last = last.then(async () => {
      try {
        if ((await first(node)) === 'answered') return;
      } catch (error) {
        onRefused(node, error);
        return;
      }
      for (const listener of library) listener(node);
    });
  });
}
