/**
 * Changes of posts in channels. They are no messages of their own, as elsewhere: a change comes under the id of the
 * post with the new content as it is, `<meta msg_edit_t>` says when it was, and a revoke has no content (whatsmeow
 * message.go, events.NewsletterMessageMeta; zapo message/kinds/newsletter.ts).
 */
import { type BinaryNode, getBinaryNodeChild, isJidNewsletter, proto } from '../library.ts';

/** `edit` (whatsmeow types/message.go EditAttributeAdminEdit, -AdminRevoke). */
const CHANGE = '3';
const REVOKE = '8';

/** Whether a stanza changes a post or takes it back. */
export function isNewsletterChange({ attrs }: BinaryNode): boolean {
  return isJidNewsletter(attrs.from) === true && (attrs.edit === CHANGE || attrs.edit === REVOKE);
}

/**
 * Call before anything looks at the stanza. The journal keeps attributes alone: the time of a change becomes one. What
 * has no content gets an empty one, or it would be taken for a message that has nothing to open.
 */
export function noteNewsletterChange(stanza: BinaryNode): void {
  if (!isNewsletterChange(stanza)) return;
  const at = getBinaryNodeChild(stanza, 'meta')?.attrs.msg_edit_t;
  if (at !== undefined) stanza.attrs.msg_edit_t = at;
  const post = getBinaryNodeChild(stanza, 'plaintext');
  if (post && !(post.content instanceof Uint8Array)) post.content = Buffer.alloc(0);
}

/** An id of its own for the change: that of the post, and which change it is. */
export function newsletterChangeId({
  attrs: { id = '', edit = '', msg_edit_t, t = '' },
}: BinaryNode): string {
  return `${id}-${edit}-${msg_edit_t ?? t}`;
}

/** When it was, in milliseconds; null when the stanza does not say. */
export function newsletterChangeTime({ attrs }: BinaryNode): number | null {
  const at = Number(attrs.msg_edit_t);
  return Number.isSafeInteger(at) && at > 0 && at < LAST_MS ? at : null;
}

/** The end of the year 9999. */
const LAST_MS = 253_402_300_799_000;

/** The change as a message that speaks of the post, as changes are everywhere else. */
export function newsletterChange({ attrs }: BinaryNode, content: proto.IMessage): proto.Message {
  const { Type } = proto.Message.ProtocolMessage;
  const key = { remoteJid: attrs.from ?? '', id: attrs.id ?? '' };
  if (attrs.edit === REVOKE) {
    return proto.Message.fromObject({ protocolMessage: { key, type: Type.REVOKE } });
  }
  const protocolMessage = { key, type: Type.MESSAGE_EDIT, editedMessage: content };
  return proto.Message.fromObject({ editedMessage: { message: { protocolMessage } } });
}
