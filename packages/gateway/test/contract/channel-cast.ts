import type { Phone } from '@wuts/sandbox';
import type { World } from '../end-to-end/harness.ts';
import type { Operation } from './operations.ts';

/** Before a request about the channel `jid`: it is there, and each is in it what the operation is good for. */
export function setChannel(
  { sandbox: { network } }: World,
  { id }: Operation,
  { jid, owner, other }: { jid: string; owner: Phone; other: Phone },
): void {
  const channel = network.newsletters.get(jid);
  const [own, contact] = [owner, other].map((phone) => network.directory.resolve(phone.jid));
  if (!channel || !own || !contact) return;
  channel.owner = id === 'acceptNewsletterAdminInvite' ? contact : own;
  channel.followers.set(own, { muted: false });
  channel.admins.clear();
  channel.invited.clear();
  const soon = Math.floor(Date.now() / 1000) + 3600;
  if (id === 'acceptNewsletterAdminInvite') channel.invited.set(own, soon);
  if (id === 'revokeNewsletterAdminInvite') channel.invited.set(contact, soon);
  if (id === 'demoteNewsletterAdmin' || id === 'changeNewsletterOwner') channel.admins.add(contact);
}
