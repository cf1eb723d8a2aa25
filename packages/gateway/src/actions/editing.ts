/** Editing a message that was sent. */
import type { Clock } from '../clock.ts';
import { invalidField } from '../errors.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { assertEditable, hasCaption } from '../messages/edit-rules.ts';
import { checkedCaption, checkedText } from '../sending/content.ts';
import {
  claimedName,
  type Delivered,
  deliver,
  earlierDelivery,
  type SendAttempt,
} from '../sending/delivery.ts';
import type { RecipientAddress } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { editMessage } from './content/edit.ts';
import { chatToSendTo, firstUsable, type MessageCopies, sessionOf } from './message-copies.ts';

export interface EditRequest {
  name: MessageName;
  address: RecipientAddress;
  text: string;
  attempt?: SendAttempt | undefined;
}

export class Editing {
  readonly #copies: MessageCopies;
  readonly #archive: MessageArchive;
  readonly #clock: Clock;

  constructor(parts: { copies: MessageCopies; archive: MessageArchive; clock: Clock }) {
    this.#copies = parts.copies;
    this.#archive = parts.archive;
    this.#clock = parts.clock;
  }

  /**
   * Replaces the text or caption of a message of ours and resolves once WhatsApp's server has the edit.
   * Answers with the id of the edit. Throws MESSAGE_NOT_FOUND (unknown, received, or another tenant's),
   * VALIDATION_ERROR, NOT_EDITABLE, EDIT_WINDOW_EXPIRED, and what sending throws.
   */
  async edit(caller: Caller, request: EditRequest): Promise<Delivered> {
    checkedText('message', request.text);
    const { attempt } = request;
    const earlier = await earlierDelivery(this.#archive, caller.tenantId, attempt);
    if (earlier) return earlier;
    const name = claimedName(request.name, attempt);
    const copies = await this.#copies.inChat(caller, name, request.address, (each) => each.fromMe);
    if (copies.length === 0) throw invalidField('to', 'is not the chat of this message');
    const found = firstUsable(copies);
    const { target, device } = found;
    assertEditable(target, this.#clock.now());
    if (hasCaption(target.kind)) checkedCaption(request.text, 'message');
    const session = sessionOf(found);
    const original = (await this.#archive.wireMessage(target)) ?? {};
    const composed = editMessage({ target, original, text: request.text, now: this.#clock.now() });
    const recipient = chatToSendTo(target);
    return deliver(this.#archive, { session, device, recipient, composed, attempt });
  }
}
