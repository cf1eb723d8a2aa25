/** Channels and their posts as the server describes them. What is missing or of another type is empty. */
import type {
  DirectoryPage,
  Newsletter,
  NewsletterPicture,
  NewsletterPost,
  NewsletterText,
} from '../../port/newsletters.ts';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren, isJidNewsletter } from '../library.ts';
import { cleanTexts } from './clean-text.ts';
import { parseContent } from './content-parser.ts';
import { object, text } from './json-fields.ts';
import { decodeMessage } from './message-bytes.ts';
import { stampedTime } from './stamped-time.ts';
import { stampOf } from './stanza-time.ts';

/** Of a GraphQL answer (whatsmeow types/newsletter.go NewsletterMetadata); null for what names no channel. */
export function parseNewsletter(value: unknown): Newsletter | null {
  const told = object(value);
  const jid = text(told.id);
  if (isJidNewsletter(jid) !== true) return null;
  const thread = object(told.thread_metadata);
  const viewer = told.viewer_metadata ? object(told.viewer_metadata) : null;
  return cleanTexts({
    jid,
    state: text(object(told.state).type).toLowerCase(),
    name: named(thread.name),
    description: named(thread.description),
    inviteCode: text(thread.invite),
    subscribers: Number(text(thread.subscribers_count)) || 0,
    verification: text(thread.verification).toLowerCase(),
    createdAt: stampedTime(Number(thread.creation_time ?? 0)),
    picture: picture(thread.picture),
    preview: picture(thread.preview),
    viewer: viewer && {
      role: text(viewer.role).toLowerCase(),
      muted: text(viewer.mute).toLowerCase() === 'on',
    },
  });
}

/** A page of the directory (zapo spec/mex FetchNewsletterDirectorySearchResults). */
export function parseDirectory(value: unknown): DirectoryPage {
  const { result, page_info: page } = object(value);
  const { hasNextPage, endCursor } = object(page);
  return {
    newsletters: Array.isArray(result) ? result.flatMap((each) => parseNewsletter(each) ?? []) : [],
    next: hasNextPage === true ? text(endCursor) || null : null,
  };
}

function named(value: unknown): NewsletterText {
  const told = object(value);
  return { text: text(told.text), id: text(told.id), updateTime: text(told.update_time) || '0' };
}

function picture(value: unknown): NewsletterPicture | null {
  const told = object(value);
  const id = text(told.id);
  return id === '' ? null : { id, directPath: text(told.direct_path) || null };
}

/** The posts of a `<messages>` (whatsmeow notification.go parseNewsletterMessages). */
export function parsePosts(list: BinaryNode | undefined): NewsletterPost[] {
  return getBinaryNodeChildren(list, 'message').flatMap((node) => {
    const { id = '', type = '', t, server_id } = node.attrs;
    const serverId = Number(server_id);
    if (!Number.isSafeInteger(serverId)) return [];
    const reactions = getBinaryNodeChildren(getBinaryNodeChild(node, 'reactions'), 'reaction');
    return [
      cleanTexts({
        serverId,
        id,
        type,
        timestamp: stampOf(t),
        views: count(getBinaryNodeChild(node, 'views_count')),
        reactions: Object.fromEntries(
          reactions.flatMap((each) => (each.attrs.code ? [[each.attrs.code, count(each)]] : [])),
        ),
        content: contentOf(node),
      }),
    ];
  });
}

function contentOf(post: BinaryNode) {
  const bytes = getBinaryNodeChild(post, 'plaintext')?.content;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return null;
  try {
    return parseContent(decodeMessage(bytes));
  } catch {
    // One post that makes no sense does not hide the others.
    return parseContent({});
  }
}

function count(node: BinaryNode | undefined): number {
  const told = Number(node?.attrs.count ?? 0);
  return Number.isSafeInteger(told) && told > 0 ? told : 0;
}
