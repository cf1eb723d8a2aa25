import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '../library.ts';

/**
 * Makes the library handle messages one after the other, as they arrived.
 *
 * It puts what the server had stored (`offline` on the stanza) into a queue and handles live messages at
 * once, so after a reconnect a new message overtakes everything that waits, an edit its own target
 * (messages-recv.js processNode). Live messages also look up names before they line up, and the one whose
 * name is known comes first. So each of them goes through the queue too: it carries the attribute while the
 * library's listener decides, which it does before its first await, and no longer.
 */
export function keepMessageOrder(ws: EventEmitter): void {
  if (ws.listenerCount('CB:message') === 0) {
    throw new Error('the library no longer listens to CB:message: see message-order.ts');
  }
  const live = new WeakSet<BinaryNode>();
  ws.prependListener('CB:message', (stanza: BinaryNode) => {
    if (stanza.attrs.offline !== undefined) return;
    stanza.attrs.offline = '0';
    live.add(stanza);
  });
  ws.on('CB:message', (stanza: BinaryNode) => {
    if (live.has(stanza)) delete stanza.attrs.offline;
  });
}
