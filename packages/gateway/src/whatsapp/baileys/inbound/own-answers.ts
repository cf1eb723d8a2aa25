import type { EventEmitter } from 'node:events';
import { type BinaryNode, buildAckStanza } from '../library.ts';

const STATUS_JID = 'status@broadcast';

/** The part of a socket that answers. */
export interface Answering {
  readonly ws: EventEmitter;
  sendNode(node: BinaryNode): Promise<void>;
}

/**
 * Acknowledgements that the library does not give, or not as the server wants them. Each leaves once the stanza is
 * kept; what the server misses comes again on every connection, and ends it after some 50 minutes
 * (`<stream:error><ack class type id/>`, Baileys issue 1910).
 *
 * - Since July 2026 what people post for a day may come as `<status>`, for which the library has no handler. WhatsApp
 *   Web takes it for a message and acknowledges it by the class `status` (whatsapp-rust pull request 1101).
 * - A status that cannot be opened is answered by `<ack error="500">`, for which the server keeps it and holds back
 *   all that is behind it (Baileys pull request 2779). whatsmeow acknowledges it as anything else (message.go
 *   decryptMessages); so do we, before the library's error, which then finds nothing.
 */
export class OwnAnswers {
  readonly #socket: Answering;
  readonly #onFailure: (error: unknown) => void;
  readonly #statuses = new WeakSet<BinaryNode>();

  /** Call before whoever looks at frames by their tag: they see these as messages. */
  constructor(socket: Answering, onFailure: (error: unknown) => void) {
    this.#socket = socket;
    this.#onFailure = onFailure;
    socket.ws.prependListener('frame', (frame: unknown) => this.#retag(frame));
  }

  /** The message is kept; `opened` unless it could not be read. */
  kept(stanza: BinaryNode, opened: boolean): void {
    if (this.#statuses.has(stanza)) this.acknowledge({ ...stanza, tag: 'status' });
    else if (!opened && stanza.attrs.from === STATUS_JID) this.acknowledge(stanza);
  }

  /** Acknowledges a stanza by its tag. */
  acknowledge(stanza: BinaryNode): void {
    this.#socket.sendNode(buildAckStanza(stanza, undefined, undefined)).catch(this.#onFailure);
  }

  #retag(frame: unknown): void {
    if (typeof frame !== 'object' || frame === null || !('tag' in frame) || frame.tag !== 'status') return;
    const stanza = frame as BinaryNode;
    stanza.tag = 'message';
    this.#statuses.add(stanza);
  }
}
