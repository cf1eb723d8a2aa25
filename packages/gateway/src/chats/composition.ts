/** The chats of each account: the list as its devices show it, kept up with what they and others do. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { SessionReports } from '../devices/composition.ts';
import type { NoticeEvents } from '../events/notice-events.ts';
import type { MessagesRoom } from '../messages/composition.ts';
import type { Log } from '../observability/log.ts';
import type { SendingRoom } from '../sending/composition.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import type { Step } from '../steps.ts';
import { deferred } from '../storage/database.ts';
import type { Database } from '../storage/schema.ts';
import { ChatChanges } from './changes.ts';
import { ChatKeeper } from './chat-keeper.ts';
import { ListedNames } from './chat-names.ts';
import { ChatStore } from './chat-store.ts';
import { ChatWrites } from './chat-writes.ts';
import { Chats } from './chats.ts';
import { Clearing } from './clearing.ts';
import { ChatExports } from './export.ts';
import { NewestMessages } from './newest-messages.ts';
import { Presences } from './presence.ts';
import { ChatTargets } from './targets.ts';
import { ChatTimerSettings } from './timer-settings.ts';

export interface ChatsRoom {
  chats: Chats;
  changes: ChatChanges;
  presences: Presences;
  timers: ChatTimerSettings;
  exports: ChatExports;
  reports: Pick<SessionReports, 'ownRead'>;
  /** Hides what cleared chats held. */
  clearing: Step;
}

export function composeChats(parts: {
  db: Kysely<Database>;
  clock: Clock;
  log: Log;
  notices: NoticeEvents;
  devices: SendingDevices;
  messages: MessagesRoom;
  sending: SendingRoom;
  tenantIds(): Promise<string[]>;
}): ChatsRoom {
  const { db, clock, devices, messages, notices, sending } = parts;
  const clearing = new Clearing(parts);
  const writes = new ChatWrites(new ListedNames());
  const keeper = new ChatKeeper({ writes, clock, cleared: (tenantId) => clearing.wake(tenantId) });
  messages.keepers.add({ message: keeper.message, history: keeper.history });
  notices.keep(keeper.notice);
  notices.forget(keeper.forget);
  const store = new ChatStore({ db, clock });
  const targets = new ChatTargets({ devices, recipients: sending.recipients, store });
  const chats = new Chats({ devices, store, targets, archive: messages.archive });
  return {
    chats,
    changes: new ChatChanges({ targets, newest: new NewestMessages(db), clearing, clock }),
    presences: new Presences({ devices, targets }),
    timers: new ChatTimerSettings({ targets, sending: sending.pipeline, db, clock }),
    exports: new ChatExports({ chats, finder: messages.finder }),
    reports: {
      // Told again at the next reading, should it be lost.
      ownRead: (device, read) =>
        deferred(db)
          .transaction()
          .execute((trx) => keeper.ownRead(trx, device, read)),
    },
    clearing: { name: 'cleared chats', start: () => clearing.start(), stop: () => clearing.stop() },
  };
}
