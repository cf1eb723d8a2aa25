import { isWritable, writeStanza } from '../connection/stanza-writing.ts';
import { type BinaryNode, buildAckStanza, type Socket } from '../library.ts';

/** What the server keeps until it is acknowledged, and the library acknowledges by its attributes. */
const KEPT: ReadonlySet<string> = new Set(['message', 'status', 'receipt', 'notification', 'call']);
/**
 * What the library repeats in its answers: `buildAckStanza` (stanza-ack.js), receipts, and the time in what asks
 * for another copy (messages-recv.js `sendRetryRequest`).
 */
const REPEATED = ['id', 'from', 'participant', 'recipient', 'type', 't'] as const;
/**
 * The other name of a person (decode-wa-message.js `extractAddressingContext`). The library stores it whatever
 * it is, and from then on asks for keys and devices under it.
 */
const OTHER_NAMES = ['participant', 'sender', 'recipient', 'peer_recipient'].flatMap((who) => [
  `${who}_pn`,
  `${who}_lid`,
]);
const PERSON = /^\d{1,20}(?::\d{1,3})?@(?:s\.whatsapp\.net|lid|hosted|hosted\.lid)$/;

/** A stanza was named by something that the library cannot write. */
class UnwritableName extends Error {
  override name = 'UnwritableName';
}

/** Takes the stanzas that the library could not answer out of its way, and answers them. */
export function answerUnwritable(
  socket: Socket,
  setAside: (node: BinaryNode, error: unknown) => Promise<void>,
  onRefused: (node: BinaryNode, error: unknown) => void,
): void {
  socket.ws.prependListener('frame', (frame: unknown) => {
    if (!isStanza(frame) || !KEPT.has(frame.tag)) return;
    for (const name of OTHER_NAMES) {
      // Without it the message is as good: most people have one name only, to us.
      if (!PERSON.test(frame.attrs[name] ?? '')) delete frame.attrs[name];
    }
    if (REPEATED.every((name) => isWritable(frame.attrs[name] ?? ''))) return;
    const stanza = { ...frame };
    // All listeners but those of `frame` go by the tag: nobody else hears of this one.
    frame.tag = 'unwritable';
    // Acknowledged once it is kept: the server would send it again on every connection.
    setAside(stanza, new UnwritableName('a stanza cannot be named in an answer'))
      .then(() => socket.sendRawMessage(acknowledgement(stanza, socket.authState.creds.me?.id)))
      .catch((error: unknown) => onRefused(stanza, error));
  });
}

function isStanza(frame: unknown): frame is BinaryNode {
  return typeof frame === 'object' && frame !== null && 'tag' in frame;
}

/** The library's acknowledgement, with the names as they came: text where the library has no form for them. */
function acknowledgement(stanza: BinaryNode, own: string | undefined): Uint8Array {
  return writeStanza(buildAckStanza(stanza, undefined, own));
}
