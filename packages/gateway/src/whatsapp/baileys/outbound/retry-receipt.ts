import type { RetryAddress } from '../../port/messages.ts';
import {
  type BinaryNode,
  encodeBigEndian,
  encodeSignedDeviceIdentity,
  getNextPreKeys,
  jidNormalizedUser,
  KEY_BUNDLE_TYPE,
  type Socket,
  xmppPreKey,
  xmppSignedPreKey,
} from '../library.ts';
import { accountJid } from '../parse/message-source.ts';

/** Official clients ask four times at most (whatsmeow retry.go sends none from the fifth on). */
const HIGHEST_RETRY_COUNT = 4;

/**
 * `<receipt type="retry">` with keys of ours, so that the sender starts a new Signal session whatever state
 * the old one is in (Baileys `sendRetryRequest`, whatsmeow `sendRetryReceipt`). The pre-key is used up.
 */
export async function sendRetryReceipt(
  socket: Socket,
  request: { messageId: string; address: RetryAddress; attempt: number },
): Promise<void> {
  const { messageId, address } = request;
  const { creds, keys } = socket.authState;
  if (!creds.account) throw new Error('the device is not linked');
  const identity = encodeSignedDeviceIdentity(creds.account, true);
  // As the library does it: pre-key ids are handed out one caller at a time.
  await keys.transaction(async () => {
    const { update, preKeys } = await getNextPreKeys(socket.authState, 1);
    const [id, key] = Object.entries(preKeys)[0] ?? [];
    if (!id || !key) throw new Error('no pre-key could be made');
    socket.ev.emit('creds.update', update);
    const content: BinaryNode[] = [
      {
        tag: 'retry',
        attrs: {
          count: String(Math.min(request.attempt, HIGHEST_RETRY_COUNT)),
          id: messageId,
          t: address.t,
          v: '1',
          error: '0',
        },
      },
      { tag: 'registration', attrs: {}, content: encodeBigEndian(creds.registrationId) },
      {
        tag: 'keys',
        attrs: {},
        content: [
          { tag: 'type', attrs: {}, content: Buffer.from(KEY_BUNDLE_TYPE) },
          { tag: 'identity', attrs: {}, content: creds.signedIdentityKey.public },
          xmppPreKey(key, Number(id)),
          xmppSignedPreKey(creds.signedPreKey),
          { tag: 'device-identity', attrs: {}, content: identity },
        ],
      },
    ];
    await socket.sendNode({
      tag: 'receipt',
      attrs: {
        id: messageId,
        to: address.from,
        type: 'retry',
        ...(address.participant ? { participant: address.participant } : {}),
        ...(address.recipient ? { recipient: address.recipient } : {}),
      },
      content,
    });
  }, creds.me?.id ?? 'retry');
}

/**
 * Asks our own phone for a message that this device could not read: it may have it when the sender does not
 * answer. The library waits 2 s first and asks once per message and 8 s; the answer comes as a message of
 * its own (`resent-messages.ts`).
 */
export async function askOwnPhone(socket: Socket, messageId: string, address: RetryAddress): Promise<void> {
  const chat = jidNormalizedUser(address.recipient ?? address.from);
  const author = address.participant && accountJid(address.participant);
  const { id = '', lid = '' } = socket.authState.creds.me ?? {};
  const fromMe = address.recipient !== null || author === accountJid(id) || author === accountJid(lid ?? '');
  await socket.requestPlaceholderResend({
    id: messageId,
    remoteJid: chat,
    fromMe,
    ...(author && !fromMe ? { participant: author } : {}),
  });
}
