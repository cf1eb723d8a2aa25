/** What edits and revokes do to the messages they speak of, whichever of the two arrives first. */
import type { Transaction } from 'kysely';
import { contradicts, identityOf, isNewsletter, sameIdentity } from '../identity/jid.ts';
import type { DeviceId, MessageId, RecordId, TenantId } from '../ids.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant, sortedBy } from '../storage/narrowing.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
import type { MessageKind } from '../whatsapp/port/content.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import { NOT_READ, SEALED_KINDS } from './shown-kinds.ts';
import {
  chatIdentity,
  contextJson,
  type MessageContext,
  type MessageDevice,
  parseContext,
  senderIdentity,
} from './stored-message.ts';

/** A message as far as it matters who may change it. */
interface Authored {
  chat: Identity;
  sender: Identity;
  fromMe: boolean;
  isGroup: boolean;
}

interface Amendment extends Authored {
  kind: 'edit' | 'revoke';
  text: string | null;
  details: MessageContext['editedDetails'];
  timestamp: number;
  byAdmin: boolean;
  targetSender: Jid | null;
}

/** The columns that amendments change. */
export interface Amended {
  text?: string | null;
  context?: string | null;
  edited_at?: number;
  revoked_at?: number;
}

const AUTHOR_COLUMNS = [
  'chat_jid',
  'chat_lid',
  'sender_jid',
  'sender_lid',
  'from_me',
  'is_group',
  'timestamp',
  'text',
  'context',
] as const;

type AmendmentRow = Pick<MessagesTable, 'kind' | (typeof AUTHOR_COLUMNS)[number]>;

/** Asked for every message that arrives. */
const AMENDMENTS_OF = new HotQuery<
  { tenantId: TenantId; deviceId: DeviceId; targetId: MessageId },
  AmendmentRow
>((db, { tenantId, deviceId, targetId }) =>
  db
    .selectFrom('messages')
    .select(['kind', ...AUTHOR_COLUMNS])
    .where(checkedTenant(tenantId))
    .where('device_id', '=', deviceId)
    .where('target_id', '=', targetId)
    .where('kind', 'in', ['revoke', ...SEALED_KINDS])
    // An edit of ours that WhatsApp did not take changed nothing.
    .where('send_state', 'in', ['none', 'sent'])
    .orderBy(sortedBy('timestamp'))
    .orderBy(sortedBy('created_at')),
);

/**
 * Applies an edit or revoke to its target, within the transaction that stores it. A target that is not
 * there yet, or could not be read yet, takes its edits when it comes: see `earlierAmendments`. Returns
 * whether the target changed.
 */
export async function applyAmendment(
  trx: Transaction<Database>,
  device: MessageDevice,
  message: InboundMessage,
  details: MessageContext['editedDetails'],
): Promise<boolean> {
  const { kind, targetId, text, sealed } = message.content;
  if ((kind !== 'edit' && kind !== 'revoke') || !targetId || sealed) return false;
  const amendment: Amendment = {
    ...authored(message),
    kind,
    text,
    details,
    timestamp: message.timestamp,
    byAdmin: message.content.byAdmin ?? false,
    targetSender: message.content.targetSender ?? null,
  };
  const candidates = await trx
    .selectFrom('messages')
    .select(['id', 'kind', 'edited_at', 'revoked_at', ...AUTHOR_COLUMNS])
    .where('tenant_id', '=', device.tenantId)
    .where('message_id', '=', targetId)
    .where('device_id', '=', device.id)
    .execute();
  const target = candidates.find((row) => mayAmend(amendment, authorOf(row)));
  if (!target || (kind === 'edit' && target.kind === 'undecryptable')) return false;
  const change = amended(amendment, target);
  if (!change) return false;
  await trx
    .updateTable('messages')
    .set(change)
    .where('tenant_id', '=', device.tenantId)
    .where('id', '=', target.id)
    .execute();
  return true;
}

/**
 * What the edits and revokes that came before their target make of it, and whether others wait for its secret.
 * Happens after a time offline, and whenever the target could not be decrypted at first. `context` is the target's.
 */
export async function earlierAmendments(
  trx: Transaction<Database>,
  device: MessageDevice,
  message: InboundMessage,
  context: string | null,
): Promise<{ amended: Amended; sealed: boolean }> {
  const rows = await AMENDMENTS_OF.rows(trx, {
    tenantId: device.tenantId,
    deviceId: device.id,
    targetId: message.id,
  });
  const result: Amended = {};
  for (const row of rows) {
    if (row.kind !== 'edit' && row.kind !== 'revoke') continue;
    const amendment = amendmentOf(row);
    if (parseContext(row.context).sealed || !mayAmend(amendment, authored(message))) continue;
    const { edited_at = null, revoked_at = null } = result;
    Object.assign(result, amended(amendment, { edited_at, revoked_at, context: result.context ?? context }));
  }
  return { amended: result, sealed: rows.some((row) => parseContext(row.context).sealed !== null) };
}

/**
 * An edit or revoke that we sent is with WhatsApp: its target is as it says since then. Call when a row
 * moves to `sent`; other kinds change nothing.
 */
export async function applyOwnAmendment(
  trx: Transaction<Database>,
  tenantId: TenantId,
  rowId: RecordId,
): Promise<void> {
  const own = await trx
    .selectFrom('messages')
    .select(['device_id', 'target_id', 'kind', ...AUTHOR_COLUMNS])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', rowId)
    .where('kind', 'in', ['edit', 'revoke'])
    .executeTakeFirst();
  if (!own?.target_id) return;
  const targets = await trx
    .selectFrom('messages')
    .select(['id', 'edited_at', 'revoked_at', ...AUTHOR_COLUMNS])
    .where('tenant_id', '=', tenantId)
    .where('message_id', '=', own.target_id)
    .where('device_id', '=', own.device_id)
    .execute();
  const amendment = amendmentOf(own);
  const target = targets.find((row) => mayAmend(amendment, authorOf(row)));
  const change = target && amended(amendment, target);
  if (!change) return;
  await trx
    .updateTable('messages')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', target.id)
    .execute();
}

/** False for what changes other messages, and for what could not be read: nothing is looked up for it. */
export function mayBeTarget(kind: MessageKind): boolean {
  return !NOT_READ.includes(kind);
}

/**
 * Only the author's own amendment counts: ids are no secret within a group, and anyone can write anybody's
 * id into a protocol message. A revoke that the server passed as an admin's counts for any member's
 * message; which one is meant among equal ids, the key's participant says.
 */
function mayAmend(amendment: Amendment, target: Authored): boolean {
  if (amendment.fromMe && target.fromMe && !contradicts(amendment.chat, target.chat)) return true;
  if (!sameIdentity(amendment.chat, target.chat)) return false;
  // The server takes changes of posts from those alone who run the channel, and says of none who it was.
  if (isNewsletter(target.chat.jid ?? '')) return true;
  if (sameIdentity(amendment.sender, target.sender)) return true;
  if (amendment.kind !== 'revoke' || !amendment.byAdmin || !target.isGroup) return false;
  return amendment.targetSender === null || !contradicts(identityOf(amendment.targetSender), target.sender);
}

/** The change, or null when a later one was applied already: two may arrive in the wrong order. */
function amended(
  amendment: Amendment,
  so: Pick<MessagesTable, 'edited_at' | 'revoked_at' | 'context'>,
): Amended | null {
  if (so.revoked_at !== null) return null;
  if (amendment.kind === 'revoke') return { revoked_at: amendment.timestamp };
  if (so.edited_at !== null && so.edited_at > amendment.timestamp) return null;
  const { details: editedDetails } = amendment;
  return {
    text: amendment.text?.replaceAll('\0', '') ?? null,
    edited_at: amendment.timestamp,
    ...(editedDetails ? { context: contextJson({ ...parseContext(so.context), editedDetails }) } : {}),
  };
}

function amendmentOf(row: AmendmentRow): Amendment {
  const { byAdmin, targetSender, editedDetails: details } = parseContext(row.context);
  const { text, timestamp } = row;
  const kind = row.kind as Amendment['kind'];
  return { ...authorOf(row), kind, text, details, timestamp, byAdmin, targetSender };
}

function authored(message: InboundMessage): Authored {
  const { chat, sender, fromMe, isGroup } = message;
  return { chat, sender, fromMe, isGroup };
}

function authorOf(row: {
  chat_jid: string;
  chat_lid: string | null;
  sender_jid: string;
  sender_lid: string | null;
  from_me: number;
  is_group: number;
}): Authored {
  return {
    chat: chatIdentity(row),
    sender: senderIdentity(row),
    fromMe: row.from_me === 1,
    isGroup: row.is_group === 1,
  };
}
