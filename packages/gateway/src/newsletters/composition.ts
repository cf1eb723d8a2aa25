/** Channels. Nothing here runs by itself: requests call it. */
import type { OutboundMediaSource } from '../sending/outbound-media.ts';
import { type NewsletterDevices, Newsletters } from './newsletters.ts';

export interface NewslettersRoom {
  newsletters: Newsletters;
}

export function composeNewsletters(parts: {
  devices: NewsletterDevices;
  media: OutboundMediaSource;
}): NewslettersRoom {
  return { newsletters: new Newsletters(parts) };
}
