import type { Jid } from '../../port/identity.ts';
import type { SessionNewsletterAdmins } from '../../port/newsletters.ts';
import type { Link } from '../connection/link.ts';
import { mexQuery } from '../outbound/mex-query.ts';
import { parseFollowers, parseInvited } from '../parse/newsletter-people.ts';
import { stampedTime } from '../parse/stamped-time.ts';

/** A query by its number, and the member of `data` with the answer (zapo spec/mex; the library has two of them, older). */
const QUERIES = {
  followers: { queryId: '27472091235714801', path: 'xwa2_newsletter_followers' },
  invited: { queryId: '9783111038412085', path: 'xwa2_newsletter_admin' },
  invite: { queryId: '9387141988078609', path: 'xwa2_newsletter_admin_invite_create' },
  revokeInvite: { queryId: '9656078347839416', path: 'xwa2_newsletter_admin_invite_revoke' },
  acceptInvite: { queryId: '9580828702035549', path: 'xwa2_newsletter_admin_invite_accept' },
  demote: { queryId: '9880997548630971', path: 'xwa2_newsletter_admin_demote' },
  changeOwner: { queryId: '9546742745432473', path: 'xwa2_newsletter_change_owner' },
} as const;

/** Who runs a channel (zapo client/newsletter/admin.ts). */
export function newsletterAdmins(link: Link): SessionNewsletterAdmins {
  const ask = (query: keyof typeof QUERIES, variables: object): Promise<unknown> =>
    link.ask((socket) => mexQuery(socket, { ...QUERIES[query], variables }));
  const onPerson = async (query: keyof typeof QUERIES, newsletter: Jid, person: Jid): Promise<void> => {
    await ask(query, { newsletter_id: newsletter, user_id: person });
  };
  return {
    followers: async (newsletter, count) =>
      parseFollowers(await ask('followers', { input: { newsletter_id: newsletter, count } })),
    invited: async (newsletter) => parseInvited(await ask('invited', { newsletter_id: newsletter })),
    invite: async (newsletter, person) => {
      const told = await ask('invite', { newsletter_id: newsletter, user_id: person });
      const { invite_expiration_time: until } = (told ?? {}) as { invite_expiration_time?: unknown };
      return stampedTime(Number(until ?? 0));
    },
    revokeInvite: (newsletter, person) => onPerson('revokeInvite', newsletter, person),
    acceptInvite: async (newsletter) => {
      await ask('acceptInvite', { newsletter_id: newsletter });
    },
    demote: (newsletter, person) => onPerson('demote', newsletter, person),
    changeOwner: (newsletter, person) => onPerson('changeOwner', newsletter, person),
  };
}
