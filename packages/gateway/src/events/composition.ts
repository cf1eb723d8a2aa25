/** Events: recorded with their cause, read, kept for a while. Who pushes them subscribes to the outbox. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { RetentionConfig } from '../config.ts';
import type { Log } from '../observability/log.ts';
import type { Step } from '../steps.ts';
import type { Database } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import { EventStore } from './event-store.ts';
import { EventFeed } from './feed.ts';
import type { MediaUrls } from './media-urls.ts';
import { NoticeEvents } from './notice-events.ts';
import { EventOutbox } from './outbox.ts';
import { EventReader } from './reader.ts';
import { EventRetention } from './retention.ts';

export interface EventsRoom {
  store: EventStore;
  feed: EventFeed;
  outbox: EventOutbox;
  reader: EventReader;
  notices: NoticeEvents;
  retention: Step;
}

export function composeEvents(parts: {
  db: Kysely<Database>;
  vault: Vault;
  clock: Clock;
  log: Log;
  retention: RetentionConfig;
  mediaUrls?: MediaUrls;
}): EventsRoom {
  const { db, vault, clock, log } = parts;
  const store = new EventStore(db);
  const feed = new EventFeed({ store, log });
  const outbox = new EventOutbox({ clock, vault });
  outbox.subscribe({ committed: () => feed.wake() });
  const retention = new EventRetention({ db, clock, log, settings: parts.retention });
  return {
    store,
    feed,
    outbox,
    reader: new EventReader({
      store,
      feed,
      clock,
      vault,
      ...(parts.mediaUrls && { mediaUrls: parts.mediaUrls }),
    }),
    notices: new NoticeEvents({ db, events: outbox }),
    retention: { name: 'retention', start: () => retention.start(), stop: () => retention.stop() },
  };
}
