import type { SessionNotice } from '../../../port/notices.ts';
import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  isJidNewsletter,
} from '../../library.ts';
import { textIn } from './stanza-fields.ts';

/**
 * `<notification type="newsletter"><live_updates>`: counts of views and reactions of some posts, without the
 * posts, beside `<messages>` (whatsmeow notification.go handleNewsletterNotification, parseNewsletterMessages) or in it
 * (zapo message/kinds/newsletter.ts processNewsletterLiveUpdates). The library knows no `live_updates` and drops it.
 */
export function liveUpdateNotices(stanza: BinaryNode): SessionNotice[] {
  const newsletter = stanza.attrs.from ?? '';
  const updates = getBinaryNodeChild(stanza, 'live_updates');
  if (!updates || !isJidNewsletter(newsletter)) return [];
  const within = getBinaryNodeChildren(getBinaryNodeChild(updates, 'messages'), 'message');
  const messages = [...getBinaryNodeChildren(updates, 'message'), ...within].flatMap((post) => {
    const serverId = post.attrs.server_id;
    if (!serverId) return [];
    const views = getBinaryNodeChild(post, 'views_count')?.attrs.count;
    const reactions = getBinaryNodeChildren(getBinaryNodeChild(post, 'reactions'), 'reaction');
    return [
      {
        serverId,
        views: views === undefined ? null : Number(views),
        reactions: Object.fromEntries(
          reactions.flatMap(({ attrs }) => (attrs.code ? [[attrs.code, Number(attrs.count ?? 0)]] : [])),
        ),
      },
    ];
  });
  return messages.length > 0 ? [{ name: 'newsletter.live_update', newsletter, messages }] : [];
}

interface MexNewsletter {
  id?: unknown;
  mute?: unknown;
  thread_metadata?: { name?: { text?: unknown } };
}

/**
 * `<notification type="mex"><update op_name>` with JSON: another device of ours followed, left or muted a
 * channel (whatsmeow notification.go newsletterEvent). The library acts on none of the three.
 */
export function mexNotices(stanza: BinaryNode): SessionNotice[] {
  return getAllBinaryNodeChildren(stanza).flatMap((update): SessionNotice[] => {
    const data = update.tag === 'update' ? parsed(textIn(update)) : {};
    const join = data.xwa2_notify_newsletter_on_join;
    if (join && isId(join.id)) {
      const title = join.thread_metadata?.name?.text;
      return [
        {
          name: 'newsletter.join',
          newsletter: join.id,
          title: typeof title === 'string' ? title : null,
        },
      ];
    }
    const leave = data.xwa2_notify_newsletter_on_leave;
    if (leave && isId(leave.id)) return [{ name: 'newsletter.leave', newsletter: leave.id }];
    const mute = data.xwa2_notify_newsletter_on_mute_change;
    if (!mute || !isId(mute.id)) return [];
    const muted = String(mute.mute).toLowerCase() === 'on';
    return [{ name: 'newsletter.mute_change', newsletter: mute.id, muted }];
  });
}

function isId(id: unknown): id is string {
  return typeof id === 'string' && isJidNewsletter(id) === true;
}

function parsed(text: string | null): { [operation: string]: MexNewsletter | undefined } {
  try {
    const body = JSON.parse(text ?? '') as { data?: { [operation: string]: MexNewsletter } | null };
    return body.data ?? {};
  } catch {
    return {};
  }
}
