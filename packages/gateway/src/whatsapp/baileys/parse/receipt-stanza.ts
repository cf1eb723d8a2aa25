import { isBroadcastList } from '../../port/broadcasts.ts';
import type { MessageReceipt, OwnRead, ReceiptKind } from '../../port/receipts.ts';
import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  isJidBroadcast,
  isJidGroup,
} from '../library.ts';
import { identity, isOwn, type LidDirectory, type OwnAccount } from './message-source.ts';
import { stampOf } from './stanza-time.ts';

/**
 * Receipt types that say something about a recipient (whatsmeow `types.ReceiptType`): none = delivered,
 * `read`, `played`. Not these: `sender` (our own other device has it), `inactive` (transmitted, but official
 * clients show no tick for it), `read-self`, `played-self`, `retry`, `server-error`, `hist_sync`, `peer_msg`.
 */
const KINDS = new Map<string | undefined, ReceiptKind>([
  [undefined, 'delivered'],
  ['', 'delivered'],
  ['delivery', 'delivered'],
  ['read', 'read'],
  ['played', 'played'],
]);

/**
 * The recipients' receipts in a `<receipt>` stanza, or an empty list when it is about something else.
 * A group, and the chat of stories, may send one stanza for many people: `<participants key="ID"><user jid t/></participants>`
 * (whatsmeow `handleGroupedReceipt`). Those of stories name the message in `message_id` and say beside each user what it
 * was: `<receipt class="status">`, as whatsmeow's issue 1270 shows it.
 */
export async function receiptsIn(
  stanza: BinaryNode,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<MessageReceipt[]> {
  const { from = '', type, participant, id = '', t } = stanza.attrs;
  const kind = KINDS.get(type) ?? null;
  if (!from) return [];
  const isGroup = !!isJidGroup(from);
  // Whose receipt it is, stands beside in either: the stanza comes from the chat.
  const isShared = isGroup || isJidBroadcast(from) === true;
  if (isShared && !participant) return groupedReceipts(stanza, { from, isGroup, kind }, own, directory);
  if (!kind) return [];

  const alt = isShared
    ? (stanza.attrs.participant_pn ?? stanza.attrs.participant_lid)
    : (stanza.attrs.sender_pn ?? stanza.attrs.sender_lid);
  const recipient = await identity(participant ?? from, alt, directory);
  if (isOwn(recipient, own)) return [];
  const chat = isShared ? { jid: from, lid: null } : recipient;
  return [{ chat, isGroup, recipient, messageIds: [id, ...listedIds(stanza)], kind, timestamp: stampOf(t) }];
}

/**
 * What another device of the account read, which the server tells us by a receipt from ourselves: `read-self` where
 * the account hides its reading, else a copy of the `read` (whatsmeow types/presence.go, receipt.go parseReceipt).
 * Null for any other.
 */
export async function ownReadIn(
  stanza: BinaryNode,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<OwnRead | null> {
  const { from = '', type, participant, recipient, id = '' } = stanza.attrs;
  if (type !== 'read' && type !== 'read-self') return null;
  const isShared = isJidGroup(from) === true || isJidBroadcast(from) === true;
  const reader = isShared ? participant : from;
  if (!reader || !isOwn(await identity(reader, undefined, directory), own)) return null;
  // Beside a chat of many it is who wrote them (whatsmeow message.go parseMessageSource, BroadcastListOwner).
  const named = recipient ? await identity(recipient, undefined, directory) : null;
  // What came by somebody's list is in the chat with its owner.
  if (isBroadcastList(from) && named && !isOwn(named, own)) {
    return { chat: named, messageIds: [id, ...listedIds(stanza)], sender: null };
  }
  const chat = isShared ? { jid: from, lid: null } : named;
  return chat ? { chat, messageIds: [id, ...listedIds(stanza)], sender: isShared ? named : null } : null;
}

async function groupedReceipts(
  stanza: BinaryNode,
  { from, isGroup, kind: ofAll }: { from: string; isGroup: boolean; kind: ReceiptKind | null },
  own: OwnAccount,
  directory: LidDirectory,
): Promise<MessageReceipt[]> {
  const receipts: MessageReceipt[] = [];
  for (const participants of getBinaryNodeChildren(stanza, 'participants')) {
    const messageId = participants.attrs.key ?? participants.attrs.message_id;
    if (!messageId) continue;
    for (const user of getBinaryNodeChildren(participants, 'user')) {
      const { jid = '', t, type } = user.attrs;
      const kind = type === undefined ? ofAll : (KINDS.get(type) ?? null);
      if (!kind) continue;
      const recipient = await identity(jid, user.attrs.participant_pn, directory);
      if (isOwn(recipient, own)) continue;
      receipts.push({
        chat: { jid: from, lid: null },
        isGroup,
        recipient,
        messageIds: [messageId],
        kind,
        timestamp: stampOf(t ?? stanza.attrs.t),
      });
    }
  }
  return receipts;
}

/** One receipt may speak of many messages: the first id is an attribute, the rest a `<list>`. */
function listedIds(stanza: BinaryNode): string[] {
  const list = getBinaryNodeChild(stanza, 'list');
  return getBinaryNodeChildren(list, 'item').flatMap((item) => item.attrs.id ?? []);
}
