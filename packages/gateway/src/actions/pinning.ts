/** Pinning a message in its chat, for everyone. */
import type { Clock } from '../clock.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { assertPinnable } from '../messages/pin-rules.ts';
import type { StoredMessage } from '../messages/stored-message.ts';
import {
  claimedName,
  type Delivered,
  deliver,
  earlierDelivery,
  type SendAttempt,
} from '../sending/delivery.ts';
import type { Caller } from '../tenancy/caller.ts';
import { pinMessage } from './content/pin.ts';
import { chatToSendTo, type MessageCopies, sessionOf } from './message-copies.ts';

export interface PinRequest {
  name: MessageName;
  /** Null unpins. */
  seconds: number | null;
  attempt?: SendAttempt | undefined;
}

export class Pinning {
  readonly #copies: MessageCopies;
  readonly #archive: MessageArchive;
  readonly #clock: Clock;

  constructor(parts: { copies: MessageCopies; archive: MessageArchive; clock: Clock }) {
    this.#copies = parts.copies;
    this.#archive = parts.archive;
    this.#clock = parts.clock;
  }

  /**
   * Resolves once WhatsApp's server has it, with the id of the pin itself. Throws MESSAGE_NOT_FOUND,
   * NOT_PINNABLE, and what sending throws.
   */
  async pin(caller: Caller, request: PinRequest): Promise<Delivered & { target: StoredMessage }> {
    const { attempt } = request;
    const copies = await this.#copies.any(caller, claimedName(request.name, attempt));
    const found = await this.#copies.reachable(caller, copies);
    const { target, device } = found;
    const earlier = await earlierDelivery(this.#archive, caller.tenantId, attempt);
    if (earlier) return { ...earlier, target };
    assertPinnable(target);
    const session = sessionOf(found);
    const composed = pinMessage({ target, seconds: request.seconds, now: this.#clock.now() });
    const recipient = chatToSendTo(target);
    const delivered = await deliver(this.#archive, { session, device, recipient, composed, attempt });
    return { ...delivered, target };
  }
}
