/** A message as the row that is inserted for it. */
import { canonicalJid } from '../identity/jid.ts';
import type { MessagesTable } from '../storage/schema.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import { contextJson, type MessageDevice, type OutboundRecord } from './stored-message.ts';

/** What the archive adds: the row's own id, the sealed protobuf, and the time in milliseconds. */
interface Made {
  id: string;
  raw: Uint8Array;
  now: number;
}

/** The row of a message that came from WhatsApp, within its bounds (`boundedMessage`). */
export function inboundRow(device: MessageDevice, message: InboundMessage, made: Made): MessagesTable {
  const { content, retry } = message;
  return {
    id: made.id,
    tenant_id: device.tenantId,
    device_id: device.id,
    message_id: message.id,
    account_jid: canonicalJid(device),
    ...names(message.chat, message.sender),
    from_me: message.fromMe ? 1 : 0,
    is_group: message.isGroup ? 1 : 0,
    kind: content.kind,
    text: content.text,
    push_name: message.pushName,
    // The engine has asked once by itself when it reports a message as undecryptable.
    context: contextJson({ ...content, retry: retry ? { ...retry, attempts: 1 } : null }),
    target_id: content.targetId,
    raw: made.raw,
    source: message.source,
    timestamp: message.timestamp,
    // Another device of the account sent it: the server has it, or we should not have seen it.
    send_state: message.fromMe ? 'sent' : 'none',
    ...NOTHING_YET,
    server_id: message.serverId ?? null,
    created_at: made.now,
  };
}

/** The row of a message that is about to be sent. */
export function outboundRow(record: OutboundRecord, made: Made): MessagesTable {
  const { device, content } = record;
  return {
    id: made.id,
    tenant_id: device.tenantId,
    device_id: device.id,
    message_id: record.messageId,
    account_jid: canonicalJid(device),
    ...names(record.chat, { jid: device.jid, lid: device.lid }),
    from_me: 1,
    is_group: record.isGroup ? 1 : 0,
    kind: content.kind,
    text: content.text,
    push_name: null,
    context: contextJson(content),
    target_id: content.targetId ?? null,
    raw: made.raw,
    source: 'api',
    timestamp: made.now,
    send_state: 'pending',
    ...NOTHING_YET,
    created_at: made.now,
  };
}

const NOTHING_YET = {
  send_error: null,
  delivered_at: null,
  read_at: null,
  played_at: null,
  edited_at: null,
  revoked_at: null,
  hidden_at: null,
  starred_at: null,
  server_id: null,
} as const;

function names(chat: Identity, sender: Identity) {
  return {
    chat_jid: canonicalJid(chat) ?? '',
    chat_lid: chat.lid,
    sender_jid: canonicalJid(sender) ?? '',
    sender_lid: sender.lid,
  };
}
