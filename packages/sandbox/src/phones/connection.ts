import { randomBytes } from 'node:crypto';
import { type BinaryNode, getBinaryNodeChild } from 'baileys';
import type { DeviceAddress, NetworkLink, NetworkPort } from '../link.ts';

/** The network answered a query or a message with an error. */
export class StanzaError extends Error {
  /** Numeric code as sent, for example 404 or 463; 0 when there was none. */
  readonly code: number;

  constructor(what: string, code: number, text: string) {
    super(`${what}: ${code} ${text}`.trim());
    this.name = 'StanzaError';
    this.code = code;
  }
}

type StanzaHandler = (node: BinaryNode) => Promise<void>;

interface Waiting {
  resolve(node: BinaryNode): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** The network lives in the same process; an answer that takes this long will not come. */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * A primary phone's attachment to the network: sends stanzas, matches answers to questions, and hands
 * everything else to one handler per tag, strictly one stanza after the other.
 */
export class PhoneConnection implements NetworkLink {
  readonly address: DeviceAddress;
  readonly #port: NetworkPort;
  readonly #handlers = new Map<string, StanzaHandler>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #onFailure: (error: Error, node: BinaryNode) => void;
  readonly #idPrefix = randomBytes(4).toString('hex').toUpperCase();
  #counter = 0;
  #online = false;
  #inbound: Promise<void> = Promise.resolve();

  constructor(
    port: NetworkPort,
    address: DeviceAddress,
    onFailure: (error: Error, node: BinaryNode) => void,
  ) {
    this.#port = port;
    this.address = address;
    this.#onFailure = onFailure;
  }

  get online(): boolean {
    return this.#online;
  }

  on(tag: string, handler: StanzaHandler): void {
    this.#handlers.set(tag, handler);
  }

  goOnline(): void {
    if (this.#online) return;
    this.#online = true;
    this.#port.attach(this);
  }

  /** Leaves the network after the stanzas that already arrived were worked off. */
  async goOffline(): Promise<void> {
    await this.idle();
    if (!this.#online) return;
    this.#port.detach(this);
    this.close();
  }

  /** Resolves when every stanza delivered so far was handled. */
  async idle(): Promise<void> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#inbound) {
      seen = this.#inbound;
      await seen;
    }
  }

  /** Resolves when the stanzas delivered before this call were handled; later ones are not waited for. */
  async caughtUp(): Promise<void> {
    await this.#inbound;
  }

  nextId(): string {
    this.#counter += 1;
    return `${this.#idPrefix}-${this.#counter}`;
  }

  /** Sends one stanza; throws when the phone is offline. */
  send(node: BinaryNode): void {
    if (!this.#online) throw new Error(`the phone ${this.address.user} is offline`);
    this.#port.submit(this, node);
  }

  /** Sends an `iq` and resolves with its result; an error answer rejects with {@link StanzaError}. */
  async query(node: BinaryNode): Promise<BinaryNode> {
    const id = node.attrs.id ?? this.nextId();
    const answer = await this.#exchange(`iq:${id}`, { ...node, attrs: { ...node.attrs, id } });
    if (answer.attrs.type !== 'error') return answer;
    const error = getBinaryNodeChild(answer, 'error');
    throw new StanzaError(
      `${node.attrs.xmlns ?? 'iq'} was refused`,
      Number(error?.attrs.code ?? 0),
      error?.attrs.text ?? '',
    );
  }

  /** Sends a `message` and resolves with the server's ack; an ack with `error` rejects. */
  async sendMessage(node: BinaryNode): Promise<BinaryNode> {
    const ack = await this.#exchange(`ack:message:${node.attrs.id ?? ''}`, node);
    if (ack.attrs.error === undefined) return ack;
    throw new StanzaError(`message ${node.attrs.id ?? ''} was refused`, Number(ack.attrs.error), '');
  }

  /** Acknowledges a stanza, as Baileys `buildAckStanza` and whatsmeow `sendAck` do. */
  acknowledge(node: BinaryNode): void {
    if (!this.#online) return;
    const { id = '', from = '', participant, recipient, type } = node.attrs;
    this.send({
      tag: 'ack',
      attrs: {
        id,
        to: from,
        class: node.tag,
        ...(participant === undefined ? {} : { participant }),
        ...(recipient === undefined ? {} : { recipient }),
        // whatsmeow sendAck leaves `type` out for messages.
        ...(type === undefined || node.tag === 'message' ? {} : { type }),
      },
    });
  }

  deliver(node: BinaryNode): void {
    if (node.tag === 'iq' && node.attrs.type !== 'get' && node.attrs.type !== 'set') {
      if (this.#answer(`iq:${node.attrs.id ?? ''}`, node)) return;
    }
    if (node.tag === 'ack') {
      this.#answer(`ack:${node.attrs.class ?? ''}:${node.attrs.id ?? ''}`, node);
      return;
    }
    const handler = this.#handlers.get(node.tag);
    if (!handler) return;
    this.#inbound = this.#inbound
      .then(() => (this.#online ? handler(node) : undefined))
      .catch((error: unknown) => {
        this.#onFailure(error instanceof Error ? error : new Error(String(error)), node);
      });
  }

  close(): void {
    this.#online = false;
    for (const [key, waiting] of this.#waiting) {
      clearTimeout(waiting.timer);
      waiting.reject(new Error(`the phone ${this.address.user} went offline before ${key} was answered`));
    }
    this.#waiting.clear();
  }

  #answer(key: string, node: BinaryNode): boolean {
    const waiting = this.#waiting.get(key);
    if (!waiting) return false;
    this.#waiting.delete(key);
    clearTimeout(waiting.timer);
    waiting.resolve(node);
    return true;
  }

  #exchange(key: string, node: BinaryNode): Promise<BinaryNode> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(key);
        reject(new Error(`the network did not answer ${key} (${node.attrs.xmlns ?? node.tag})`));
      }, ANSWER_TIMEOUT_MS);
      timer.unref();
      this.#waiting.set(key, { resolve, reject, timer });
      try {
        this.send(node);
      } catch (error) {
        clearTimeout(timer);
        this.#waiting.delete(key);
        reject(error);
      }
    });
  }
}
