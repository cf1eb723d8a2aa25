import type { MessageContent } from './content.ts';
import type { Identity, Jid } from './identity.ts';
import type { OpaqueText } from './opaque.ts';

/** A channel as the account sees it. */
export interface Newsletter {
  jid: Jid;
  /** `active`, `suspended`, `geosuspended`. */
  state: string;
  name: NewsletterText;
  description: NewsletterText;
  /** The end of its link. */
  inviteCode: string;
  subscribers: number;
  /** `verified`, `unverified`. */
  verification: string;
  /** Milliseconds; null when it was not told. */
  createdAt: number | null;
  picture: NewsletterPicture | null;
  preview: NewsletterPicture | null;
  /** Null for one that was found by its link: the server does not say then. */
  viewer: { role: string; muted: boolean } | null;
}

export interface NewsletterText {
  text: string;
  id: string;
  /** Microseconds since the epoch, as text. */
  updateTime: string;
}

export interface NewsletterPicture {
  id: string;
  directPath: string | null;
}

/** A post as the server lists it. */
export interface NewsletterPost {
  /** The server's number of it in its channel. */
  serverId: number;
  /** As its author's client chose. */
  id: string;
  /** Of the stanza: `text`, `media`, `poll`. */
  type: string;
  /** Milliseconds. */
  timestamp: number;
  views: number;
  /** How many, by emoji. */
  reactions: Record<string, number>;
  /** Null for one that was taken back. */
  content: MessageContent | null;
}

export type NewsletterName = { jid: Jid } | { inviteCode: string };

export interface NewNewsletter {
  name: string;
  description: string;
  /** JPEG. */
  picture: Uint8Array | null;
}

/** What of a channel is to be another; what is left out stays. */
export interface NewsletterChange {
  name?: string;
  /** Empty takes it off. */
  description?: string;
  /** JPEG; null takes it off. */
  picture?: Uint8Array | null;
}

/** How the directory is ordered when no text is looked for (the pages of the apps). */
export const DIRECTORY_VIEWS = ['recommended', 'trending', 'popular', 'new'] as const;
export type DirectoryView = (typeof DIRECTORY_VIEWS)[number];

export interface DirectorySearch {
  /** What to look for, or which list to show. */
  what: { text: string } | { view: DirectoryView; countries: string[] };
  limit: number;
  /** As a page before it said. */
  cursor: OpaqueText | null;
}

/** What the directory says of a channel is less than the channel itself: no state, no viewer. */
export interface DirectoryPage {
  newsletters: Newsletter[];
  /** Null: there are no more. */
  next: string | null;
}

export type NewsletterRole = 'owner' | 'admin' | 'subscriber' | 'guest';

export interface NewsletterFollower extends Identity {
  role: NewsletterRole;
  /** As they call themselves; null when it is not told. */
  name: string | null;
  /** Milliseconds; null when it is not told. */
  followedAt: number | null;
}

/** Who runs a channel. A person is named as WhatsApp knows them, by LID where there is one. */
export interface SessionNewsletterAdmins {
  /** Owner and admins first; WhatsApp tells those who run the channel, and no more than `count`. */
  followers(newsletter: Jid, count: number): Promise<NewsletterFollower[]>;
  /** Who was asked to become an admin and has not answered. */
  invited(newsletter: Jid): Promise<Identity[]>;
  /** Gives until when it holds: milliseconds, null when it is not told. */
  invite(newsletter: Jid, person: Jid): Promise<number | null>;
  revokeInvite(newsletter: Jid, person: Jid): Promise<void>;
  acceptInvite(newsletter: Jid): Promise<void>;
  demote(newsletter: Jid, person: Jid): Promise<void>;
  changeOwner(newsletter: Jid, person: Jid): Promise<void>;
}

export interface SessionNewsletterPosts {
  /** The newest `count`, or those before a post by its number, in order. */
  posts(newsletter: Jid, page: { count: number; before: number | null }): Promise<NewsletterPost[]>;
  /** Counts as having looked at each. */
  view(newsletter: Jid, serverIds: number[]): Promise<void>;
  /** Null takes the reaction back. */
  react(newsletter: Jid, serverId: number, emoji: string | null): Promise<void>;
  /** The server tells of views and reactions for a while: for how many seconds; null when it does not say. */
  followLive(newsletter: Jid): Promise<number | null>;
}

/** Channels: those that the account follows or has, and their posts. Every call asks the server. */
export interface SessionNewsletters extends SessionNewsletterPosts, SessionNewsletterAdmins {
  list(): Promise<Newsletter[]>;
  find(name: NewsletterName): Promise<Newsletter>;
  create(newsletter: NewNewsletter): Promise<Newsletter>;
  /** Of those that everybody may find. */
  search(search: DirectorySearch): Promise<DirectoryPage>;
  change(newsletter: Jid, change: NewsletterChange): Promise<void>;
  /** For good. */
  remove(newsletter: Jid): Promise<void>;
  follow(newsletter: Jid, follows: boolean): Promise<void>;
  mute(newsletter: Jid, muted: boolean): Promise<void>;
}
