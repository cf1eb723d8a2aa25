/** Stories: what requests call, and the part that takes them to thousands. */
import type { Kysely } from 'kysely';
import type { MessageFinder } from '../messages/finding/finder.ts';
import type { Log } from '../observability/log.ts';
import type { Step } from '../steps.ts';
import type { Database } from '../storage/schema.ts';
import { type DistributionParts, StoryDistribution } from './distribution.ts';
import { StoryInbox } from './inbox.ts';
import { InboxStore } from './inbox-store.ts';
import { StoryReactions } from './reactions.ts';
import { StoryResending } from './resending.ts';
import { AudienceRetention } from './retention.ts';
import { Stories, type StoriesParts } from './stories.ts';
import { StoryStore } from './story-store.ts';

export interface StoriesRoom {
  stories: Stories;
  inbox: StoryInbox;
  reactions: StoryReactions;
  /** Stands before the room that finds what was sent. */
  resending: StoryResending;
  distribution: Step;
  /** Forgets whom old stories were for. */
  retention: Step;
}

/** It waits for the ack of a portion: closing its device ends that. */
const STOP_MS = 4000;

export function composeStories(
  parts: Omit<StoriesParts, 'store' | 'wake'> & {
    db: Kysely<Database>;
    finder: MessageFinder;
    log: Log;
    devices: StoriesParts['devices'] & DistributionParts['devices'];
  },
): StoriesRoom {
  const store = new StoryStore(parts.db);
  const distribution = new StoryDistribution({ ...parts, store });
  const retention = new AudienceRetention({ ...parts, store });
  return {
    stories: new Stories({ ...parts, store, wake: () => distribution.wake() }),
    inbox: new StoryInbox({ ...parts, store: new InboxStore(parts.db) }),
    reactions: new StoryReactions(parts),
    resending: new StoryResending({ ...parts, store }),
    distribution: {
      name: 'stories',
      start: () => distribution.start(),
      stop: () => distribution.stop(),
      stopMs: STOP_MS,
    },
    retention: { name: 'audiences', start: () => retention.start(), stop: () => retention.stop() },
  };
}
