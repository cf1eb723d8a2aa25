import type { Identity, Jid } from './identity.ts';

/** The chat of all stories, ours and those of contacts ("status" in WhatsApp's protocol). */
export const STORIES: Jid = 'status@broadcast';

/** WhatsApp shows a story for a day. */
export const STORY_MS = 24 * 3600_000;

/** Who sees a story: all contacts, only those of a list, all but those of a list. */
export type StoryAudience = 'contacts' | 'whitelist' | 'blacklist';

export interface StoryPrivacy {
  audience: StoryAudience;
  /** The one that is used; lists that were used before are kept beside it. */
  isDefault: boolean;
  people: Identity[];
}

export interface SessionStories {
  /** Asks the server who sees the account's stories, the one that is used first. */
  privacy(): Promise<StoryPrivacy[]>;
}
