import type { Post } from '../newsletters/posts.ts';
import { listed } from '../newsletters/posts.ts';
import { childNamed, type StanzaAttributes, stanza, timestamp } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqAnswer, type IqHandler, NOT_FOUND } from './answer.ts';

const DEFAULT_COUNT = 100;
/** How long the counts of a channel are told to who asked for that, seconds. */
const LIVE_SECONDS = '300';

/** `newsletter`: posts of a channel, the newest or by number, their counts, and to be told of them (whatsmeow newsletter.go). */
const newsletter: IqHandler = ({ network, sender, iq }) => {
  const messages = childNamed(iq, 'messages');
  if (messages) {
    const { type, jid, key, count, before } = messages.attrs;
    const found =
      type === 'invite' ? network.newsletters.byInviteCode(key ?? '') : network.newsletters.get(jid ?? '');
    if (!found) return { error: NOT_FOUND };
    const { posts } = found;
    return page(found.jid, posts.before(before ? Number(before) : posts.newest + 1, countOf(count)));
  }
  const found = network.newsletters.get(iq.attrs.to ?? '');
  if (!found) return { error: NOT_FOUND };
  const updates = childNamed(iq, 'message_updates');
  if (updates) {
    const { count, after } = updates.attrs;
    const list = page(found.jid, found.posts.after(Number(after ?? 0), countOf(count)));
    return { content: [stanza('message_updates', {}, list.content ?? [])] };
  }
  if (childNamed(iq, 'live_updates')) {
    network.newsletters.followLive(found, sender, Number(LIVE_SECONDS));
    return { content: [stanza('live_updates', { duration: LIVE_SECONDS })] };
  }
  return { error: BAD_REQUEST };
};

function page(jid: string, posts: readonly Post[]): IqAnswer {
  const attrs: StanzaAttributes = { jid, t: timestamp() };
  return { content: [stanza('messages', attrs, posts.map(listed))] };
}

function countOf(count: string | undefined): number {
  const wanted = Number(count ?? DEFAULT_COUNT);
  return Number.isSafeInteger(wanted) && wanted > 0 ? Math.min(wanted, DEFAULT_COUNT) : DEFAULT_COUNT;
}

/** Terms that an account agrees to before it makes a channel (whatsmeow newsletter.go AcceptTOSNotice). */
const terms: IqHandler = ({ iq }) => (childNamed(iq, 'notice') ? {} : { error: BAD_REQUEST });

export const newsletterHandlers: ReadonlyArray<readonly [string, IqHandler]> = [
  ['newsletter', newsletter],
  ['tos', terms],
];
