/** Channels: found, made, followed, left. */
import { RequestRefused } from '../../port/errors.ts';
import type { Jid } from '../../port/identity.ts';
import type { Newsletter, SessionNewsletters } from '../../port/newsletters.ts';
import type { Link } from '../connection/link.ts';
import { QueryIds, type Socket, XWAPaths } from '../library.ts';
import type { AckWaiter } from '../outbound/ack-waiter.ts';
import { mexQuery } from '../outbound/mex-query.ts';
import { parseDirectory, parseNewsletter } from '../parse/newsletter.ts';
import { newsletterAdmins } from './newsletter-admins.ts';
import { newsletterPosts } from './newsletter-posts.ts';

const SERVER = '@s.whatsapp.net';
const NOT_FOUND = 404;
/** The library has no number for it (whatsmeow newsletter.go querySubscribedNewsletters). */
const SUBSCRIBED = { queryId: '6388546374527196', path: 'xwa2_newsletter_subscribed' };
/** The library has no numbers for them (zapo spec/mex FetchNewsletterDirectorySearchResults, -DirectoryList). */
const SEARCH = { queryId: '26301059626252132', path: 'xwa2_newsletters_directory_search' };
const DIRECTORY = { queryId: '26125047313831973', path: 'xwa2_newsletters_directory_list' };
/** What an account agrees to before it makes a channel (whatsmeow newsletter.go AcceptTOSNotice). */
const TERMS = { id: '20601218', stage: '5' };

export function newsletters(link: Link, acks: AckWaiter): SessionNewsletters {
  const change = (queryId: string, path: string, jid: Jid): Promise<void> =>
    link.ask(async (socket) => {
      await mexQuery(socket, { queryId, path, variables: { newsletter_id: jid } });
    });
  return {
    ...newsletterPosts(link, acks),
    ...newsletterAdmins(link),

    list: () =>
      link.ask(async (socket) => {
        const found = await mexQuery(socket, { ...SUBSCRIBED, variables: {} });
        return Array.isArray(found) ? found.flatMap((each) => parseNewsletter(each) ?? []) : [];
      }),

    find: (name) =>
      link.ask(async (socket) => {
        const byJid = 'jid' in name;
        return described(
          await mexQuery(socket, {
            queryId: QueryIds.METADATA,
            path: XWAPaths.xwa2_newsletter_metadata,
            variables: {
              fetch_creation_time: true,
              fetch_full_image: true,
              fetch_viewer_metadata: true,
              input: byJid ? { key: name.jid, type: 'JID' } : { key: name.inviteCode, type: 'INVITE' },
            },
          }),
        );
      }),

    create: ({ name, description, picture }) =>
      link.ask(async (socket) => {
        await acceptTerms(socket);
        // The picture as whatsmeow has it (newsletter.go CreateNewsletterParams).
        const shown = picture && { picture: Buffer.from(picture).toString('base64') };
        const variables = { input: { name, description: description || null, ...shown } };
        const query = { queryId: QueryIds.CREATE, path: XWAPaths.xwa2_newsletter_create };
        return described(await mexQuery(socket, { ...query, variables }));
      }),

    search: ({ what, limit, cursor }) =>
      link.ask(async (socket) => {
        const page = { limit, ...(cursor ? { start_cursor: cursor } : {}) };
        // As zapo asks (client/newsletter/discovery.ts).
        const [query, input] =
          'text' in what
            ? [SEARCH, { search_text: what.text, categories: [], ...page }]
            : [
                DIRECTORY,
                {
                  view: what.view.toUpperCase(),
                  filters: { country_codes: what.countries, categories: [] },
                  ...page,
                },
              ];
        const variables = { input, fetch_status_metadata: false };
        return parseDirectory(await mexQuery(socket, { ...query, variables }));
      }),

    change: (jid, { picture, ...texts }) =>
      link.ask(async (socket) => {
        // An empty picture takes it off, and `settings` is there (Baileys newsletter.js newsletterUpdate).
        const shown =
          picture === undefined ? {} : { picture: picture ? Buffer.from(picture).toString('base64') : '' };
        const variables = { newsletter_id: jid, updates: { ...texts, ...shown, settings: null } };
        const query = { queryId: QueryIds.UPDATE_METADATA, path: 'xwa2_newsletter_update' };
        await mexQuery(socket, { ...query, variables });
      }),

    remove: (jid) => change(QueryIds.DELETE, XWAPaths.xwa2_newsletter_delete_v2, jid),

    follow: (jid, follows) =>
      follows
        ? change(QueryIds.FOLLOW, XWAPaths.xwa2_newsletter_join_v2, jid)
        : change(QueryIds.UNFOLLOW, XWAPaths.xwa2_newsletter_leave_v2, jid),

    mute: (jid, muted) =>
      muted
        ? change(QueryIds.MUTE, XWAPaths.xwa2_newsletter_mute_v2, jid)
        : change(QueryIds.UNMUTE, XWAPaths.xwa2_newsletter_unmute_v2, jid),
  };
}

function described(found: unknown): Newsletter {
  const newsletter = parseNewsletter(found);
  if (!newsletter) throw new RequestRefused(NOT_FOUND, 'WhatsApp knows no such channel');
  return newsletter;
}

async function acceptTerms(socket: Socket): Promise<void> {
  await socket.query({
    tag: 'iq',
    attrs: { id: socket.generateMessageTag(), type: 'set', to: SERVER, xmlns: 'tos' },
    content: [{ tag: 'notice', attrs: TERMS }],
  });
}
