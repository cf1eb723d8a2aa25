/** The last step of every send: row, stanza, ack. */
import { contradicts, identityOf, isNewsletter } from '../identity/jid.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { isUncertain } from '../messages/send-state.ts';
import {
  type MessageDevice,
  type OutboundRecord,
  type StoredMessage,
  senderOf,
} from '../messages/stored-message.ts';
import { isStorageFailure } from '../storage/failure.ts';
import { fromSession } from '../whatsapp/port/app-errors.ts';
import { NothingLeft, RequestRefused, SendRejected } from '../whatsapp/port/errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { OutboundMessage, SendAck } from '../whatsapp/port/messages.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { accountOf } from './account.ts';
import type { Composed } from './content.ts';
import { disappearing, withTimer } from './disappearing.ts';
import { withSecret, withSecretOf } from './message-secret.ts';
import type { Conversation } from './quoting.ts';
import type { Recipient } from './recipients.ts';

/** What a stanza was made under, and so stays claimed: the id alone is no message. */
export interface Claim {
  readonly messageId: string;
  readonly deviceId: string;
  /** Null for a device that was not linked. */
  readonly account: Jid | null;
}

/**
 * One attempt of a request to send. An earlier attempt of it may have claimed an id, and its stanza may have
 * left; the next one then goes out under the same id, and WhatsApp's clients show one message.
 */
export interface SendAttempt {
  /** Of the earlier attempt, null for the first. */
  readonly claimed: Claim | null;
  /** Remembers it, durably, before the stanza leaves. */
  claim(claim: Claim): Promise<void>;
}

/** The id that a send goes by: the one the caller chose, and that of the attempt that this one repeats. */
export interface SendId {
  chosen?: string | undefined;
  attempt?: SendAttempt | undefined;
}

/** `timestamp`: the server's, in milliseconds. */
export interface Delivered extends SendAck {
  messageId: string;
  /** Our own id of it. */
  recordId: string;
}

/** The message that a request speaks of, on the device that its earlier attempt has claimed. */
export function claimedName(name: MessageName, attempt: SendAttempt | undefined): MessageName {
  return { ...name, deviceId: name.deviceId ?? attempt?.claimed?.deviceId };
}

/** The message that an earlier attempt made; null when there was none, or nothing of it was stored. */
export async function claimedMessage(
  archive: MessageArchive,
  tenantId: string,
  claim: Claim | null | undefined,
): Promise<StoredMessage | null> {
  if (!claim) return null;
  const account = claim.account === null ? null : identityOf(claim.account);
  const rows = await archive.stored.withId(tenantId, claim.messageId);
  const own = rows.filter((row) => row.deviceId === claim.deviceId && row.fromMe);
  return own.find((row) => account === null || !contradicts(senderOf(row), account)) ?? null;
}

/** An earlier attempt that did arrive, as its ack or a receipt says by now: nothing is left to send. */
export async function earlierDelivery(
  archive: MessageArchive,
  tenantId: string,
  attempt: SendAttempt | undefined,
): Promise<(Delivered & { message: StoredMessage }) | null> {
  const message = await claimedMessage(archive, tenantId, attempt?.claimed);
  if (message?.sendState !== 'sent') return null;
  const { messageId, rowId: recordId, timestamp } = message;
  return { messageId, recordId, timestamp, message };
}

/**
 * Writes the row, sends and waits for the server's ack. Throws what WhatsApp refused it with (`fromSession`),
 * DEVICE_NOT_READY or WHATSAPP_TIMEOUT, each with the `message_id` whose status can be asked for.
 */
export async function deliver(
  archive: MessageArchive,
  input: {
    session: WhatsAppSession;
    device: MessageDevice;
    recipient: Recipient;
    composed: Composed;
    conversation?: Conversation;
    mentions?: string[];
    /** Seconds, as the caller chose. */
    ephemeralSeconds?: number | undefined;
    /** Told of the row before anything leaves. */
    stored?(row: StoredMessage): Promise<void>;
  } & SendId,
): Promise<Delivered> {
  const { session, device, recipient, chosen, attempt } = input;
  const messageId = attempt?.claimed?.messageId ?? chosen ?? session.messages.newId();
  const again = attempt?.claimed || chosen !== undefined;
  const own = { messageId, deviceId: device.id, account: accountOf(device) };
  const earlier = again ? await claimedMessage(archive, device.tenantId, own) : null;
  if (attempt && !attempt.claimed) await attempt.claim(own);
  const complete = await completed(archive, input);
  const composed = await repeated(archive, earlier, { ...input, composed: complete });
  const row = composed.stored ?? (await archive.outbound.create(record(messageId, input, composed)));
  await input.stored?.(row);
  const handle = composed.media?.uploadHandle;
  const ack = await handOver(archive, session, {
    row,
    earlier,
    out: {
      to: recipient.to,
      id: messageId,
      message: composed.message,
      ...(composed.editAttribute ? { editAttribute: composed.editAttribute } : {}),
      ...(composed.extraNodes ? { extraNodes: composed.extraNodes } : {}),
      ...(handle ? { mediaHandle: handle } : {}),
      ...(composed.audience ? { audience: composed.audience } : {}),
      ...(composed.postServerId ? { postServerId: composed.postServerId } : {}),
    },
  });
  const { begun } = composed;
  if (begun) await archive.chats.keepTimer(device, { chat: recipient.chat, ...begun });
  return { messageId, recordId: row.rowId, ...ack };
}

/**
 * Sends what `row` is of, and writes how it ended; `earlier` is the row as another attempt under the same id left
 * it. Throws as `deliver` does.
 */
export async function handOver(
  archive: MessageArchive,
  session: WhatsAppSession,
  { row, earlier, out }: { row: StoredMessage; earlier: StoredMessage | null; out: OutboundMessage },
): Promise<SendAck> {
  try {
    const ack = await session.messages.send(out);
    await archive.outbound.markSent(row, ack);
    return ack;
  } catch (error) {
    await recordFailure(archive, row, { error, earlier });
    throw fromSession(error, { extra: { message_id: out.id } });
  }
}

/**
 * Sends a stored message, as it was made, to further people. Null when it is not stored any more. Throws what the
 * session throws: its row has its end from those who got it first.
 */
export async function sendToMore(
  archive: MessageArchive,
  session: WhatsAppSession,
  { tenantId, rowId, messageId }: Pick<StoredMessage, 'tenantId' | 'rowId' | 'messageId'>,
  further: Pick<OutboundMessage, 'to' | 'audience'>,
): Promise<SendAck | null> {
  const message = await archive.contents.wire({ tenantId, rowId });
  return message && session.messages.send({ ...further, id: messageId, message });
}

type Outgoing = Parameters<typeof deliver>[1];
/** `begun`: the timer that a chat has from this message on. */
type Complete = Composed & {
  ephemeralSeconds: number | null;
  begun?: { seconds: number; setAt: number } | null;
};

/** What every message carries beside its content, whoever composed it. */
async function completed(archive: MessageArchive, input: Outgoing): Promise<Complete> {
  const { composed } = input;
  const { kind } = composed;
  const timer = await disappearing(archive, input, composed, input.ephemeralSeconds);
  // Nobody answers a post in a channel under a secret of it, and everyone would read that.
  const own = isNewsletter(input.recipient.to) ? composed.message : withSecret(kind, composed.message);
  const message = withTimer(kind, own, timer);
  const begun = timer?.begun ? { seconds: timer.seconds, setAt: timer.setAt ?? 0 } : null;
  return { ...composed, message, ephemeralSeconds: timer?.seconds ?? null, begun };
}

/**
 * A repeated send sends the same content: when an earlier attempt has stored its message, that goes out as it is
 * stored. Under a chosen id the content is the caller's, and the secret that of the first: votes of phones that
 * kept the first one are sealed under it.
 */
async function repeated(
  archive: MessageArchive,
  earlier: StoredMessage | null,
  { composed, attempt }: Outgoing & { composed: Complete },
): Promise<Complete & { stored?: StoredMessage }> {
  const message = earlier && (await archive.contents.wire(earlier));
  if (!earlier || !message) return composed;
  if (attempt?.claimed && earlier.kind === composed.kind) {
    await archive.outbound.repeat(earlier);
    return { ...composed, message, stored: earlier };
  }
  return { ...composed, message: withSecretOf(message, composed.message) };
}

function record(messageId: string, input: Outgoing, composed: Complete): OutboundRecord {
  const { device, recipient } = input;
  return {
    device,
    messageId,
    chat: recipient.chat,
    isGroup: recipient.isGroup,
    message: composed.message,
    content: {
      kind: composed.kind,
      text: composed.text,
      media: composed.media ?? null,
      viewOnce: composed.viewOnce ?? false,
      ephemeralSeconds: composed.ephemeralSeconds,
      forwarded: composed.forwarded ?? false,
      targetId: composed.targetId ?? null,
      targetSender: composed.targetSender ?? null,
      byAdmin: composed.byAdmin ?? false,
      quoted: input.conversation?.quoted ?? null,
      mentions: input.mentions ?? [],
    },
  };
}

/**
 * A refusal is an end, and so is what never left. After anything else the server may well have it, as it may have
 * what an earlier attempt under the same id sent: a receipt or a copy will tell.
 */
async function recordFailure(
  archive: MessageArchive,
  row: StoredMessage,
  { error, earlier }: { error: unknown; earlier: StoredMessage | null },
): Promise<void> {
  // What the store refused was not learnt from WhatsApp.
  if (isStorageFailure(error) || (error instanceof NothingLeft && isStorageFailure(error.reason))) return;
  if (error instanceof NothingLeft && earlier && isUncertain(earlier)) {
    await archive.outbound.markUncertain(row, earlier.sendError ?? error.message);
  } else if (error instanceof NothingLeft || error instanceof SendRejected) {
    await archive.outbound.markFailed(row.tenantId, row.rowId, failureText(error));
  } else {
    await archive.outbound.markUncertain(row, error instanceof Error ? error.message : String(error));
  }
}

function failureText(error: NothingLeft | SendRejected): string {
  const reason = error instanceof NothingLeft ? error.reason : error;
  if (reason instanceof SendRejected || reason instanceof RequestRefused) {
    return `refused by WhatsApp: ${reason.message} (${reason.whatsappCode})`;
  }
  return `it has not left: ${error.message}`;
}
