/** Who follows a channel and who may run it, from GraphQL answers (zapo client/newsletter/parse.ts). */
import type { Identity } from '../../port/identity.ts';
import type { NewsletterFollower, NewsletterRole } from '../../port/newsletters.ts';
import { isLidUser, isPnUser, jidNormalizedUser } from '../library.ts';
import { cleanTexts } from './clean-text.ts';
import { type Json, object, text } from './json-fields.ts';
import { stampedTime } from './stamped-time.ts';

const ROLES: Readonly<Record<string, NewsletterRole>> = {
  OWNER: 'owner',
  ADMIN: 'admin',
  SUBSCRIBER: 'subscriber',
  GUEST: 'guest',
};

/** The edges of `followers`; who has no name that can be told is left out. */
export function parseFollowers(answer: unknown): NewsletterFollower[] {
  const { edges } = object(object(answer).followers);
  return (Array.isArray(edges) ? edges : []).flatMap((edge: unknown) => {
    const { node, role, follow_time: followedAt } = object(edge);
    const person = named(object(node));
    if (!person) return [];
    return [
      cleanTexts({
        ...person,
        role: ROLES[text(role)] ?? ('subscriber' as const),
        name: text(object(node).display_name) || null,
        followedAt: stampedTime(Number(followedAt ?? 0)),
      }),
    ];
  });
}

export function parseInvited(answer: unknown): Identity[] {
  const { pending_admin_invites: invites } = object(answer);
  return (Array.isArray(invites) ? invites : []).flatMap(
    (each: unknown) => named(object(object(each).user)) ?? [],
  );
}

/** `id` is a LID or, of accounts without one, a number, and `pn` the number where it is told. */
function named({ id, pn }: Json): Identity | null {
  const names = [text(id), text(pn)];
  const lid = names.find((name) => isLidUser(name));
  const jid = names.find((name) => isPnUser(name));
  if (!lid && !jid) return null;
  return { jid: jid ? jidNormalizedUser(jid) : null, lid: lid ? jidNormalizedUser(lid) : null };
}
