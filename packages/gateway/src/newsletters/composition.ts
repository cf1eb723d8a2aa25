/** Channels. Nothing here runs by itself: requests call it. */
import type { Clock } from '../clock.ts';
import type { OutboundMediaSource } from '../sending/outbound-media.ts';
import { NewsletterAdmins, type NewsletterAdminsParts } from './admins.ts';
import { Newsletters } from './newsletters.ts';

export interface NewslettersRoom {
  newsletters: Newsletters;
  admins: NewsletterAdmins;
}

export function composeNewsletters(
  parts: NewsletterAdminsParts & { media: OutboundMediaSource; clock: Clock },
): NewslettersRoom {
  return { newsletters: new Newsletters(parts), admins: new NewsletterAdmins(parts) };
}
