/** Pinning a message in its chat, for everyone. */
import type { MessageName } from '../identity/message-name.ts';
import { assertPinnable } from '../messages/rules/pin-rules.ts';
import type { StoredMessage } from '../messages/stored-message.ts';
import { claimedName, type Delivered, earlierDelivery, type SendAttempt } from '../sending/delivery.ts';
import type { Caller } from '../tenancy/caller.ts';
import { type ChangingParts, sendChange } from './changing.ts';
import { pinMessage } from './content/pin.ts';
import { sessionOf } from './message-copies.ts';

export interface PinRequest {
  name: MessageName;
  /** Null unpins. */
  seconds: number | null;
  attempt?: SendAttempt | undefined;
}

export class Pinning {
  readonly #parts: ChangingParts;

  constructor(parts: ChangingParts) {
    this.#parts = parts;
  }

  /**
   * Resolves once WhatsApp's server has it, with the id of the pin itself. Throws MESSAGE_NOT_FOUND,
   * NOT_PINNABLE, and what sending throws.
   */
  async pin(caller: Caller, request: PinRequest): Promise<Delivered & { target: StoredMessage }> {
    const { attempt } = request;
    const { copies, archive, clock } = this.#parts;
    const all = await copies.any(caller, claimedName(request.name, attempt));
    const found = await copies.reachable(caller, all);
    const { target } = found;
    const earlier = await earlierDelivery(archive, caller.tenantId, attempt);
    if (earlier) return { ...earlier, target };
    assertPinnable(target);
    const session = sessionOf(found);
    const composed = pinMessage({ target, seconds: request.seconds, now: clock.now() });
    return { ...(await sendChange(archive, session, { found, composed, attempt })), target };
  }
}
