import type { Kysely, Transaction } from 'kysely';
import { mediaRetryData } from '../../events/payloads/message.ts';
import { type EventDevice, type EventRecorder, noEvents } from '../../events/recorder.ts';
import { canonicalJid, storedIdentity } from '../../identity/jid.ts';
import type { Log } from '../../observability/log.ts';
import { checkedTenant } from '../../storage/narrowing.ts';
import type { Database } from '../../storage/schema.ts';
import type { Identity } from '../../whatsapp/port/identity.ts';
import type { MediaRetryResult, SealedRetryAnswer } from '../../whatsapp/port/media.ts';
import type { MediaCopies, MediaCopy } from '../copies.ts';
import { openRetryNotification } from './retry-notification.ts';
import type { RetryOutcome, RetryRequest, RetryRequests } from './retry-requests.ts';

/** `<error code="2"/>`: the phone does not have the media (whatsmeow mediaretry.go ErrMediaNotAvailableOnPhone). */
const NOT_ON_PHONE = 2;

interface Answered {
  copy: MediaCopy;
  request: RetryRequest;
  result: MediaRetryResult;
}

/** Applies the phones' answers to the requests and media rows they speak of. */
export class RetryAnswers {
  readonly #db: Kysely<Database>;
  readonly #log: Log;
  readonly #copies: MediaCopies;
  readonly #requests: RetryRequests;
  readonly #events: EventRecorder;

  constructor(parts: {
    db: Kysely<Database>;
    log: Log;
    copies: MediaCopies;
    requests: RetryRequests;
    events?: EventRecorder | undefined;
  }) {
    this.#events = parts.events ?? noEvents;
    this.#db = parts.db;
    this.#log = parts.log;
    this.#copies = parts.copies;
    this.#requests = parts.requests;
  }

  /** Stores the answer with its event. Returns the copy with its new path when the file can be fetched now. */
  async take(
    device: EventDevice & Identity,
    answer: SealedRetryAnswer,
  ): Promise<{ copy: MediaCopy; request: RetryRequest } | null> {
    const answered = await this.#match(device, answer);
    if (!answered) {
      // The account's other companions ask too, and every companion hears the answers.
      this.#log.debug({ device_id: device.id }, 'a media retry answer matches no request of ours');
      return null;
    }
    const { request, result } = answered;
    this.#log.info(
      { device_id: device.id, result: result.result },
      'the phone answered a media retry request',
    );
    if (isRepetition(answered)) return null;
    const renewed = await this.#db.transaction().execute((trx) => this.#apply(trx, device, answered));
    this.#events.committed();
    this.#requests.wake(request);
    return renewed && { copy: renewed, request };
  }

  /** Resolves with the copy as it is now when it has a new path. */
  async #apply(
    trx: Transaction<Database>,
    device: EventDevice & Identity,
    { copy, request, result: { result, directPath } }: Answered,
  ): Promise<MediaCopy | null> {
    await this.#events.record(trx, device, {
      name: 'media.retry',
      data: mediaRetryData({
        messageId: copy.messageId,
        recordId: copy.rowId,
        account: canonicalJid(device),
        chat: storedIdentity(copy.chatJid, copy.chatLid),
        sender: storedIdentity(copy.senderJid, copy.senderLid),
        isGroup: copy.isGroup,
        fromMe: copy.fromMe,
        result,
      }),
      orderKey: storedIdentity(copy.chatJid, copy.chatLid),
    });
    const close = (state: RetryOutcome, detail: string | null) =>
      this.#requests.closeWithin(trx, device.tenantId, request, { state, result: detail });
    if (directPath !== null) {
      await this.#copies.renewPath(trx, copy, directPath);
      await close('succeeded', null);
      return { ...copy, directPath, gone: false };
    }
    if (result === 'not_found') {
      await this.#copies.markGone(trx, copy);
      await close('not_found', null);
    } else {
      await close('failed', result);
    }
    return null;
  }

  /**
   * A message id alone does not name a message (chats of one device may share one). A sealed answer belongs to
   * the copy whose media key opens it; a refusal in the clear to the copy in the named chat. Only what we asked
   * for is taken, also after its time was over.
   */
  async #match(
    device: { id: string; tenantId: string },
    answer: SealedRetryAnswer,
  ): Promise<Answered | null> {
    const rows = await this.#db
      .selectFrom('media_retry_requests')
      .select('message_row_id')
      .distinct()
      .where(checkedTenant(device.tenantId))
      .where('device_id', '=', device.id)
      .where('message_id', '=', answer.messageId)
      .execute();
    const rowIds = rows.map((row) => row.message_row_id);
    const requests = await this.#requests.latest(device.tenantId, rowIds);
    const refused: Answered[] = [];
    for (const request of requests) {
      const copy = await this.#copies.copy(request.rowId);
      if (!copy) continue;
      if (answer.encrypted) {
        const result = openRetryNotification(answer.encrypted, copy.mediaKey, answer.messageId);
        if (result) return { copy, request, result };
      } else if (answer.errorCode !== null && request.state === 'open') {
        const result = answer.errorCode === NOT_ON_PHONE ? 'not_found' : 'general_error';
        refused.push({ copy, request, result: { result, directPath: null } });
      }
    }
    const inChat = refused.find(({ copy }) => copy.chatJid === answer.chat || copy.chatLid === answer.chat);
    return inChat ?? (refused.length === 1 ? (refused[0] ?? null) : null);
  }
}

/** The server delivers an answer again when our acknowledgement was lost. */
function isRepetition({ copy, request, result: { result, directPath } }: Answered): boolean {
  if (result === 'success') return request.state === 'succeeded' && copy.directPath === directPath;
  if (result === 'not_found') return request.state === 'not_found';
  return request.state === 'failed' && request.result === result;
}
