/** The last step of every send: row, stanza, ack. */
import type { MessageArchive } from '../messages/archive.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import { fromSession } from '../whatsapp/port/app-errors.ts';
import { SendRejected, SessionNotOpen } from '../whatsapp/port/errors.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { Composed } from './content.ts';
import type { Conversation } from './quoting.ts';
import type { Recipient } from './recipients.ts';

/**
 * One attempt of a request to send. An earlier attempt with the same `Idempotency-Key` may have ended
 * without an ack; the next one then uses its message id again, and WhatsApp's clients show one message.
 */
export interface SendAttempt {
  /** Id of the earlier attempt, null for the first. */
  readonly messageId: string | null;
  /** Remembers the id, durably, before the stanza leaves. */
  claim(messageId: string): Promise<void>;
}

/** The id that a send goes by: the one the caller chose, and that of the attempt that this one repeats. */
export interface SendId {
  chosen?: string | undefined;
  attempt?: SendAttempt | undefined;
}

export interface Delivered {
  messageId: string;
  /** Our own id of it. */
  recordId: string;
  /** Milliseconds, the server's time. */
  timestamp: number;
}

/** An earlier attempt that did arrive, as its ack or a receipt says by now: nothing is left to send. */
export async function earlierDelivery(
  archive: MessageArchive,
  device: MessageDevice,
  attempt: SendAttempt | undefined,
): Promise<Delivered | null> {
  if (!attempt?.messageId) return null;
  const rows = await archive.findForTenant(device.tenantId, attempt.messageId);
  const sent = rows.find((row) => row.deviceId === device.id && row.fromMe && row.sendState === 'sent');
  return sent ? { messageId: sent.messageId, recordId: sent.rowId, timestamp: sent.timestamp } : null;
}

/**
 * Writes the row, sends and waits for the server's ack. Throws REJECTED_BY_WHATSAPP, DEVICE_NOT_READY or
 * WHATSAPP_TIMEOUT, each with the `message_id` whose status can be asked for.
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
  } & SendId,
): Promise<Delivered> {
  const { session, device, recipient, composed, chosen, attempt } = input;
  const messageId = attempt?.messageId ?? chosen ?? session.messages.newId();
  await attempt?.claim(messageId);
  const row = await archive.createOutbound({
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
      forwarded: composed.forwarded ?? false,
      targetId: composed.targetId ?? null,
      targetSender: composed.targetSender ?? null,
      byAdmin: composed.byAdmin ?? false,
      quoted: input.conversation?.quoted ?? null,
      mentions: input.mentions ?? [],
    },
  });
  try {
    const { timestamp } = await session.messages.send({
      to: recipient.to,
      id: messageId,
      message: composed.message,
      ...(composed.editAttribute ? { editAttribute: composed.editAttribute } : {}),
      ...(composed.extraNodes ? { extraNodes: composed.extraNodes } : {}),
    });
    await archive.markSent(row, timestamp);
    return { messageId, recordId: row.rowId, timestamp };
  } catch (error) {
    // After a timeout the server may well have it: the row stays pending, and a receipt will tell.
    if (error instanceof SendRejected) {
      await archive.markFailed(
        device.tenantId,
        row.rowId,
        `refused by WhatsApp: ${error.message} (${error.whatsappCode})`,
      );
    } else if (error instanceof SessionNotOpen) {
      await archive.markFailed(device.tenantId, row.rowId, 'the connection closed before WhatsApp took it');
    }
    throw fromSession(error, { extra: { message_id: messageId } });
  }
}
