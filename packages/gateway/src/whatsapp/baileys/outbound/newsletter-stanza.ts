/** A post in a channel, or a change of one, as a stanza. */
import { unwrapped } from '../../port/envelopes.ts';
import type { OutboundMessage } from '../../port/messages.ts';
import { type BinaryNode, proto } from '../library.ts';
import { mediaKind, stanzaType } from './stanza-kind.ts';

/** `edit` in a channel (whatsmeow types/message.go EditAttributeAdminEdit, -AdminRevoke). */
const CHANGE = '3';
const REVOKE = '8';
const UNREACT = '7';

/**
 * As whatsmeow has it (send.go sendNewsletter): a change goes by the id of the post and is the new content itself, a
 * revoke has none. The library knows neither, and leaves `mediatype` out, without which the apps do not show a file.
 */
export function newsletterStanza(out: OutboundMessage): BinaryNode {
  const message = proto.Message.fromObject(out.message);
  if (out.postServerId !== undefined) return reactionStanza(out, message.reactionMessage?.text ?? '');
  const change = changeIn(message);
  const content = change ? change.content : message;
  const mediatype = content && mediaKind(content);
  return {
    tag: 'message',
    attrs: {
      to: out.to,
      id: change?.id ?? out.id,
      type: content ? stanzaType(content) : 'text',
      ...(change ? { edit: change.edit } : {}),
      ...(out.mediaHandle ? { media_id: out.mediaHandle } : {}),
    },
    content: [
      {
        tag: 'plaintext',
        attrs: mediatype ? { mediatype } : {},
        ...(content ? { content: proto.Message.encode(content).finish() } : {}),
      },
      // `<meta polltype="creation"/>` (zapo transport/node/builders/newsletter.ts).
      ...((out.extraNodes ?? []).filter(({ tag }) => tag === 'meta') as BinaryNode[]),
    ],
  };
}

/** By the number of the post, and the emoji openly (whatsmeow newsletter.go NewsletterSendReaction). */
function reactionStanza({ to, id, postServerId }: OutboundMessage, emoji: string): BinaryNode {
  const attrs = { to, id, type: 'reaction', server_id: String(postServerId) };
  return {
    tag: 'message',
    attrs: emoji === '' ? { ...attrs, edit: UNREACT } : attrs,
    content: [{ tag: 'reaction', attrs: emoji === '' ? {} : { code: emoji } }],
  };
}

function changeIn(
  message: proto.IMessage,
): { id: string; edit: string; content: proto.IMessage | null } | null {
  const { Type } = proto.Message.ProtocolMessage;
  const { key, type, editedMessage: content } = unwrapped(message).protocolMessage ?? {};
  if (!key?.id) return null;
  if (type === Type.MESSAGE_EDIT && content) return { id: key.id, edit: CHANGE, content };
  return type === Type.REVOKE ? { id: key.id, edit: REVOKE, content: null } : null;
}
