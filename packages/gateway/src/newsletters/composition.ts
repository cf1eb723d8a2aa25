/** Channels. Nothing here runs by itself: requests call it. */
import { type NewsletterDevices, Newsletters } from './newsletters.ts';

export interface NewslettersRoom {
  newsletters: Newsletters;
}

export function composeNewsletters({ devices }: { devices: NewsletterDevices }): NewslettersRoom {
  return { newsletters: new Newsletters(devices) };
}
