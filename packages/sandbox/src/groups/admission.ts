import { randomBytes } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import type { Account } from '../state/directory.ts';
import { alternateJid, jidIn } from '../state/jid.ts';
import { type StanzaAttributes, stanza } from '../wire/stanza.ts';
import type { Group, Invitation } from './group.ts';

/** Seen in answers that people published (Evolution API issue 2011): 16 characters that last three days. */
const INVITATION_BYTES = 12;
const INVITATION_LIFETIME_S = 3 * 24 * 3600;

/**
 * The `error` with which the server does not add somebody; undefined when it does. The codes are those that the
 * apps word (WhatsApp Web WAWebGroupStringsAction; wwebjs GroupChat addParticipants): 401 one of the two blocked
 * the other, 403 privacy, 408 left recently, 409 a member already, 419 the group is full. How long "recently" is,
 * nobody says; here it ends when they come back by a link or an invitation.
 */
export function refusalToAdd(
  group: Pick<Group, 'participants' | 'memberLimit' | 'left'>,
  account: Account,
  actor: Account,
): number | undefined {
  if (group.participants.has(account.user)) return 409;
  if (group.participants.size >= group.memberLimit) return 419;
  if (account.blocked.has(actor.user) || actor.blocked.has(account.user)) return 401;
  if (group.left.has(account.user)) return 408;
  return letsItselfBeAdded(account, actor) ? undefined : 403;
}

/** The account's `groupadd` privacy (whatsmeow types/user.go PrivacySettings). */
function letsItselfBeAdded(account: Account, by: Account): boolean {
  const to = account.privacy.get('groupadd') ?? 'all';
  return to === 'all' || (to !== 'none' && account.contacts.has(by.user));
}

/** A member of an answer who was not added; with 403 comes what they can be invited by. */
export function refusedStanza(
  group: Group,
  account: Account,
  error: number,
  invitation: Invitation | undefined,
): BinaryNode {
  const request = invitation && [
    stanza('add_request', { code: invitation.code, expiration: String(invitation.expiration) }),
  ];
  return stanza('participant', { ...namesIn(group, account), error: String(error) }, request);
}

/** The two names of somebody, as the group's stanzas carry them. */
export function namesIn(group: Group, account: Account): StanzaAttributes {
  const mode = group.addressingMode;
  const alternate = mode === 'lid' ? 'phone_number' : 'lid';
  return { jid: jidIn(mode, account), [alternate]: alternateJid(mode, account) };
}

/** Makes an invitation for somebody, and keeps it. */
export function invite(group: Group, account: Account, admin: Account): Invitation {
  const now = Math.floor(Date.now() / 1000);
  const invitation = {
    code: randomBytes(INVITATION_BYTES).toString('base64url'),
    admin,
    expiration: now + INVITATION_LIFETIME_S,
  };
  group.invitations.set(account.user, invitation);
  return invitation;
}
