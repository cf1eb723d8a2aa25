/**
 * Edits, reactions, comments, answers to events and those of assistants that are sealed under another message's secret:
 * opened once it is here.
 */
import type { Kysely, Transaction } from 'kysely';
import { sameIdentity } from '../identity/jid.ts';
import { checkedTenant, sortedBy } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { MessageContent, SealedUse } from '../whatsapp/port/content.ts';
import { unwrapped } from '../whatsapp/port/envelopes.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { OpenedChange, WireCodec, WireMessage } from '../whatsapp/port/wire-message.ts';
import { boundedMessage } from './bounds.ts';
import { rowsWithId } from './message-rows.ts';
import {
  assistantSecret,
  isAssistantUse,
  messageSecret,
  openSealed,
  type Sealed,
  sealedIn,
} from './message-secrets.ts';
import type { SealedContent } from './sealed-content.ts';
import { NOT_SHOWN, SEALED_KINDS } from './shown-kinds.ts';
import {
  chatIdentity,
  type MessageDevice,
  parseContext,
  STORED_COLUMNS,
  type StoredRow,
  senderIdentity,
  storedMessage,
} from './stored-message.ts';

/** The members of waE2E.Message that are sealed (whatsmeow msgsecret.go). */
const SEALED_MEMBERS = [
  'secretEncryptedMessage',
  'encReactionMessage',
  'encCommentMessage',
  'encEventResponseMessage',
] as const;

/** Of what waits for one message, opened when it comes; the rest stays closed. A group's members fill this, not one's day. */
const MOST_WAITING = 1_000;

export class SealedChanges {
  readonly #codec: WireCodec;
  readonly #content: Pick<SealedContent, 'open' | 'read'>;

  constructor(parts: { codec: WireCodec; content: Pick<SealedContent, 'open' | 'read'> }) {
    this.#codec = parts.codec;
    this.#content = parts.content;
  }

  /** The message with what it says; as it is while the device does not have the message whose secret opens it. */
  async opened(
    db: Kysely<Database>,
    device: MessageDevice,
    message: InboundMessage,
  ): Promise<InboundMessage> {
    const { sealed: use, targetId } = message.content;
    const sealed = use && targetId ? this.#sealedPart(message.raw) : null;
    if (!use || !targetId || !sealed) return message;
    for (const target of await rowsWithId(db, device, targetId)) {
      if (!mayBeAbout(use, message.chat, target)) continue;
      const secret = await this.#secretOf(db, target);
      const plaintext = secret && plaintextOf(sealed, use, { device, target, message, secret });
      const open = plaintext && this.#codec.openedChange(use, plaintext);
      // A comment is a message of the chat; one that would change another is none.
      if (!open || (use === 'comment' && NOT_SHOWN.includes(open.content.kind))) continue;
      return boundedMessage({
        ...message,
        // Both forms, as protobuf takes it: the sender's own bytes, and what they turned out to say.
        raw: isAssistantUse(use) ? open.bytes : Buffer.concat([message.raw, open.bytes]),
        content: { ...open.content, ...aboutOf(use, message.content, open), sealed: null },
      });
    }
    return message;
  }

  /** What waits for the secret of `message`, which is stored by now, as it came; the oldest first. */
  async waitingFor(
    trx: Transaction<Database>,
    device: MessageDevice,
    message: InboundMessage,
  ): Promise<InboundMessage[]> {
    const rows = await trx
      .selectFrom('messages')
      .select([...STORED_COLUMNS, 'raw'])
      .where(checkedTenant(device.tenantId))
      .where('device_id', '=', device.id)
      .where('target_id', '=', message.id)
      .where('kind', 'in', [...SEALED_KINDS])
      .orderBy(sortedBy('timestamp'))
      .orderBy(sortedBy('created_at'))
      .limit(MOST_WAITING)
      .execute();
    return rows
      .filter((row) => {
        const { sealed } = parseContext(row.context);
        return sealed && mayBeAbout(sealed, message.chat, row);
      })
      .map((row) => asItCame(row, this.#content.open(row.id, row.raw)));
  }

  #sealedPart(raw: Uint8Array): Sealed | null {
    const inner = unwrapped(this.#codec.decode(raw));
    for (const name of SEALED_MEMBERS) {
      const found = sealedIn((inner[name] ?? null) as WireMessage | null);
      if (found) return found;
    }
    return null;
  }

  async #secretOf(db: Kysely<Database>, target: StoredRow): Promise<Uint8Array | null> {
    const raw = await this.#content.read({ tenantId: target.tenant_id, rowId: target.id }, db);
    return raw && raw.length > 0 ? messageSecret(this.#codec.decode(raw)) : null;
  }
}

/**
 * Whether what is sealed may speak of a message by where the two are. An assistant is named in two ways, and answers
 * under the other one (whatsmeow types/botmap.go): for it, that the seal opens is enough.
 */
function mayBeAbout(use: SealedUse, chat: Identity, row: StoredRow): boolean {
  return isAssistantUse(use) || sameIdentity(chatIdentity(row), chat);
}

function plaintextOf(
  sealed: Sealed,
  use: SealedUse,
  of: { device: MessageDevice; target: StoredRow; message: InboundMessage; secret: Uint8Array },
): Uint8Array | null {
  const { device, target, message } = of;
  const { sender, fromMe, content } = message;
  const authors = namesOfAuthor(device, target, message);
  const writers = names(sender.lid, sender.jid, ...(fromMe ? [device.lid, device.jid] : []));
  const assistant = isAssistantUse(use);
  const secret = assistant ? assistantSecret(of.secret) : of.secret;
  // The key of a piece is that of its answer, and of older assistants its own (whatsapp-rust msg_secret.rs).
  const ids = assistant ? [content.pieceOf, message.id] : [content.targetId];
  for (const id of ids) {
    const plaintext = id && openSealed(sealed, use, { id, secret, authors, writers });
    if (plaintext) return plaintext;
  }
  return null;
}

/** What the message speaks of, now that it is open. */
function aboutOf(
  use: SealedUse,
  { targetId, targetSender = null, targetAuthor = null, pieceOf = null }: MessageContent,
  { content }: OpenedChange,
): Partial<MessageContent> {
  if (use === 'assistant_piece' && content.kind === 'edit') return { targetId: pieceOf, targetSender: null };
  // An assistant takes back what it wrote by a message that says so itself.
  if (isAssistantUse(use) && NOT_SHOWN.includes(content.kind)) return {};
  return { targetId, targetSender, targetAuthor };
}

/** Who wrote the message that is changed, under every name that the change may have been sealed with. */
function namesOfAuthor(device: MessageDevice, target: StoredRow, change: InboundMessage): Jid[] {
  const own = target.from_me === 1 ? [device.lid, device.jid] : [];
  // In a chat of two, what is not ours is the other's, under the names we know by now.
  const others = target.from_me === 1 || target.is_group === 1 ? [] : [change.chat.lid, change.chat.jid];
  const { lid, jid } = senderIdentity(target);
  return names(change.content.targetSender ?? null, lid, jid, ...own, ...others);
}

function names(...jids: (Identity['jid'] | Identity['lid'])[]): Jid[] {
  return [...new Set(jids.filter((jid) => jid !== null))];
}

function asItCame(row: StoredRow, raw: Uint8Array): InboundMessage {
  const { kind, text, context, pushName, source, timestamp } = storedMessage(row);
  return {
    id: row.message_id,
    chat: chatIdentity(row),
    isGroup: row.is_group === 1,
    sender: senderIdentity(row),
    fromMe: row.from_me === 1,
    timestamp,
    pushName,
    content: { ...context, kind, text, media: null },
    raw,
    offline: false,
    source,
  };
}
