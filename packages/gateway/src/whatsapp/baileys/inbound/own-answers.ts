import type { EventEmitter } from 'node:events';
import { type BinaryNode, buildAckStanza } from '../library.ts';
import { accountJid, type OwnAccount } from '../parse/message-source.ts';

const STATUS_JID = 'status@broadcast';

/** Of what is sealed under a message that is not here (whatsmeow receipt.go `NackMissingMessageSecret`). */
const MISSING_MESSAGE_SECRET = 495;

/** The part of a socket that answers. */
export interface Answering {
  readonly ws: EventEmitter;
  sendNode(node: BinaryNode): Promise<void>;
}

export interface OwnAnswersParts {
  readonly socket: Answering;
  own(): OwnAccount;
  onFailure(error: unknown): void;
}

/**
 * Answers that the library does not give, or not as the server wants them. Each leaves once the stanza is
 * kept; what the server misses comes again on every connection, and ends it after some 50 minutes
 * (`<stream:error><ack class type id/>`, Baileys issue 1910).
 *
 * - Since July 2026 what people post for a day may come as `<status>`, for which the library has no handler. WhatsApp
 *   Web takes it for a message and acknowledges it by the class `status` (whatsapp-rust pull request 1101).
 * - A status that cannot be opened is answered by `<ack error="500">`, for which the server keeps it and holds back
 *   all that is behind it (Baileys pull request 2779). whatsmeow acknowledges it as anything else (message.go
 *   decryptMessages); so do we, before the library's error, which then finds nothing.
 * - A message of the own account is taken off the queue by its `sender` receipt alone (whatsapp-rust pull request 659,
 *   whose disconnections every 50 minutes ended with it); the library gives none for what it cannot open.
 * - One that has come before is received again, as by whatsmeow; the library answers by an error.
 * - Of what the account asks an assistant, the library's receipt names the account itself as the chat
 *   (decode-wa-message.js `isJidMetaAI`).
 * - What an assistant answers is received when it could be opened, and else refused (whatsmeow message.go
 *   decryptMessages); the library refuses all of it.
 */
export class OwnAnswers {
  readonly #parts: OwnAnswersParts;
  readonly #statuses = new WeakSet<BinaryNode>();

  /** Call before whoever looks at frames by their tag: they see these as messages. */
  constructor(parts: OwnAnswersParts) {
    this.#parts = parts;
    parts.socket.ws.prependListener('frame', (frame: unknown) => this.#retag(frame));
  }

  /** The message is kept; `opened` unless it could not be read. */
  kept(stanza: BinaryNode, opened: boolean): void {
    const status = this.#statuses.has(stanza);
    if (status) this.acknowledge({ ...stanza, tag: 'status' });
    else if (!opened && stanza.attrs.from === STATUS_JID) this.acknowledge(stanza);
    const misnamed = stanza.attrs.recipient?.endsWith('@bot') === true;
    if ((!opened || misnamed) && this.#isOwn(stanza)) this.#receive(stanza);
  }

  /** The message has come before, and is stored. */
  repeated(stanza: BinaryNode): void {
    if (!this.#statuses.has(stanza)) this.#receive(stanza);
  }

  /** An assistant's answer is stored; `opened` unless the message that it answers is not here. */
  stored(stanza: BinaryNode, opened: boolean): void {
    if (opened) this.#receive(stanza);
    else this.#send(buildAckStanza(stanza, MISSING_MESSAGE_SECRET, undefined));
  }

  /** Acknowledges a stanza by its tag. */
  acknowledge(stanza: BinaryNode): void {
    this.#send(buildAckStanza(stanza, undefined, undefined));
  }

  /** A delivery receipt under the names that the message came by (whatsmeow receipt.go buildBaseReceipt). */
  #receive(stanza: BinaryNode): void {
    const { id = '', from = '', participant, recipient } = stanza.attrs;
    const type = this.#isOwn(stanza) ? 'sender' : 'inactive';
    const attrs = {
      id,
      to: from,
      type,
      ...(participant ? { participant } : {}),
      ...(recipient ? { recipient } : {}),
    };
    this.#send({ tag: 'receipt', attrs });
  }

  #isOwn({ attrs: { from, participant } }: BinaryNode): boolean {
    const { jid, lid } = this.#parts.own();
    const author = accountJid(participant ?? from ?? '');
    return author !== '' && (author === jid || author === lid);
  }

  #send(node: BinaryNode): void {
    this.#parts.socket.sendNode(node).catch((error: unknown) => this.#parts.onFailure(error));
  }

  #retag(frame: unknown): void {
    if (typeof frame !== 'object' || frame === null || !('tag' in frame) || frame.tag !== 'status') return;
    const stanza = frame as BinaryNode;
    stanza.tag = 'message';
    this.#statuses.add(stanza);
  }
}
