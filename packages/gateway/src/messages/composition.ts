/** The archive: what was sent and received, and how it is found again. */
import type { Kysely } from 'kysely';
import { type Clock, rfc3339 } from '../clock.ts';
import type { JournalConfig } from '../config.ts';
import type { SessionReports } from '../devices/composition.ts';
import type { MediaUrls } from '../events/media-urls.ts';
import type { NoticeEvents } from '../events/notice-events.ts';
import type { EventRecorder } from '../events/recorder.ts';
import { mayHaveFile } from '../media/keys.ts';
import type { MediaService } from '../media/service.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Step } from '../steps.ts';
import type { Database } from '../storage/schema.ts';
import { SetAsideRetention } from '../storage/set-aside-retention.ts';
import type { Vault } from '../storage/vault.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import type { WireCodec } from '../whatsapp/port/wire-message.ts';
import { MessageArchive } from './archive.ts';
import type { BothNamesListener } from './chat-names.ts';
import { learnTimer } from './chat-timers.ts';
import { MessageFinder } from './finding/finder.ts';
import { WordIndex } from './finding/word-index.ts';
import { MessageHistory } from './history.ts';
import { Keepers } from './keepers.ts';
import { PollResults } from './polls/poll-results.ts';
import { markStarred } from './stars.ts';
import { MessageStatuses } from './status.ts';
import { type MessageDevice, senderOf } from './stored-message.ts';
import type { DeviceDirectory } from './visible.ts';

export interface MessagesParts {
  db: Kysely<Database>;
  vault: Vault;
  clock: Clock;
  log: Log;
  codec: WireCodec;
  events: EventRecorder;
  notices: NoticeEvents;
  devices: DeviceDirectory;
  media: MediaService;
  mediaUrls: MediaUrls;
  journal: JournalConfig;
  metrics: Pick<Metrics, 'inboundMessages' | 'setAsideDropped'>;
  tenantIds(): Promise<string[]>;
}

export interface MessagesRoom {
  /** For rooms that keep something of what is stored. */
  keepers: Keepers;
  archive: MessageArchive;
  /** Tells a room whose rows are of people of both names of one. */
  onBothNames(listener: BothNamesListener): void;
  finder: MessageFinder;
  words: WordIndex;
  statuses: MessageStatuses;
  polls: PollResults;
  /** What of the sessions' reports is stored here. */
  reports: Omit<SessionReports, 'mediaRetry' | 'ownRead' | 'groupsChanged' | 'pastMembers' | 'pushNames'>;
  /** Before a device connects or a request comes: what is `pending` then was left by an earlier process. */
  interrupted: Step;
  search: Step;
  /** Keeps what was set aside within its bounds. */
  setAside: Step;
}

export function composeMessages(parts: MessagesParts): MessagesRoom {
  const { db, clock, log, devices, media, metrics } = parts;
  const listeners: BothNamesListener[] = [];
  const keepers = new Keepers();
  const archive = new MessageArchive({
    ...parts,
    keepers,
    onBothNames: async (...names) => {
      for (const listener of listeners) await listener(...names);
    },
    onStored: (message) => {
      if (mayHaveFile(message.kind)) media.prefetch(message.rowId);
    },
  });
  const history = new MessageHistory({ ...parts, archive, keepers });
  parts.notices.keep(async (trx, device, notice) => {
    if (notice.name === 'group.info') await learnGroupTimer(trx, device, notice);
    if (notice.name === 'message.starred') await markStarred(trx, device, notice, clock.now());
  });
  const words = new WordIndex({ db, clock, log });
  return {
    keepers,
    archive,
    onBothNames: (listener) => listeners.push(listener),
    words,
    finder: new MessageFinder({ db, archive, devices, words, mediaUrls: parts.mediaUrls }),
    statuses: new MessageStatuses({ db, archive, devices }),
    polls: new PollResults({ db, archive, devices }),
    reports: {
      message: async (device, message) => {
        const stored = await archive.storeInbound(device, message);
        metrics.inboundMessages.inc({ outcome: stored ? 'stored' : 'known' });
      },
      receipt: (device, receipt) => archive.applyReceipt(device, receipt),
      notice: async (device, notice, cause) => {
        const noticed = 'messageId' in notice ? await archive.stored.noticed(device, notice) : null;
        const about = {
          recordId: noticed?.rowId ?? null,
          sender: noticed && senderOf(noticed),
          account: device,
        };
        await parts.notices.record(device, notice, { cause, about });
      },
      accountState: (device, state) => parts.notices.describe(device, state),
      history: (device, batch) => history.store(device, batch),
      chatTimer: (device, timer) => learnTimer(db, device, timer),
      loadSentMessage: (device, chat, id) => archive.contents.sent(device, chat, id),
      hasReceived: (device, message) => archive.hasReceived(device, message),
    },
    interrupted: { name: 'interrupted sends', start: () => concludeInterrupted(parts, archive) },
    search: { name: 'search index', start: () => words.start(), stop: () => words.stop() },
    setAside: setAsideStep(parts),
  };
}

/** A group's timer is set by the server's word, `<ephemeral>` or `<not_ephemeral>`. */
async function learnGroupTimer(
  db: Kysely<Database>,
  device: MessageDevice,
  { change, value, group, timestamp }: Extract<SessionNotice, { name: 'group.info' }>,
): Promise<void> {
  if (change !== 'ephemeral' || typeof value !== 'number') return;
  await learnTimer(db, device, { chat: { jid: group, lid: null }, seconds: value, setAt: timestamp });
}

function setAsideStep({ db, clock, log, journal, metrics }: MessagesParts): Step {
  const retention = new SetAsideRetention({
    db,
    clock,
    bounds: { ageMs: journal.setAsideMs, bytes: journal.setAsideBytes },
    soon: ({ tenantId, rows, bytes, oldestAt }) =>
      log.warn(
        { tenant_id: tenantId, rows, bytes, oldest: rfc3339(oldestAt) },
        'what came in and was set aside will be dropped before long, the oldest first: see `wuts journal export`',
      ),
    dropped: ({ tenantId, rows }) => {
      metrics.setAsideDropped.inc(rows);
      log.warn({ tenant_id: tenantId, rows }, 'what came in and was set aside was dropped, the oldest first');
    },
    failed: (err) => log.error({ err }, 'what was set aside could not be looked through'),
  });
  return { name: 'set aside', start: () => retention.start(), stop: () => retention.stop() };
}

async function concludeInterrupted(
  { tenantIds, log }: MessagesParts,
  archive: MessageArchive,
): Promise<void> {
  for (const id of await tenantIds()) {
    const concluded = await archive.outbound.concludeInterrupted(id);
    if (concluded.sent + concluded.uncertain > 0) {
      log.warn({ tenant_id: id, ...concluded }, 'messages were on their way out when the gateway stopped');
    }
  }
}
