/** Asking the account's own phone to upload a file again. */
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { MediaCopy } from './copies.ts';
import type { LostCopy } from './downloading.ts';
import type { RetryRequest, RetryRequests } from './retry-requests.ts';

/** A phone whose new upload was broken too is not asked again at once. */
const BROKEN_UPLOAD_PAUSE_MS = 5 * 60_000;

/**
 * Sends the request, unless one is open. `latest` are the newest ones of the message. Throws AppError
 * MEDIA_DOWNLOAD_FAILED soon after an upload that was broken too, and what the session's errors mean.
 */
export async function askForUpload(
  parts: { requests: RetryRequests; clock: Clock },
  lost: LostCopy,
  latest: RetryRequest[],
): Promise<void> {
  const { copy, session } = lost;
  const last = latest.find((request) => request.rowId === copy.rowId);
  if (lost.corrupt && last?.result === 'broken_upload') {
    const since = parts.clock.now() - (last.answeredAt ?? 0);
    // A clock that was set back is no reason to refuse for longer.
    const pause = BROKEN_UPLOAD_PAUSE_MS - Math.max(since, 0);
    if (pause > 0) {
      throw new AppError('MEDIA_DOWNLOAD_FAILED', {
        message: 'the phone uploaded the media again, and it still does not match the message',
        retryAfterSeconds: Math.ceil(pause / 1000),
      });
    }
  }
  await onSession(() =>
    parts.requests.open(copy, () =>
      session.media.requestReupload({
        messageId: copy.messageId,
        ...addressOf(copy),
        fromMe: copy.fromMe,
        mediaKey: copy.mediaKey,
      }),
    ),
  );
}

/** The message as our own phone knows it: by the names its stanza had (whatsmeow mediaretry.go `SendMediaRetryReceipt`). */
function addressOf(copy: MediaCopy): { chat: string; participant: string | null } {
  const byLid = (jid: string, lid: string | null): string => (copy.lidAddressed && lid ? lid : jid);
  return copy.isGroup
    ? { chat: copy.chatJid, participant: byLid(copy.senderJid, copy.senderLid) }
    : { chat: byLid(copy.chatJid, copy.chatLid), participant: null };
}
