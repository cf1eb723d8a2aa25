/**
 * The composition root, read as a table of contents: each room brings its own parts (`<room>/composition.ts`),
 * takes the rooms it needs, and gives steps for the list at the end. `gateway.ts` starts and stops that list.
 */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Kysely } from 'kysely';
import { composeActions } from './actions/composition.ts';
import { composeApi } from './api/composition.ts';
import type { Listening } from './api/listening.ts';
import { composeBusiness } from './business/composition.ts';
import { composeCalls } from './calls/composition.ts';
import { composeChats } from './chats/composition.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Config, WHATSAPP_NETWORK_URL } from './config.ts';
import { composeContacts } from './contacts/composition.ts';
import { composeDeviceSettings, settingsStore } from './device-settings/composition.ts';
import { composeDevices } from './devices/composition.ts';
import type { Devices } from './devices/devices.ts';
import { composeEvents } from './events/composition.ts';
import type { EventFeed } from './events/feed.ts';
import type { EventOutbox } from './events/outbox.ts';
import { composeGroups } from './groups/composition.ts';
import { composeLabels } from './labels/composition.ts';
import { composeMedia } from './media/composition.ts';
import { AccountFiles } from './media/download/account-files.ts';
import { MediaLinks } from './media/links.ts';
import type { MediaService } from './media/service.ts';
import type { MessageArchive } from './messages/archive.ts';
import { composeMessages } from './messages/composition.ts';
import { findMessages } from './messages/visible.ts';
import { composeMoving } from './moving/composition.ts';
import { composeNet } from './net/composition.ts';
import { composeNewsletters } from './newsletters/composition.ts';
import { createLog, type Log } from './observability/log.ts';
import { createMetrics } from './observability/metrics.ts';
import { openStorage, type StoreOverrides } from './open-storage.ts';
import { composeProfile } from './profile/composition.ts';
import { composeProxies } from './proxies/composition.ts';
import { composeQuotas } from './quotas/composition.ts';
import { composeSending } from './sending/composition.ts';
import type { Steps } from './steps.ts';
import { StoredCredentials } from './storage/credentials.ts';
import { databaseAnswers } from './storage/database.ts';
import { journalSize } from './storage/journal.ts';
import type { Database } from './storage/schema.ts';
import { Scratch } from './storage/scratch.ts';
import { storageSizes } from './storage/sizes.ts';
import type { Vault } from './storage/vault.ts';
import { composeStories } from './stories/composition.ts';
import { composeTenancy, type TenancyRoom } from './tenancy/composition.ts';
import type { Tenants } from './tenancy/tenants.ts';
import { composeWebhooks } from './webhooks/composition.ts';
import { heldSessions } from './whatsapp/baileys/moving/moving.ts';
import { wireCodec } from './whatsapp/baileys/parse/wire-codec.ts';
import { createBaileysSessionFactory } from './whatsapp/baileys/session.ts';
import type { SessionFactory } from './whatsapp/port/session.ts';

/** What a test may put in place of the real thing. */
export interface Overrides extends StoreOverrides {
  clock?: Clock;
  log?: Log;
  createSession?: SessionFactory;
}

/** For the command line, and for tests that look at what no answer shows. */
export interface GatewayParts {
  db: Kysely<Database>;
  vault: Vault;
  tenants: Tenants;
  deletions: TenancyRoom['deletions'];
  devices: Devices;
  archive: MessageArchive;
  media: MediaService;
  events: EventOutbox;
  feed: EventFeed;
  app: FastifyInstance;
}

export interface Composition {
  parts: GatewayParts;
  log: Log;
  /** Where the API answers once it was started. */
  listening: Listening;
  /** Everything that runs, in the order of its start. */
  steps: Steps;
}

/** Makes every part and ties them together; nothing runs yet. */
export async function compose(config: Config, overrides: Overrides): Promise<Composition> {
  const clock = overrides.clock ?? systemClock;
  const log = overrides.log ?? createLog({ level: config.logLevel, format: config.logFormat });
  const logOf = (part: string): Log => log.child({ part });
  const metrics = createMetrics();
  const storage = await openStorage(config, { log, clock }, overrides);
  const { db, vault, blobs } = storage;
  /** What nearly every room stands on. */
  const ground = { db, clock };
  const { network, allowNetworks, publicUrl, encryptionKey, dataDir } = config;
  const net = composeNet({
    caFile: network.caFile,
    defaultNetwork: network.url === WHATSAPP_NETWORK_URL,
    allowNetworks,
  });
  const quotas = composeQuotas({ ...ground, settings: config.quotas, dataDir });
  const { stock } = quotas;
  const { masterToken } = config;
  const tenancy = composeTenancy({ ...ground, masterToken, quotas: stock, log: logOf('tenancy') });
  const { authentication, tenants } = tenancy;
  const tenantIds = async (): Promise<string[]> => (await tenants.list()).map(({ id }) => id);
  const { urlTtlMs: ttlMs } = config.media;
  const mediaUrls = new MediaLinks({ ...ground, encryptionKey, publicUrl, ttlMs });
  const { retention } = config;
  const events = composeEvents({ ...ground, vault, log: logOf('events'), retention, mediaUrls });
  const { notices } = events;
  const proxies = composeProxies({ ...ground, vault, network, allowNetworks });
  const settingsOf = settingsStore(db);
  const linked = composeDevices({
    ...ground,
    quotas: stock,
    log: logOf('devices'),
    events: events.outbox,
    deletions: tenancy.deletions,
    createSession: overrides.createSession ?? engine(),
    routeOf: (device) => proxies.routes.of(device),
    showsReading: async (device) => (await settingsOf.of(device)).showsReading,
    mayAppear: async (device) => (await settingsOf.of(device)).presence !== 'offline',
    identityOf: heldSessions.identityOf,
    credentialsFor: (device) => new StoredCredentials({ ...ground, vault, device }),
    tenantIds,
    callerOf: (tenantId, userId) => authentication.callerById(tenantId, userId),
  });
  const { devices, onConnected } = linked;
  const media = composeMedia({
    ...ground,
    blobs,
    vault,
    log: logOf('media'),
    events: events.outbox,
    settings: { ...config.media, cachedBytesOfTenant: config.quotas.cachedBytes },
    http: net.mediaHttp,
    guarded: net.guarded,
    scratch: new Scratch(join(dataDir, 'scratch')),
    ffmpeg: config.ffmpeg,
    pictures: config.pictures,
    messages: async (caller, name) =>
      (await findMessages({ archive: messages.archive, devices }, caller, name)).map(({ rowId }) => rowId),
    sessions: {
      forDevice: (deviceId) => devices.openSession(deviceId),
      notReady: (tenantId, deviceId) => devices.notReady(tenantId, deviceId),
    },
    furtherFile: async ({ tenantId, rowId }, index) =>
      (await messages.archive.contents.furtherFiles({ tenantId, rowId }))[index - 1] ?? null,
  });
  const messages = composeMessages({
    ...ground,
    mediaUrls,
    vault,
    log: logOf('messages'),
    codec: wireCodec,
    events: events.outbox,
    notices,
    devices,
    media: media.service,
    journal: config.journal,
    metrics,
    tenantIds,
  });
  const { archive, finder, onBothNames } = messages;
  const sending = composeSending({
    ...ground,
    outcomes: metrics.sends,
    vault,
    log: logOf('jobs'),
    events: events.outbox,
    devices,
    archive,
    media: media.outbound,
    uploads: media.uploads,
    waiting: quotas.waiting,
    tenantIds,
    callerOf: (job) => authentication.callerById(job.tenantId, job.userId),
    folder: join(dataDir, 'outbox'),
    maxBytes: config.media.maxBytes,
    settings: config.sending,
  });
  const { recipients } = sending;
  const calls = composeCalls({
    ...ground,
    log: logOf('calls'),
    notices,
    devices,
    recipients,
    sending: sending.pipeline,
    ownerOf: ({ tenantId, userId }) => authentication.callerById(tenantId, userId),
  });
  const actions = composeActions({
    clock,
    devices,
    archive,
    media: media.service,
    recipients,
    sending: sending.pipeline,
  });
  const { labels } = composeLabels({ ...ground, notices, onBothNames, devices, archive, recipients });
  const groups = composeGroups({
    ...ground,
    log: logOf('groups'),
    notices,
    devices,
    finder,
    recipients,
    sending: sending.pipeline,
    media: media.outbound,
    onConnected,
  });
  const contacts = composeContacts({
    ...ground,
    devices,
    chats: archive.chats,
    sending,
    http: net.mediaHttp,
    notices,
    onBothNames,
    groups: groups.store,
  });
  const stories = composeStories({
    ...ground,
    finder,
    log: logOf('stories'),
    devices,
    archive,
    recipients,
    media: media.outbound,
    contacts: (device) => contacts.contacts.saved(device),
  });
  const chats = composeChats({
    ...ground,
    log: logOf('chats'),
    notices,
    devices,
    messages,
    sending,
    tenantIds,
  });
  const webhooks = composeWebhooks({
    ...ground,
    quotas: stock,
    mediaUrls,
    vault,
    log: logOf('webhooks'),
    client: net.guarded,
    allowNetworks,
    registry: metrics.registry,
    store: events.store,
    settings: config.webhooks,
    retention,
    events: events.outbox,
    devices,
  });
  const settings = composeDeviceSettings({
    store: settingsOf,
    clock,
    log: logOf('settings'),
    devices,
    onConnected,
    ignored: () => metrics.inboundMessages.inc({ outcome: 'ignored' }),
  });

  linked.subscribe({
    ...messages.reports,
    ...settings.entrance.guard(messages.reports),
    ...stories.resending.guard(messages.reports),
    ...groups.reports,
    ...contacts.reports,
    ...chats.reports,
    ownRead: async (device, read) => {
      await chats.reports.ownRead(device, read);
      await stories.inbox.sawElsewhere(device, read);
    },
    mediaRetry: (device, answer) => media.service.handleRetryAnswer(device, answer),
  });
  tenancy.files({
    blob: (tenantId, sha256) => media.service.cache.drop(tenantId, sha256),
    kept: sending.dropFile,
  });
  tenancy.beforeLeaving((tenantId, userId) => devices.release(tenantId, userId));
  metrics.setDeviceCounter(() => tenants.devicesByState());
  metrics.setJobCounter(() => sending.openJobs());
  metrics.setStorageSizes(() => storageSizes(dataDir));
  metrics.setLimitCounter(() => tenants.limitedDevices(clock.now()));
  metrics.setJournalCounter(() => journalSize(db));

  const moving = composeMoving({ devices, uploads: media.uploads, clock, reader: heldSessions });
  const { app, listening } = await composeApi({
    config,
    clock,
    log: logOf('http'),
    metrics,
    databaseAnswers: () => databaseAnswers(db),
    quotas,
    quotasOf: async (tenantId) => ({
      ...(await stock.usage(db, tenantId)),
      ...(await quotas.waiting.usage(tenantId)),
      cachedBytes: await media.service.cache.usage(tenantId),
    }),
    tenancy,
    devices,
    moving,
    passkeyLinks: linked.passkeyLinks,
    labels,
    events,
    webhooks,
    mediaLinks: mediaUrls,
    media,
    messages,
    business: composeBusiness({ devices, recipients, archive }),
    newsletters: composeNewsletters({
      devices,
      recipients,
      sending: sending.pipeline,
      media: media.outbound,
      clock,
    }),
    stories,
    sending,
    actions,
    groups,
    contacts,
    proxies: proxies.of(devices),
    calls: calls.calls,
    settings: settings.settings,
    profile: composeProfile({ devices, files: media.outbound }),
    chats,
  });

  const steps: Steps = [
    storage.step,
    net.clients,
    listening.connections,
    messages.interrupted,
    [
      tenancy.step,
      storage.statistics,
      media.step,
      events.retention,
      messages.search,
      messages.setAside,
      webhooks.step,
      groups.onConnect,
      chats.clearing,
      linked.step,
      sending.jobs,
      calls.step,
      settings.step,
      sending.unknownEnds,
      stories.distribution,
      stories.retention,
      moving.step,
    ],
    listening.requests,
  ];
  const { deletions } = tenancy;
  const { outbox, feed } = events;
  const parts = { db, vault, tenants, deletions, devices, archive, events: outbox, feed, app };
  return { parts: { ...parts, media: media.service }, log, listening, steps };

  function engine(): SessionFactory {
    const timeoutMs = config.media.downloadTimeoutMs;
    const { unseenCiphertexts, unreadable } = metrics;
    return createBaileysSessionFactory({
      network,
      log: logOf('whatsapp'),
      clock,
      accountFiles: new AccountFiles({ http: net.mediaHttp, clock, blobs, timeoutMs }),
      unseenCiphertexts,
      unreadable,
    });
  }
}
