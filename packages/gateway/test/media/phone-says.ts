/** What the account's phone, and the server in its place, answer to the wish for a new upload. */
import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { MediaWorld, ReuploadRequest, TestDevice } from './media-world.ts';

/** How the simulated phone answers a re-upload request. */
export type PhoneMood =
  | 'reupload'
  | 'not_found'
  | 'error_code_2'
  | 'general_error'
  | 'silent'
  | 'corrupt_reupload'
  | 'expired_reupload';

const RESULT = { general_error: 0, success: 1, not_found: 2, decryption_error: 3 } as const;

/** What a phone answers, sealed as it does it (WAMmsRetry.MediaRetryNotification). */
export function sealRetryAnswer(
  mediaKey: Uint8Array,
  messageId: string,
  result: keyof typeof RESULT,
  directPath: string | null,
): { ciphertext: Buffer; iv: Buffer } {
  const text = (number: number, value: string): Buffer => {
    const bytes = Buffer.from(value);
    const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
  };
  const plaintext = Buffer.concat([
    text(1, messageId),
    directPath === null ? Buffer.alloc(0) : text(2, directPath),
    Buffer.from([(3 << 3) | 0, RESULT[result]]),
  ]);
  const info = 'WhatsApp Media Retry Notification';
  const key = Buffer.from(hkdfSync('sha256', mediaKey, new Uint8Array(0), info, 32));
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(messageId));
  return { ciphertext: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]), iv };
}

/** Hands in what a phone answers: sealed, or a refusal's code, or nothing. */
export function phoneSays(
  world: MediaWorld,
  device: TestDevice,
  { messageId = 'A', chat = 'x', answer }: { messageId?: string; chat?: string; answer: Answer },
): Promise<void> {
  return world.media.handleRetryAnswer(device, {
    ...{ messageId, chat, fromMe: false, participant: null },
    encrypted: typeof answer === 'object' ? answer : null,
    errorCode: typeof answer === 'number' ? answer : null,
  });
}

type Answer = ReturnType<typeof sealRetryAnswer> | number | null;

/** What became of the wishes, the oldest first. */
export async function retryStates({ db }: MediaWorld): Promise<string[]> {
  const rows = await db
    .selectFrom('media_retry_requests')
    .select(['state', 'result'])
    .orderBy('requested_at')
    .execute();
  return rows.map(({ state, result }) => (result === null ? state : `${state}: ${result}`));
}

/** Answers as the phone is in the mood for. */
export async function answerOf(
  world: MediaWorld,
  device: TestDevice,
  request: Pick<ReuploadRequest, 'messageId' | 'chat' | 'mediaKey'> & { mood: PhoneMood },
): Promise<void> {
  const { mood } = request;
  if (mood === 'silent') return;
  const notice = { messageId: request.messageId, chat: request.chat, fromMe: false, participant: null };
  if (mood === 'error_code_2') {
    await world.media.handleRetryAnswer(device, { ...notice, encrypted: null, errorCode: 2 });
    return;
  }
  let path: string | null = null;
  if (mood === 'reupload' || mood === 'corrupt_reupload' || mood === 'expired_reupload') {
    const row = await world.db
      .selectFrom('messages')
      .innerJoin('media', 'media.message_row_id', 'messages.id')
      .select(['media.direct_path'])
      .where('messages.device_id', '=', device.id)
      .where('messages.message_id', '=', request.messageId)
      .executeTakeFirstOrThrow();
    const old = world.cdn.object(row.direct_path ?? '');
    if (!old) throw new Error('the phone has nothing to upload');
    path = await world.put(old.bytes);
    if (mood === 'corrupt_reupload') world.cdn.corrupt(path);
    if (mood === 'expired_reupload') world.cdn.expire(path);
  }
  const result = path ? 'success' : mood === 'not_found' ? 'not_found' : 'general_error';
  const encrypted = sealRetryAnswer(request.mediaKey, request.messageId, result, path);
  await world.media.handleRetryAnswer(device, { ...notice, encrypted, errorCode: null });
}
