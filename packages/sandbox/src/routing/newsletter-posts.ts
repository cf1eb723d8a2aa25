import type { BinaryNode } from 'baileys';
import { type Newsletter, runs } from '../newsletters/newsletters.ts';
import type { Post } from '../newsletters/posts.ts';
import type { NetworkServices } from '../services.ts';
import type { RegisteredDevice } from '../state/directory.ts';
import { childNamed, childrenNamed, childrenOf, type StanzaAttributes, stanza } from '../wire/stanza.ts';

/** No such channel or post; not its owner's to say. The codes are those of groups: captures show none. */
const NOT_FOUND = '404';
const FORBIDDEN = '403';

/** `edit` of a change and of a revoke in a channel (whatsmeow types/message.go EditAttributeAdminEdit, -AdminRevoke). */
const CHANGE = '3';
const REVOKE = '8';
/** `edit` of a reaction that is taken back (whatsmeow newsletter.go NewsletterSendReaction). */
const UNREACT = '7';

export interface Published {
  /** Of the ack: `error`, or the `server_id` of the post. */
  readonly ack: StanzaAttributes;
  deliver?(): void;
}

/** Takes a `<message>` to a channel: a post, its change, or a follower's reaction. */
export function publish(network: NetworkServices, sender: RegisteredDevice, node: BinaryNode): Published {
  const newsletter = network.newsletters.get(node.attrs.to ?? '');
  if (!newsletter) return { ack: { error: NOT_FOUND } };
  if (node.attrs.type === 'reaction') return react(network, newsletter, sender, node);
  if (!runs(newsletter, sender.account)) return { ack: { error: FORBIDDEN } };
  const { edit } = node.attrs;
  if (edit === CHANGE || edit === REVOKE) {
    const post = newsletter.posts.byId(node.attrs.id);
    if (!post) return { ack: { error: NOT_FOUND } };
    post.editedAt = Date.now();
    post.content = edit === REVOKE ? [] : childrenOf(node);
    return tell(network, sender, node, { newsletter, post });
  }
  if (!childNamed(node, 'plaintext')) return { ack: { error: '400' } };
  return tell(network, sender, node, { newsletter, post: newsletter.posts.add(node) });
}

function react(
  network: NetworkServices,
  newsletter: Newsletter,
  sender: RegisteredDevice,
  node: BinaryNode,
): Published {
  const post = newsletter.posts.byServerId(node.attrs.server_id);
  if (!post) return { ack: { error: NOT_FOUND } };
  if (!newsletter.followers.has(sender.account)) return { ack: { error: FORBIDDEN } };
  const code = childNamed(node, 'reaction')?.attrs.code;
  if (node.attrs.edit === UNREACT || !code) post.reactions.delete(sender.account);
  else post.reactions.set(sender.account, code);
  return { ack: {}, deliver: () => network.newsletters.tellCounts(newsletter, [post]) };
}

/** Each device of each follower but the author's own gets the post as it was written, with the server's number. */
function tell(
  network: NetworkServices,
  sender: RegisteredDevice,
  node: BinaryNode,
  { newsletter, post }: { newsletter: Newsletter; post: Post },
): Published {
  const { id, type, at, serverId, editedAt } = post;
  const changed = editedAt === undefined ? {} : { msg_edit_t: String(editedAt), original_msg_t: String(at) };
  const attrs = { from: newsletter.jid, id, type, t: String(at), server_id: String(serverId) };
  const told = stanza('message', { ...attrs, edit: node.attrs.edit }, [
    ...childrenOf(node),
    stanza('meta', changed),
  ]);
  return {
    ack: { server_id: String(serverId) },
    deliver: () => {
      for (const account of newsletter.followers.keys()) {
        for (const device of account.devices.values()) {
          if (device === sender) continue;
          // zapo message/kinds/newsletter.ts reads it.
          const own = account === sender.account ? { is_sender: 'true' } : {};
          network.delivery.post(device, { ...told, attrs: { ...told.attrs, ...own } });
        }
      }
    },
  };
}

/**
 * `<receipt type="view">`: the account has looked at these posts (whatsmeow newsletter.go NewsletterMarkViewed). Gives
 * what the ack says beside.
 */
export function countViews(
  network: NetworkServices,
  viewer: RegisteredDevice,
  node: BinaryNode,
): StanzaAttributes {
  const newsletter = network.newsletters.get(node.attrs.to ?? '');
  if (!newsletter) return { error: NOT_FOUND };
  for (const { attrs } of childrenNamed(childNamed(node, 'list'), 'item')) {
    const post = newsletter.posts.byServerId(attrs.server_id);
    if (!post || post.viewers.has(viewer.account)) continue;
    post.viewers.add(viewer.account);
    network.newsletters.tellCounts(newsletter, [post]);
  }
  return {};
}
