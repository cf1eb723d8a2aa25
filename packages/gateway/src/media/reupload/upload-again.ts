/** Asking the account's own phone to upload a file again. */
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import { onSession } from '../../whatsapp/port/app-errors.ts';
import type { MediaCopy } from '../copies.ts';
import type { LostCopy } from '../download/downloading.ts';
import type { RetryRequest, RetryRequests } from './retry-requests.ts';

/** A phone whose new upload was broken too is not asked again at once. */
const BROKEN_UPLOAD_PAUSE_MS = 5 * 60_000;

/**
 * Asks the first phone that may be asked, unless a request to it is open, and resolves with its copy. `latest` are
 * the newest requests of the message. Throws AppError MEDIA_DOWNLOAD_FAILED soon after uploads that were broken
 * too, and what the session's errors mean.
 */
export async function askForUpload(
  parts: { requests: RetryRequests; clock: Clock },
  lost: LostCopy[],
  latest: RetryRequest[],
): Promise<MediaCopy> {
  const pauses = lost.map((each) => pauseOf(each, latest, parts.clock.now()));
  const asked = lost.find((_, index) => pauses[index] === 0);
  if (!asked) {
    throw new AppError('MEDIA_DOWNLOAD_FAILED', {
      message: 'the phone uploaded the media again, and it still does not match the message',
      retryAfterSeconds: Math.ceil(Math.min(...pauses) / 1000),
    });
  }
  const { copy, session } = asked;
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
  return copy;
}

/** Milliseconds for which its phone is left alone. */
function pauseOf({ copy, corrupt }: LostCopy, latest: RetryRequest[], now: number): number {
  const last = latest.find((request) => request.rowId === copy.rowId);
  if (!corrupt || last?.result !== 'broken_upload') return 0;
  // A clock that was set back is no reason to refuse for longer.
  const since = Math.max(now - (last.answeredAt ?? 0), 0);
  return Math.max(BROKEN_UPLOAD_PAUSE_MS - since, 0);
}

/**
 * The message as our own phone knows it: by the names its stanza had (whatsmeow mediaretry.go `SendMediaRetryReceipt`;
 * zapo media-retry.ts for what came by a broadcast list).
 */
function addressOf(copy: MediaCopy): { chat: string; participant: string | null } {
  const byLid = (jid: string, lid: string | null): string => (copy.lidAddressed && lid ? lid : jid);
  const shared = copy.isGroup ? copy.chatJid : copy.broadcastList;
  return shared !== null
    ? { chat: shared, participant: byLid(copy.senderJid, copy.senderLid) }
    : { chat: byLid(copy.chatJid, copy.chatLid), participant: null };
}
