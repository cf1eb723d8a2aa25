/** The composition root: makes the parts and ties them together. `gateway.ts` starts and stops them. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Kysely } from 'kysely';
import { Deleting } from './actions/deleting.ts';
import { Editing } from './actions/editing.ts';
import { Forwarding } from './actions/forwarding.ts';
import { HeldMessages } from './actions/held-messages.ts';
import { HistoryRequests } from './actions/history-request.ts';
import { Pinning } from './actions/pinning.ts';
import { OutgoingReceipts } from './actions/receipts.ts';
import { Starring } from './actions/starring.ts';
import { apiRoutes, TAGS } from './api/routes/index.ts';
import { buildServer, type Lifecycle } from './api/server.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Config, ConfigError, WHATSAPP_NETWORK_URL } from './config.ts';
import { Devices } from './devices/devices.ts';
import { EventFeed } from './events/feed.ts';
import { NoticeEvents } from './events/notices.ts';
import { EventOutbox } from './events/outbox.ts';
import { EventReader } from './events/reader.ts';
import { EventRetention } from './events/retention.ts';
import { EventStore } from './events/store.ts';
import { AccountFiles } from './media/account-files.ts';
import { counted } from './media/counted.ts';
import { isMediaKind } from './media/keys.ts';
import { OutboundFiles } from './media/outbound.ts';
import { Ffmpeg } from './media/prepare/ffmpeg.ts';
import { MediaService } from './media/service.ts';
import { Uploads } from './media/uploads.ts';
import { MessageArchive } from './messages/archive.ts';
import { MessageFinder } from './messages/finding/finder.ts';
import { WordIndex } from './messages/finding/word-index.ts';
import { MessageHistory } from './messages/history.ts';
import { PollResults } from './messages/poll-results.ts';
import { markStarred } from './messages/stars.ts';
import { MessageStatuses } from './messages/status.ts';
import { GuardedClient } from './net/guarded-client.ts';
import { MediaHttp } from './net/media-http.ts';
import { createLog, type Log } from './observability/log.ts';
import { createMetrics, type Metrics } from './observability/metrics.ts';
import { Idempotency } from './sending/idempotency.ts';
import type { JobRunner } from './sending/jobs/job-runner.ts';
import { sendsForLater } from './sending/jobs/sends-for-later.ts';
import { Pacing } from './sending/pacing.ts';
import { Sending } from './sending/pipeline.ts';
import { Recipients } from './sending/recipients.ts';
import { FolderBlobStore } from './storage/blobs.ts';
import { assertKeyFits, journalSize, StoredCredentials } from './storage/credentials.ts';
import {
  type DatabaseOptions,
  databaseAnswers,
  migrateToLatest,
  openDatabase,
  recoverLog,
} from './storage/database.ts';
import type { Database } from './storage/schema.ts';
import { Vault, VaultError } from './storage/vault.ts';
import { Authentication } from './tenancy/authentication.ts';
import { Tenants } from './tenancy/tenants.ts';
import { Users } from './tenancy/users.ts';
import { VERSION } from './version.ts';
import { Webhooks } from './webhooks/webhooks.ts';
import { wireCodec } from './whatsapp/baileys/parse/wire-codec.ts';
import { createBaileysSessionFactory } from './whatsapp/baileys/session.ts';
import type { SessionFactory } from './whatsapp/port/session.ts';

/** What a test may put in place of the real thing. */
export interface Overrides {
  clock?: Clock;
  log?: Log;
  createSession?: SessionFactory;
  /** How the database's log is put on the disk. */
  syncFile?: DatabaseOptions['syncFile'];
  /** The disk refused to keep what was written: the process must end. */
  onStoreLost?: () => void;
}

export interface GatewayParts {
  db: Kysely<Database>;
  vault: Vault;
  metrics: Metrics;
  authentication: Authentication;
  tenants: Tenants;
  users: Users;
  devices: Devices;
  archive: MessageArchive;
  media: MediaService;
  events: EventOutbox;
  eventStore: EventStore;
  feed: EventFeed;
  retention: EventRetention;
  webhooks: Webhooks;
  words: WordIndex;
  jobRunner: JobRunner;
  app: FastifyInstance;
}

export interface Composition {
  parts: GatewayParts;
  log: Log;
  lifecycle: Lifecycle;
  /** Gives back connections and files, after the parts were stopped. */
  release(): Promise<void>;
}

/**
 * Media inside a JSON body is held in memory several times over (bytes, text, parsed text), so it is
 * capped below what a URL may bring. Base64 is a third longer than what it says.
 */
const INLINE_MEDIA_BYTES = 64 * 1024 ** 2;
const bodyLimitFor = (mediaBytes: number): number =>
  Math.ceil((Math.min(mediaBytes, INLINE_MEDIA_BYTES) * 4) / 3) + 64 * 1024;

/** Makes every part and ties them together; nothing runs yet. */
export async function compose(config: Config, overrides: Overrides): Promise<Composition> {
  const clock = overrides.clock ?? systemClock;
  const log = overrides.log ?? createLog({ level: config.logLevel, format: config.logFormat });
  const db = await openStore(config, log, overrides);
  const vault = new Vault(config.encryptionKey);
  await demandKey(db, vault);
  const metrics = createMetrics();
  const { network } = config;
  const mediaHttp = new MediaHttp({
    caFile: network.caFile,
    defaultNetwork: network.url === WHATSAPP_NETWORK_URL,
  });
  const guarded = new GuardedClient({ allowNetworks: config.allowNetworks });

  const eventStore = new EventStore(db);
  const feed = new EventFeed({ store: eventStore, log: log.child({ part: 'events' }) });
  const webhooks = new Webhooks({
    db,
    vault,
    clock,
    log: log.child({ part: 'webhooks' }),
    client: guarded,
    allowNetworks: config.allowNetworks,
    registry: metrics.registry,
    store: eventStore,
    settings: config.webhooks,
    events: () => events,
    devices: () => devices,
  });
  const events: EventOutbox = new EventOutbox({
    clock,
    subscribers: webhooks.subscribers,
    onCommitted: () => {
      feed.wake();
      webhooks.committed();
    },
  });
  const reader = new EventReader({ store: eventStore, feed, clock });
  const notices = new NoticeEvents({ db, events });
  const retention = new EventRetention({
    db,
    clock,
    log: log.child({ part: 'events' }),
    settings: config.retention,
  });
  const blobs = new FolderBlobStore(join(config.dataDir, 'blobs'));
  const media = new MediaService({
    db,
    blobs,
    vault,
    clock,
    log: log.child({ part: 'media' }),
    events,
    settings: config.media,
    http: mediaHttp,
    sessions: { forDevice: (deviceId) => devices.openSession(deviceId) },
  });
  const archive = new MessageArchive({
    db,
    vault,
    clock,
    codec: wireCodec,
    events,
    onStored: (message) => {
      if (isMediaKind(message.kind)) media.prefetch(message.rowId);
    },
  });
  const history = new MessageHistory({ db, archive, events });
  const accountFiles = new AccountFiles({
    http: mediaHttp,
    clock,
    blobs,
    timeoutMs: config.media.downloadTimeoutMs,
  });
  const authentication = new Authentication(db, config.masterToken);
  const tenants = new Tenants({
    db,
    clock,
    beforeDelete: (tenantId) => devices.release(tenantId),
    afterDelete: () => authentication.forget(),
  });
  const users = new Users({
    db,
    clock,
    beforeDelete: (tenantId, userId) => devices.release(tenantId, userId),
    changed: () => authentication.forget(),
  });
  const devices: Devices = new Devices({
    db,
    clock,
    log: log.child({ part: 'devices' }),
    createSession:
      overrides.createSession ??
      createBaileysSessionFactory({
        network,
        log: log.child({ part: 'whatsapp' }),
        clock,
        accountFiles,
        unseenCiphertexts: metrics.unseenCiphertexts,
      }),
    credentialsFor: (device) => new StoredCredentials({ db, vault, clock, device }),
    loadSentMessage: (device, chat, id) => archive.loadSentMessage(device, chat, id),
    events,
    handlers: {
      message: async (device, message) => {
        const stored = await archive.storeInbound(device, message);
        metrics.inboundMessages.inc({ outcome: stored ? 'stored' : 'known' });
      },
      receipt: (device, receipt) => archive.applyReceipt(device, receipt),
      mediaRetry: (device, notice) => media.handleRetryNotice(device, notice),
      notice: async (device, notice, cause) => {
        if (notice.name === 'message.starred') await markStarred(db, device, notice, clock.now());
        await notices.notice(device, notice, cause);
      },
      history: (device, batch) => history.store(device, batch),
    },
    tenantIds: async () => (await tenants.list()).map((tenant) => tenant.id),
  });
  const uploads = new Uploads();
  const outbound = new OutboundFiles({
    client: guarded,
    http: mediaHttp,
    cache: media.cache,
    maxBytes: config.media.maxBytes,
    urlTimeoutMs: config.media.downloadTimeoutMs,
    ffmpeg: new Ffmpeg(config.ffmpeg),
    uploads,
  });
  const recipients = new Recipients({ clock });
  const pacing = new Pacing({ clock, settings: config.sending.pace });
  const sending = new Sending({ devices, archive, recipients, media: outbound, clock, pacing });
  const held = new HeldMessages({ devices, archive, recipients });
  const editing = new Editing({ held, archive, clock });
  const deleting = new Deleting({ held, archive, clock });
  const forwarding = new Forwarding({ held, archive, media, sending });
  const pinning = new Pinning({ held, archive, clock });
  const receipts = new OutgoingReceipts({ devices, archive, clock });
  const historyRequests = new HistoryRequests({ devices, archive });
  const statuses = new MessageStatuses({ db, archive, devices });
  const words = new WordIndex({ db, clock, log: log.child({ part: 'search' }) });
  const polls = new PollResults({ db, archive, devices });
  const finder = new MessageFinder({ db, archive, devices, words });
  const idempotency = new Idempotency({ db, clock });
  const later = sendsForLater({
    db,
    vault,
    clock,
    log: log.child({ part: 'jobs' }),
    events,
    devices,
    sending,
    uploads,
    folder: join(config.dataDir, 'outbox'),
    maxBytes: config.media.maxBytes,
    callerOf: (job) => authentication.callerById(job.tenantId, job.userId),
    settings: config.sending,
  });
  metrics.setDeviceCounter(() => tenants.devicesByState());
  metrics.setLimitCounter(() => tenants.limitedDevices(clock.now()));
  metrics.setJournalCounter(() => journalSize(db));

  const lifecycle: Lifecycle = { phase: 'starting' };
  const bodyLimit = bodyLimitFor(config.media.maxBytes);
  const app = await buildServer({
    log: log.child({ part: 'http' }),
    clock,
    authenticator: authentication,
    lifecycle,
    metrics,
    version: VERSION,
    publicUrl: config.publicUrl,
    tags: TAGS,
    routes: (server) =>
      apiRoutes(server, {
        platform: { lifecycle, metrics, version: VERSION, databaseAnswers: () => databaseAnswers(db) },
        usersAndAdmin: { tenants, users },
        instances: { devices, clock, webhookUrls: webhooks.endpoints },
        webhooks,
        events: { reader, devices, authenticator: authentication },
        messages: {
          ...later,
          sending,
          editing,
          deleting,
          forwarding,
          pinning,
          starring: new Starring(held),
          statuses,
          finder,
          polls,
          receipts,
          history: historyRequests,
          media: counted(media, (outcome) => metrics.mediaRequests.inc({ outcome })),
          idempotency,
          clock,
          uploads,
          bodyLimit,
          mediaBodyLimit: bodyLimit,
          uploadLimit: config.media.maxBytes,
        },
      }),
  });
  const release = async (): Promise<void> => {
    await Promise.allSettled([mediaHttp.close(), guarded.close()]);
    await db.destroy();
  };
  const parts: GatewayParts = {
    db,
    vault,
    metrics,
    authentication,
    tenants,
    users,
    devices,
    archive,
    media,
    events,
    eventStore,
    feed,
    retention,
    webhooks,
    words,
    jobRunner: later.runner,
    app,
  };
  return { parts, log, lifecycle, release };
}

async function openStore(
  config: Config,
  log: Log,
  { syncFile, onStoreLost }: Overrides,
): Promise<Kysely<Database>> {
  const db = await openDatabase({
    dataDir: config.dataDir,
    sync: config.databaseSync,
    syncFile,
    onSyncFailed: (failure) => {
      log.error(
        { err: failure },
        'the disk refused to keep what was written: nothing is acknowledged any more until the gateway starts anew',
      );
      onStoreLost?.();
    },
  });
  recoverLog(db);
  const applied = await migrateToLatest(db);
  if (applied.length > 0) log.info({ migrations: applied }, 'the database was migrated');
  return db;
}

/** A wrong key would otherwise show as devices that cannot log in, one after the other. */
async function demandKey(db: Kysely<Database>, vault: Vault): Promise<void> {
  try {
    await assertKeyFits(db, vault);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw new ConfigError(['the encryption key is not the one this database was encrypted with']);
  }
}
