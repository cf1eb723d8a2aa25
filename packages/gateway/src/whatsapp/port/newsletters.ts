import type { MessageContent } from './content.ts';
import type { Jid } from './identity.ts';

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

/** Channels: those that the account follows or has, and their posts. Every call asks the server. */
export interface SessionNewsletters {
  list(): Promise<Newsletter[]>;
  find(name: NewsletterName): Promise<Newsletter>;
  create(newsletter: NewNewsletter): Promise<Newsletter>;
  follow(newsletter: Jid, follows: boolean): Promise<void>;
  mute(newsletter: Jid, muted: boolean): Promise<void>;
  /** The newest `count`, or those before a post by its number, in order. */
  posts(newsletter: Jid, page: { count: number; before: number | null }): Promise<NewsletterPost[]>;
  /** Counts as having looked at each. */
  view(newsletter: Jid, serverIds: number[]): Promise<void>;
  /** Null takes the reaction back. */
  react(newsletter: Jid, serverId: number, emoji: string | null): Promise<void>;
}
