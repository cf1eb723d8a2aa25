/** Records each change of a message as an event, in the transaction of the change. */
import type { Transaction } from 'kysely';
import type { MessageData } from '../events/catalogue/message-data.ts';
import {
  type EventChange,
  editedData,
  failedData,
  mentionData,
  messageData,
  pollOptionData,
  pollVoteData,
  reactionData,
  receiptData,
  revokedData,
  undecryptableData,
} from '../events/payloads/message.ts';
import { storyData, storyDeletedData } from '../events/payloads/story.ts';
import type { EventRecorder, NewEvent } from '../events/recorder.ts';
import { canonicalJid } from '../identity/jid.ts';
import type { MessageId, RecordId, TenantId } from '../ids.ts';
import { HotQuery } from '../storage/hot-query.ts';
import type { Database, DevicesTable } from '../storage/schema.ts';
import type { MessageKind } from '../whatsapp/port/content.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { ReceiptKind } from '../whatsapp/port/receipts.ts';
import { STORIES } from '../whatsapp/port/stories.ts';
import { changeTarget } from './change-target.ts';
import { type EventFiles, eventHead, eventMessage, filesOf, loadMedia, NO_FILES } from './event-message.ts';
import { NOT_READ } from './shown-kinds.ts';
import {
  chatOf,
  type MessageDevice,
  STORED_COLUMNS,
  type StoredMessage,
  type StoredRow,
  storedMessage,
} from './stored-message.ts';

/** What is known beside the row at the moment of storing. */
export interface Arrival {
  files: EventFiles;
  /** Whether an edit or revoke changed the message that it speaks of. */
  applied: boolean;
  /** What the kind adds, as `events/catalogue/message-data.ts` says. */
  details: Record<string, unknown> | null;
}

/** Reads what the kind of a stored message adds; null for kinds that add nothing. */
export type DetailsReader = (
  trx: Transaction<Database>,
  row: Pick<StoredMessage, 'tenantId' | 'rowId' | 'kind' | 'context' | 'chatJid'>,
) => Promise<Record<string, unknown> | null>;

export class MessageEvents {
  readonly #events: EventRecorder;
  readonly #details: DetailsReader;

  constructor(events: EventRecorder, details: DetailsReader) {
    this.#events = events;
    this.#details = details;
  }

  /** A message was stored that came from WhatsApp. */
  async arrived(
    trx: Transaction<Database>,
    device: MessageDevice,
    row: StoredMessage,
    arrival: Arrival,
  ): Promise<void> {
    for (const event of await arrivalEvents(trx, device, row, arrival)) {
      await this.#record(trx, device, row, event);
    }
  }

  /** Votes that could not be read before their poll came. */
  async votesRead(trx: Transaction<Database>, device: MessageDevice, votes: StoredMessage[]): Promise<void> {
    for (const vote of votes) {
      const event = await voteEvent(trx, device, vote);
      if (event) await this.#record(trx, device, vote, event);
    }
  }

  /** A message of ours is with WhatsApp: call once, when its row moves to `sent`. */
  async sent(trx: Transaction<Database>, tenantId: TenantId, rowId: RecordId): Promise<void> {
    const found = await load(trx, tenantId, rowId);
    if (!found) return;
    const { device, row } = found;
    const change = await changeEvent(trx, device, row);
    if (change) await this.#record(trx, device, row, change);
    if (change !== undefined && row.kind !== 'reaction') return;
    const media = (await loadMedia(trx, tenantId, [row])).get(rowId) ?? null;
    const details = await this.#details(trx, row);
    const data = messageData(eventMessage(row, { ...NO_FILES, media }, details), device);
    await this.#record(trx, device, row, { name: 'message.sent', data });
    if (row.source === 'api' && row.context.mentions.length > 0) {
      const mention = mentionData({ ...eventMessage(row, NO_FILES, null), account: device });
      await this.#record(trx, device, row, { name: 'mention.sent', data: mention });
    }
  }

  /** A message of ours was given up: call once, when its row moves to `failed`. `at` in milliseconds. */
  async failed(trx: Transaction<Database>, tenantId: TenantId, rowId: RecordId, at: number): Promise<void> {
    const found = await load(trx, tenantId, rowId);
    if (!found) return;
    const { device, row } = found;
    const data = failedData({
      messageId: row.messageId,
      recordId: row.rowId,
      account: device,
      chat: chatOf(row),
      isGroup: row.isGroup,
      kind: row.kind,
      error: row.sendError ?? 'the message was not sent',
      at,
    });
    await this.#record(trx, device, row, { name: 'message.failed', data });
  }

  /** A receipt was stored that had not been there. */
  async receipt(
    trx: Transaction<Database>,
    device: MessageDevice,
    receipt: {
      messageId: MessageId;
      recordId: string;
      chat: Identity;
      isGroup: boolean;
      recipient: Identity;
      kind: ReceiptKind;
      at: number;
    },
  ): Promise<void> {
    await this.#events.record(trx, device, {
      name: `message.${receipt.kind}`,
      data: receiptData({ ...receipt, account: device }),
      orderKey: receipt.chat,
    });
  }

  /** Call after the commit. Never throws. */
  committed(): void {
    this.#events.committed();
  }

  async #record(
    trx: Transaction<Database>,
    device: MessageDevice,
    row: StoredMessage,
    event: Pick<NewEvent, 'name' | 'data'>,
  ): Promise<void> {
    await this.#events.record(trx, device, {
      ...event,
      orderKey: chatOf(row),
    });
  }
}

/** What changes the message that it speaks of, or is nothing to be told. */
const APPLIED_OR_NOTHING: readonly MessageKind[] = ['edit', 'revoke', 'poll_option'];

type NamedData = Pick<NewEvent, 'name' | 'data'>;

/** None for protocol messages, and for changes that changed nothing; two for a reaction, which is a message too. */
async function arrivalEvents(
  trx: Transaction<Database>,
  device: MessageDevice,
  row: StoredMessage,
  arrival: Arrival,
): Promise<NamedData[]> {
  // A change that is sealed is told when it can be read; an assistant's answer at once, as a message that cannot be.
  if (row.kind === 'protocol' || (row.context.sealed && row.kind !== 'undecryptable')) return [];
  const message = eventMessage(row, arrival.files, arrival.details);
  if (row.kind === 'undecryptable') {
    const account = row.accountJid ?? canonicalJid(device);
    return [{ name: 'message.undecryptable', data: undecryptableData({ ...message, account }) }];
  }
  if (APPLIED_OR_NOTHING.includes(row.kind) && !arrival.applied) return [];
  const ofContact = row.chatJid === STORIES && !row.fromMe;
  if (row.kind === 'revoke' && ofContact) return storyDeleted(trx, device, row);
  const change = await changeEvent(trx, device, row);
  if (change !== undefined && row.kind !== 'reaction') return change ? [change] : [];
  const name = row.fromMe ? 'message.sent' : 'message.received';
  const data = messageData(message, device);
  const story: NamedData[] =
    ofContact && !NOT_READ.includes(row.kind) && row.revokedAt === null
      ? [{ name: 'story.received', data: storyData(data) }]
      : [];
  return [{ name, data }, ...story, ...(change ? [change] : [])];
}

async function storyDeleted(
  trx: Transaction<Database>,
  device: MessageDevice,
  row: StoredMessage,
): Promise<NamedData[]> {
  const change = await changeOf(trx, device, row);
  if (!change) return [];
  const data = revokedData(change);
  return [
    { name: 'message.revoked', data },
    { name: 'story.deleted', data: storyDeletedData(data) },
  ];
}

/** The event of a message that changes another one; null when it does not say which, undefined for others. */
async function changeEvent(
  trx: Transaction<Database>,
  device: MessageDevice,
  row: StoredMessage,
): Promise<NamedData | null | undefined> {
  switch (row.kind) {
    case 'edit': {
      const change = await changeOf(trx, device, row);
      const { editedDetails: details } = row.context;
      return change && { name: 'message.edited', data: editedData({ ...change, text: row.text, details }) };
    }
    case 'revoke': {
      const change = await changeOf(trx, device, row);
      return change && { name: 'message.revoked', data: revokedData(change) };
    }
    case 'reaction': {
      const change = await changeOf(trx, device, row);
      return change && { name: 'message.reaction', data: reactionData({ ...change, text: row.text }) };
    }
    case 'poll_option': {
      const change = await changeOf(trx, device, row);
      return change && { name: 'message.poll_option', data: pollOptionData({ ...change, text: row.text }) };
    }
    case 'poll_vote':
      return voteEvent(trx, device, row);
    default:
      return undefined;
  }
}

async function voteEvent(
  trx: Transaction<Database>,
  device: MessageDevice,
  row: StoredMessage,
): Promise<NamedData | null> {
  const change = await changeOf(trx, device, row);
  if (!change) return null;
  const { pollName = null, options = null, unknownOptions = 0 } = row.context.pollVote ?? {};
  return { name: 'message.poll_vote', data: pollVoteData({ ...change, pollName, options, unknownOptions }) };
}

async function changeOf(
  trx: Transaction<Database>,
  device: MessageDevice,
  row: StoredMessage,
): Promise<EventChange | null> {
  const { targetId } = row.context;
  if (!targetId) return null;
  const account = row.accountJid ?? canonicalJid(device);
  const { recordId, author } = await changeTarget(trx, row);
  return { ...eventHead(row), account, targetId, targetRecord: recordId, targetAuthor: author };
}

/** A message of the past, as `history.sync` lists it. */
export function pastMessageData(device: MessageDevice, row: StoredMessage, arrival: Arrival): MessageData {
  return messageData(eventMessage(row, arrival.files, arrival.details), device);
}

/** The same for a message that was there already, under our id `recordId`: as the phone tells it. */
export function retoldMessageData(
  device: MessageDevice,
  message: InboundMessage,
  recordId: string,
): MessageData {
  const { id: messageId, content, ...rest } = message;
  return messageData(
    { ...rest, ...content, messageId, recordId, ...filesOf(content), editedAt: null, revokedAt: null },
    device,
  );
}

/** The message with the device that holds it. */
async function load(
  trx: Transaction<Database>,
  tenantId: TenantId,
  rowId: RecordId,
): Promise<{ row: StoredMessage; device: MessageDevice } | null> {
  const [row] = await MESSAGE.rows(trx, { tenantId, id: rowId });
  if (!row) return null;
  const [device] = await DEVICE.rows(trx, { tenantId, id: row.device_id });
  if (!device) return null;
  const { id, user_id: userId, jid, lid } = device;
  return { row: storedMessage(row), device: { id, tenantId, userId, jid, lid } };
}

interface RowKey {
  tenantId: TenantId;
  id: string;
}

const MESSAGE = new HotQuery<RowKey, StoredRow>((db, { tenantId, id }) =>
  db.selectFrom('messages').select(STORED_COLUMNS).where('tenant_id', '=', tenantId).where('id', '=', id),
);

const DEVICE = new HotQuery<RowKey, Pick<DevicesTable, 'id' | 'user_id' | 'jid' | 'lid'>>(
  (db, { tenantId, id }) =>
    db
      .selectFrom('devices')
      .select(['id', 'user_id', 'jid', 'lid'])
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id),
);
