import { QueryIds } from 'baileys';
import { type Newsletter, roleIn } from '../newsletters/newsletters.ts';
import type { Account } from '../state/directory.ts';
import { lidJid, phoneJid } from '../state/jid.ts';
import { CONFLICT, FORBIDDEN, type IqRequest, NOT_FOUND } from './answer.ts';
import { type Operation, objectIn, type Refusal, textIn } from './mex-operation.ts';

/** How long an invitation holds: the apps say seven days. */
const INVITED_SECONDS = 7 * 24 * 3600;
/** Admins beside the owner (faq.whatsapp.com "How to invite channel admins": up to 16). */
const MOST_ADMINS = 16;

interface Meant {
  newsletter: Newsletter;
  account: Account;
}

/** An operation of the owner on `user_id`, who may be named by number or LID. */
function onPerson(path: string, run: (meant: Meant, request: IqRequest) => object | Refusal): Operation {
  return {
    path,
    run: (request, { newsletter_id: jid, user_id: user }) => {
      const { network, sender } = request;
      const newsletter = network.newsletters.get(textIn(jid));
      const account = network.directory.resolve(textIn(user));
      if (!newsletter || !account) return null;
      const own = newsletter.owner === sender.account || account === sender.account;
      return own ? run({ newsletter, account }, request) : { refused: FORBIDDEN };
    },
  };
}

const invite = onPerson('xwa2_newsletter_admin_invite_create', ({ newsletter, account }, { sender }) => {
  if (newsletter.owner !== sender.account) return { refused: FORBIDDEN };
  if (account === sender.account || newsletter.admins.has(account)) return { refused: CONFLICT };
  if (newsletter.admins.size + newsletter.invited.size >= MOST_ADMINS) return { refused: CONFLICT };
  const until = Math.floor(Date.now() / 1000) + INVITED_SECONDS;
  newsletter.invited.set(account, until);
  return { id: newsletter.jid, invite_expiration_time: String(until) };
});

const revoke = onPerson('xwa2_newsletter_admin_invite_revoke', ({ newsletter, account }, { sender }) => {
  if (newsletter.owner !== sender.account) return { refused: FORBIDDEN };
  return newsletter.invited.delete(account) ? { id: newsletter.jid } : { refused: NOT_FOUND };
});

/** An admin may lay it down; another one's is the owner's to take. */
const demote = onPerson('xwa2_newsletter_admin_demote', ({ newsletter, account }) =>
  newsletter.admins.delete(account) ? { id: newsletter.jid } : { refused: NOT_FOUND },
);

/** To an admin; who had it stays one. */
const changeOwner = onPerson('xwa2_newsletter_change_owner', ({ newsletter, account }, { sender }) => {
  if (newsletter.owner !== sender.account) return { refused: FORBIDDEN };
  if (!newsletter.admins.delete(account)) return { refused: FORBIDDEN };
  newsletter.admins.add(sender.account);
  newsletter.owner = account;
  return { id: newsletter.jid };
});

const accept: Operation = {
  path: 'xwa2_newsletter_admin_invite_accept',
  run: ({ network, sender: { account } }, { newsletter_id: jid }) => {
    const newsletter = network.newsletters.get(textIn(jid));
    if (!newsletter) return null;
    const until = newsletter.invited.get(account);
    if (until === undefined || until * 1000 < Date.now()) return { refused: NOT_FOUND };
    newsletter.invited.delete(account);
    newsletter.admins.add(account);
    const follower = newsletter.followers.get(account) ?? { muted: false };
    newsletter.followers.set(account, follower);
    return { id: newsletter.jid };
  },
};

/** Those who may be known to the admins: the owner and admins first, `count` of them. */
const followers: Operation = {
  path: 'xwa2_newsletter_followers',
  run: ({ network, sender }, { input }) => {
    const { newsletter_id: jid, count } = objectIn(input);
    const newsletter = network.newsletters.get(textIn(jid));
    if (!newsletter) return null;
    const own = roleIn(newsletter, sender.account);
    if (own !== 'OWNER' && own !== 'ADMIN') return { refused: FORBIDDEN };
    const order = ['OWNER', 'ADMIN', 'SUBSCRIBER', 'GUEST'];
    const edges = [...newsletter.followers.keys()]
      .map((account) => ({
        node: { id: lidJid(account) ?? phoneJid(account), pn: phoneJid(account), display_name: account.name },
        follow_time: String(newsletter.createdAt),
        role: roleIn(newsletter, account),
      }))
      .sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role))
      .slice(0, Number(count ?? 50));
    return { followers: { edges } };
  },
};

const pending: Operation = {
  path: 'xwa2_newsletter_admin',
  run: ({ network, sender }, { newsletter_id: jid }) => {
    const newsletter = network.newsletters.get(textIn(jid));
    if (!newsletter) return null;
    if (newsletter.owner !== sender.account) return { refused: FORBIDDEN };
    const invited = [...newsletter.invited.keys()].map((account) => ({
      user: { id: lidJid(account) ?? phoneJid(account), pn: phoneJid(account) },
    }));
    return { id: newsletter.jid, pending_admin_invites: invited };
  },
};

/** By the numbers of zapo spec/mex and Baileys Types/Mex.js QueryIds; whose they are is not written down anywhere. */
export const newsletterAdminOperations: ReadonlyArray<readonly [string, Operation]> = [
  ['9387141988078609', invite],
  ['9656078347839416', revoke],
  ['9580828702035549', accept],
  ['9880997548630971', demote],
  [QueryIds.DEMOTE, demote],
  ['9546742745432473', changeOwner],
  [QueryIds.CHANGE_OWNER, changeOwner],
  ['27472091235714801', followers],
  ['9783111038412085', pending],
];
