/** Options that members add to a poll once it is sent: the poll has them from then on. */
import type { Transaction } from 'kysely';
import { contradicts, identityOf, sameIdentity } from '../../identity/jid.ts';
import type { Database, MessagesTable } from '../../storage/schema.ts';
import type { Identity, Jid } from '../../whatsapp/port/identity.ts';
import type { InboundMessage } from '../../whatsapp/port/messages.ts';
import { cutText, LONGEST_NAME } from '../bounds.ts';
import { rowsWithId } from '../message-rows.ts';
import {
  chatIdentity,
  contextJson,
  type MessageDevice,
  parseContext,
  STORED_COLUMNS,
  type StoredRow,
  senderIdentity,
} from '../stored-message.ts';
import { saidOfPolls } from './said-of-polls.ts';

/** As many as the apps take in one poll; WhatsApp Web drops what comes beyond (WAWebApplyPollAddOptionToParent). */
const MOST_IN_A_POLL = 12;

type Details = Record<string, unknown>;

/** A poll, and who may be meant by its author's name. */
interface Poll {
  chat: Identity;
  sender: Identity;
  isGroup: boolean;
}

/** What an addition says. */
interface Addition {
  chat: Identity;
  option: string | null;
  targetSender: Jid | null;
}

/**
 * Gives the poll of the device the option; `detailsOf` tells what the poll was made with. Null when nothing changes:
 * the poll is not here, has the option, or has no place for it. WhatsApp Web does not ask whether the poll allows
 * additions either: its apps offer them where it does.
 */
export async function applyAddedOption(
  trx: Transaction<Database>,
  device: MessageDevice,
  message: InboundMessage,
  detailsOf: (poll: StoredRow) => Promise<Details | null>,
): Promise<StoredRow | null> {
  const { targetId, sealed } = message.content;
  if (!targetId || sealed) return null;
  const addition = additionOf(message);
  for (const poll of await rowsWithId(trx, device, targetId)) {
    if (poll.kind !== 'poll' || !speaksOf(addition, ofRow(poll))) continue;
    const known = parseContext(poll.context).editedDetails ?? (await detailsOf(poll));
    const editedDetails = known && withOption(known, addition.option);
    if (!editedDetails) return null;
    const context = contextJson({ ...parseContext(poll.context), editedDetails });
    await trx
      .updateTable('messages')
      .set({ context })
      .where('tenant_id', '=', device.tenantId)
      .where('id', '=', poll.id)
      .execute();
    return { ...poll, context };
  }
  return null;
}

/** Gives a poll that comes now, as `row`, the options that were added to it before; `made`: its details. */
export async function earlierOptions(
  trx: Transaction<Database>,
  device: MessageDevice,
  message: InboundMessage,
  { row, made }: { row: Pick<MessagesTable, 'context'>; made: Details | null },
): Promise<string | null> {
  const asked = { tenantId: device.tenantId, deviceId: device.id, messageId: message.id };
  const additions = await saidOfPolls(trx, asked, 'poll_option').select(STORED_COLUMNS).execute();
  let context = row.context;
  for (const each of additions) {
    const { sealed, targetSender } = parseContext(each.context);
    if (sealed || !speaksOf({ chat: chatIdentity(each), option: each.text, targetSender }, message)) continue;
    const known = parseContext(context).editedDetails ?? made;
    const editedDetails = known && withOption(known, each.text);
    if (editedDetails) context = contextJson({ ...parseContext(context), editedDetails });
  }
  return context;
}

function additionOf({ chat, content }: InboundMessage): Addition {
  return { chat, option: content.text, targetSender: content.targetSender ?? null };
}

function ofRow(row: StoredRow): Poll {
  return { chat: chatIdentity(row), sender: senderIdentity(row), isGroup: row.is_group === 1 };
}

/** Another member's poll may have the same id; an addition names the author of the one that it is for. */
function speaksOf({ chat, targetSender }: Addition, poll: Poll): boolean {
  if (!sameIdentity(chat, poll.chat)) return false;
  return !poll.isGroup || targetSender === null || !contradicts(identityOf(targetSender), poll.sender);
}

function withOption(details: Details, option: string | null): Details | null {
  const name = option && cutText(option, LONGEST_NAME);
  const options: unknown[] = Array.isArray(details.options) ? details.options : [];
  if (!name || options.includes(name) || options.length >= MOST_IN_A_POLL) return null;
  return { ...details, options: [...options, name] };
}
