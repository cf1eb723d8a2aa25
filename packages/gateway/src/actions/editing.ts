/** Editing a message that was sent. */
import { invalidField } from '../errors.ts';
import type { MessageName } from '../identity/message-name.ts';
import { assertEditable, hasCaption } from '../messages/rules/edit-rules.ts';
import { checkedCaption, checkedText } from '../sending/content.ts';
import { claimedName, type Delivered, earlierDelivery, type SendAttempt } from '../sending/delivery.ts';
import type { RecipientAddress } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { type ChangingParts, sendChange } from './changing.ts';
import { editMessage } from './content/edit.ts';
import { firstUsable, sessionOf } from './message-copies.ts';

export interface EditRequest {
  name: MessageName;
  address: RecipientAddress;
  text: string;
  attempt?: SendAttempt | undefined;
}

export class Editing {
  readonly #parts: ChangingParts;

  constructor(parts: ChangingParts) {
    this.#parts = parts;
  }

  /**
   * Replaces the text or caption of a message of ours and resolves once WhatsApp's server has the edit.
   * Answers with the id of the edit. Throws MESSAGE_NOT_FOUND (unknown, received, or another tenant's),
   * VALIDATION_ERROR, NOT_EDITABLE, EDIT_WINDOW_EXPIRED, and what sending throws.
   */
  async edit(caller: Caller, request: EditRequest): Promise<Delivered> {
    checkedText('message', request.text);
    const { attempt } = request;
    const { copies, archive, clock } = this.#parts;
    const earlier = await earlierDelivery(archive, caller.tenantId, attempt);
    if (earlier) return earlier;
    const name = claimedName(request.name, attempt);
    const own = await copies.inChat(caller, name, request.address, (each) => each.fromMe);
    if (own.length === 0) throw invalidField('to', 'is not the chat of this message');
    const found = firstUsable(own);
    const { target } = found;
    assertEditable(target, clock.now());
    if (hasCaption(target.kind)) checkedCaption(request.text, 'message');
    const session = sessionOf(found);
    const original = (await archive.contents.wire(target)) ?? {};
    const composed = editMessage({ target, original, text: request.text, now: clock.now() });
    return sendChange(archive, session, { found, composed, attempt });
  }
}
