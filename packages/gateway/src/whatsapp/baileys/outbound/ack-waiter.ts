import type { Clock } from '../../../clock.ts';
import { SendRejected, SessionTimeout } from '../../port/errors.ts';
import type { SendAck } from '../../port/messages.ts';
import type { BinaryNode } from '../library.ts';
import { stampOf } from '../parse/stanza-time.ts';

interface Waiting {
  resolve(ack: SendAck): void;
  reject(error: Error): void;
  cancel(): void;
}

/** Texts for the codes of `<ack error>` that users meet; source: Baileys `NACK_REASONS`, `SERVER_ERROR_CODES`. */
const REJECTION_TEXTS: Record<number, string> = {
  400: 'WhatsApp did not understand the message',
  401: 'the account is not allowed to send this',
  403: 'not allowed to write to this chat',
  404: 'the recipient is not on WhatsApp',
  420: 'the group does not accept this message',
  463: 'the account is restricted from starting new chats',
  479: 'WhatsApp refused the message as malformed',
};

/**
 * Matches `<ack class="message" id=…>` to the send that waits for it.
 * `sendMessage` of the library returns when the bytes are written; only the ack says that the server has
 * the message, and its `error` attribute says that it has not.
 */
export class AckWaiter {
  /** By id, in the order in which they left: changes of one post in a channel go by its id, and acks keep the order. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with the server's time (ms) for message `id`, or throws within `timeoutMs`. */
  wait(id: string, timeoutMs: number): { ack: Promise<SendAck>; cancel(): void } {
    let remove: () => void = () => undefined;
    const ack = new Promise<SendAck>((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => {
        remove();
        reject(new SessionTimeout(`no ack for the message within ${timeoutMs / 1000} s`));
      });
      const waiting: Waiting = { resolve, reject, cancel };
      remove = () => this.#remove(id, waiting);
      this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), waiting]);
    });
    ack.catch(() => undefined);
    return { ack, cancel: remove };
  }

  handle(node: BinaryNode): void {
    const id = node.attrs.id;
    const waiting = id ? this.#take(id) : undefined;
    if (!waiting) return;
    const error = node.attrs.error;
    if (error) {
      const code = Number(error);
      waiting.reject(
        new SendRejected(code, REJECTION_TEXTS[code] ?? `WhatsApp refused the message (${error})`),
      );
      return;
    }
    const serverId = Number(node.attrs.server_id);
    const timestamp = stampOf(node.attrs.t);
    // whatsmeow send.go SendResponse: posts in channels alone have one.
    waiting.resolve({ timestamp, ...(Number.isSafeInteger(serverId) ? { serverId } : {}) });
  }

  /** The connection ended: nobody will get an answer on it, and the server may have the message. */
  closeAll(): void {
    for (const [id, all] of [...this.#waiting]) {
      for (const waiting of all) {
        this.#remove(id, waiting);
        waiting.reject(new SessionTimeout('the connection ended before WhatsApp acknowledged the message'));
      }
    }
  }

  #take(id: string): Waiting | undefined {
    const [first] = this.#waiting.get(id) ?? [];
    if (first) this.#remove(id, first);
    return first;
  }

  #remove(id: string, waiting: Waiting): void {
    waiting.cancel();
    const others = (this.#waiting.get(id) ?? []).filter((each) => each !== waiting);
    if (others.length > 0) this.#waiting.set(id, others);
    else this.#waiting.delete(id);
  }
}
