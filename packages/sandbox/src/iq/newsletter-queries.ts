import { QueryIds, XWAPaths } from 'baileys';
import { metadata, type Newsletter, runs } from '../newsletters/newsletters.ts';
import type { Account } from '../state/directory.ts';
import { FORBIDDEN, type IqRequest } from './answer.ts';
import { type Json, type Operation, objectIn, textIn } from './mex-operation.ts';
import { keepPicture } from './pictures.ts';

/** Channels of a page of the directory, and the most of one (zapo discovery.ts asks for 25 and 100). */
const USUAL_PAGE = 25;
const LARGEST_PAGE = 100;

/** An operation on the channel that `newsletter_id` names; the answer describes the channel. */
function onNewsletter(path: string, run: (request: IqRequest, newsletter: Newsletter) => void): Operation {
  return {
    path,
    run: (request, { newsletter_id: jid }) => {
      const newsletter = request.network.newsletters.get(textIn(jid));
      if (!newsletter) return null;
      run(request, newsletter);
      return metadata(newsletter, request.sender.account);
    },
  };
}

const follow = onNewsletter(XWAPaths.xwa2_newsletter_join_v2, ({ network, sender }, newsletter) =>
  network.newsletters.follow(newsletter, sender),
);
const unfollow = onNewsletter(XWAPaths.xwa2_newsletter_leave_v2, ({ network, sender }, newsletter) =>
  network.newsletters.unfollow(newsletter, sender),
);
const mute = onNewsletter(XWAPaths.xwa2_newsletter_mute_v2, ({ network, sender }, newsletter) => {
  if (newsletter.followers.has(sender.account)) network.newsletters.mute(newsletter, sender, true);
});
const unmute = onNewsletter(XWAPaths.xwa2_newsletter_unmute_v2, ({ network, sender }, newsletter) => {
  if (newsletter.followers.has(sender.account)) network.newsletters.mute(newsletter, sender, false);
});

const create: Operation = {
  path: 'xwa2_newsletter_create',
  run: ({ network, sender }, variables) => {
    const wanted = objectIn(variables.newsletter_input ?? variables.input);
    const picture = textIn(wanted.picture);
    const owned = {
      owner: sender.account,
      description: textIn(wanted.description),
      ...(picture && { picture: keepPicture(network, Buffer.from(picture, 'base64')) }),
    };
    return metadata(network.newsletters.create(textIn(wanted.name), owned), sender.account);
  },
};

/** Members of `updates` that are given; an empty picture takes it off (Baileys newsletter.js newsletterRemovePicture). */
const update: Operation = {
  path: 'xwa2_newsletter_update',
  run: ({ network, sender }, { newsletter_id: jid, updates }) => {
    const newsletter = network.newsletters.get(textIn(jid));
    if (!newsletter) return null;
    if (!runs(newsletter, sender.account)) return { refused: FORBIDDEN };
    const { name, description, picture } = objectIn(updates);
    if (typeof name === 'string') newsletter.title = name;
    if (typeof description === 'string') newsletter.description = description;
    if (typeof picture === 'string') {
      const bytes = Buffer.from(picture, 'base64');
      newsletter.picture = bytes.length === 0 ? undefined : keepPicture(network, bytes);
    }
    // Who follows it is not told of the account here (whatsmeow newsletter.go: "without viewer meta").
    const { viewer_metadata: _, ...told } = metadata(newsletter, sender.account) as Json;
    return told;
  },
};

/** Its owner's alone (zapo spec/mex DeleteNewsletter). */
const remove: Operation = {
  path: XWAPaths.xwa2_newsletter_delete_v2,
  run: ({ network, sender }, { newsletter_id: jid }) => {
    const newsletter = network.newsletters.get(textIn(jid));
    if (!newsletter) return null;
    if (newsletter.owner !== sender.account) return { refused: FORBIDDEN };
    network.newsletters.delete(newsletter, sender);
    return { id: newsletter.jid, state: { type: 'DELETED' } };
  },
};

const info: Operation = {
  path: 'xwa2_newsletter',
  run: ({ network, sender }, variables) => {
    const { key, type } = objectIn(variables.input);
    const name = textIn(key);
    const found = type === 'INVITE' ? network.newsletters.byInviteCode(name) : network.newsletters.get(name);
    return found ? metadata(found, sender.account) : null;
  },
};

const followed: Operation = {
  path: 'xwa2_newsletter_subscribed',
  run: ({ network, sender }) =>
    network.newsletters.followedBy(sender.account).map((newsletter) => metadata(newsletter, sender.account)),
};

/** The directory by the text of names; it says neither the state nor what the channel is to the account. */
const search: Operation = {
  path: 'xwa2_newsletters_directory_search',
  run: ({ network, sender }, { input }) => {
    const text = textIn(objectIn(input).search_text).toLowerCase();
    const found = network.newsletters.all.filter(({ title }) => title.toLowerCase().includes(text));
    return page(found, objectIn(input), sender.account);
  },
};

/** The directory without a text. This network has no countries: a filter of them changes nothing. */
const list: Operation = {
  path: 'xwa2_newsletters_directory_list',
  run: ({ network, sender }, { input }) => page(network.newsletters.all, objectIn(input), sender.account),
};

function page(all: readonly Newsletter[], { limit, start_cursor: cursor }: Json, viewer: Account): object {
  const wanted = typeof limit === 'number' && limit > 0 ? Math.min(limit, LARGEST_PAGE) : USUAL_PAGE;
  const start = cursor ? Number(Buffer.from(textIn(cursor), 'base64').toString('utf8')) : 0;
  const end = start + wanted;
  const cursorAt = (index: number) => Buffer.from(String(index), 'utf8').toString('base64');
  return {
    page_info: {
      hasNextPage: end < all.length,
      hasPreviousPage: start > 0,
      startCursor: cursorAt(start),
      endCursor: cursorAt(Math.min(end, all.length)),
    },
    result: all.slice(start, end).map((newsletter) => {
      const { id, thread_metadata } = metadata(newsletter, viewer) as Json;
      return { id, thread_metadata };
    }),
  };
}

/** By the numbers of Baileys Types/Mex.js QueryIds, whatsmeow newsletter.go and zapo spec/mex. */
export const newsletterOperations: ReadonlyArray<readonly [string, Operation]> = [
  [QueryIds.FOLLOW, follow],
  ['9926858900719341', follow],
  [QueryIds.UNFOLLOW, unfollow],
  ['6392786840836363', unfollow],
  [QueryIds.MUTE, mute],
  ['6274038279359549', mute],
  [QueryIds.UNMUTE, unmute],
  ['6068417879924485', unmute],
  [QueryIds.CREATE, create],
  ['6234210096708695', create],
  ['25149874324715067', create],
  [QueryIds.UPDATE_METADATA, update],
  ['7150902998257522', update],
  [QueryIds.DELETE, remove],
  [QueryIds.METADATA, info],
  ['27456920720571478', info],
  ['6388546374527196', followed],
  ['25399611239711790', followed],
  ['26301059626252132', search],
  ['26125047313831973', list],
  ['6190824427689257', list],
];
