import type { Identity, Jid } from '../../port/identity.ts';
import type { OutboundReceipt, SessionReceipts } from '../../port/receipts.ts';
import { STORIES } from '../../port/stories.ts';
import type { Link } from '../connection/link.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import { type BinaryNode, isJidBroadcast, isJidGroup, type Socket } from '../library.ts';

/** `mayShow`: whether this device lets others know, whatever the account's own setting says. */
export function receipts(link: Link, mayShow: () => Promise<boolean>): SessionReceipts {
  return {
    send: (receipt) =>
      link.ask(async (socket) => {
        const open = receipt.kind !== 'read' || ((await mayShow()) && (await showsReading(socket)));
        await socket.sendNode(receiptStanza(receipt, open));
        const { chat, kind, messageIds, sender } = receipt;
        if (kind === 'read') await link.report({ type: 'own_read', read: { chat, messageIds, sender } });
      }),
  };
}

/**
 * `delivered` has no type; `read` becomes `read-self` where the account hides read receipts, so that only
 * its own devices learn of it (whatsmeow receipt.go MarkRead). One id is an attribute, more a `<list>`. Where many
 * write, in groups and as stories, `participant` says whose they are; of what came by a broadcast list the receipt
 * goes to the list in the same way (whatsapp-rust receipt.rs build_read_receipt_node, after WhatsApp Web).
 */
function receiptStanza(receipt: OutboundReceipt, showsReading: boolean): BinaryNode {
  const { chat, list, kind } = receipt;
  const sender = list ? chat : receipt.sender;
  const [id = '', ...more] = receipt.messageIds;
  const to = list ?? wireName(chat);
  const attrs: Record<string, string> = { id, to, t: String(Math.floor(receipt.at / 1000)) };
  if (kind === 'read') attrs.type = showsReading ? 'read' : 'read-self';
  if (sender && (isJidGroup(to) || isJidBroadcast(to))) attrs.participant = wireName(sender);
  if (to === STORIES && kind === 'read') {
    // As WhatsApp Web does (whatsapp-rust pull request 744).
    attrs.context = 'status';
    if (sender?.lid && sender.jid) attrs.peer_participant_pn = sender.jid;
  }
  if (more.length === 0) return { tag: 'receipt', attrs };
  const items = more.map((each) => ({ tag: 'item', attrs: { id: each } }));
  return { tag: 'receipt', attrs, content: [{ tag: 'list', attrs: {}, content: items }] };
}

/** Current clients address people by LID, and the server keeps both names of a chat together. */
function wireName(who: Identity): Jid {
  return who.lid ?? who.jid ?? '';
}

/** Whether others may see what the account has read: its own privacy setting, asked once per connection. */
async function showsReading(socket: Socket): Promise<boolean> {
  const settings = await socket.fetchPrivacySettings();
  assertAnswered();
  return settings.readreceipts !== 'none';
}
