/** Passing a stored message on to another chat. */
import { AppError } from '../errors.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { ReadyMedia } from '../media/answer.ts';
import type { MediaService } from '../media/service.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { assertForwardable } from '../messages/rules/forward-rules.ts';
import type { StoredMessage } from '../messages/stored-message.ts';
import type { Sending, SendRequest, SentMessage } from '../sending/pipeline.ts';
import type { Caller } from '../tenancy/caller.ts';
import { forwardContent } from './content/forward.ts';
import type { MessageCopies } from './message-copies.ts';

/** The message `forwarded`, with everything that a send may say beside its content. */
export type ForwardRequest = Omit<SendRequest, 'content' | 'quote' | 'mentions' | 'deviceId'> & {
  forwarded: MessageName;
};

export interface ForwardingParts {
  copies: MessageCopies;
  archive: MessageArchive;
  media: Pick<MediaService, 'resolve'>;
  sending: Sending;
}

/** Time for a phone to upload a file again, within the patience of clients. */
const MEDIA_WAIT_MS = 30_000;

export class Forwarding {
  readonly #parts: ForwardingParts;

  constructor(parts: ForwardingParts) {
    this.#parts = parts;
  }

  /**
   * Sends it from a device that holds it. Throws MESSAGE_NOT_FOUND, NOT_FORWARDABLE, what finding the file
   * throws (MEDIA_GONE, MEDIA_DOWNLOAD_FAILED, …), and what sending throws.
   */
  async forward(caller: Caller, { forwarded, ...request }: ForwardRequest): Promise<SentMessage> {
    const { copies, archive, sending } = this.#parts;
    const named = await copies.any(caller, forwarded);
    const { target, device } = await copies.reachable(caller, named);
    assertForwardable(target);
    const original = (await archive.contents.wire(target)) ?? {};
    const content = forwardContent({
      target,
      original,
      file: (signal) => this.#file(caller, target, signal),
    });
    return sending.send(caller, { ...request, deviceId: device.id, content });
  }

  async #file(caller: Caller, target: StoredMessage, signal: AbortSignal | undefined): Promise<ReadyMedia> {
    const answer = await this.#parts.media.resolve(
      caller,
      { id: target.rowId },
      {
        waitMs: MEDIA_WAIT_MS,
        ...(signal ? { signal } : {}),
      },
    );
    if (answer.state === 'ready') return answer;
    throw new AppError('WHATSAPP_TIMEOUT', {
      message: 'the phone was asked to upload the file again and has not answered yet: try again later',
      ...(answer.state === 'retry_requested' ? { retryAfterSeconds: answer.retryAfterSeconds } : {}),
    });
  }
}
