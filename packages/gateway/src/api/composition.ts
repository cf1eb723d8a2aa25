/** The HTTP server: every operation with the parts it calls. */
import type { FastifyInstance } from 'fastify';
import type { ActionsRoom } from '../actions/composition.ts';
import type { BusinessRoom } from '../business/composition.ts';
import type { Calls } from '../calls/calls.ts';
import type { ChatsRoom } from '../chats/composition.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { ContactsRoom } from '../contacts/composition.ts';
import type { Settings } from '../device-settings/settings.ts';
import type { Devices } from '../devices/devices.ts';
import type { PasskeyLinks } from '../devices/passkey-links.ts';
import type { EventsRoom } from '../events/composition.ts';
import type { GroupsRoom } from '../groups/composition.ts';
import type { Labels } from '../labels/labels.ts';
import type { MediaRoom } from '../media/composition.ts';
import { counted } from '../media/counted.ts';
import type { MediaLinks } from '../media/links.ts';
import { MOST_INLINE_CHARACTERS } from '../media/outgoing/base64.ts';
import type { MessagesRoom } from '../messages/composition.ts';
import type { MovingRoom } from '../moving/composition.ts';
import type { NewslettersRoom } from '../newsletters/composition.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { ProfileRoom } from '../profile/composition.ts';
import type { Proxies } from '../proxies/proxies.ts';
import type { QuotasRoom } from '../quotas/composition.ts';
import type { SendingRoom } from '../sending/composition.ts';
import type { StoriesRoom } from '../stories/composition.ts';
import type { TenancyRoom } from '../tenancy/composition.ts';
import { VERSION } from '../version.ts';
import type { WebhooksRoom } from '../webhooks/composition.ts';
import { Listening } from './listening.ts';
import { LARGEST_JSON_BYTES } from './request/json-measure.ts';
import { apiRoutes, TAGS } from './routes/index.ts';
import type { Counted } from './routes/users-and-admin/index.ts';
import { buildServer, type Lifecycle } from './server.ts';

export interface ApiRoom {
  app: FastifyInstance;
  listening: Listening;
}

/** One file of the largest size, and what else a body may hold. */
const BODY_LIMIT = MOST_INLINE_CHARACTERS + LARGEST_JSON_BYTES;

export async function composeApi(parts: {
  config: Config;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  databaseAnswers(): Promise<boolean>;
  quotas: QuotasRoom;
  /** What a tenant has of each lasting thing. */
  quotasOf(tenantId: string): Promise<Counted>;
  tenancy: TenancyRoom;
  devices: Devices;
  moving: MovingRoom;
  passkeyLinks: PasskeyLinks;
  events: EventsRoom;
  webhooks: WebhooksRoom;
  media: MediaRoom;
  mediaLinks: MediaLinks;
  messages: MessagesRoom;
  newsletters: NewslettersRoom;
  business: BusinessRoom;
  stories: StoriesRoom;
  sending: SendingRoom;
  actions: ActionsRoom;
  groups: GroupsRoom;
  labels: Labels;
  contacts: ContactsRoom;
  proxies: Proxies;
  calls: Calls;
  settings: Settings;
  profile: ProfileRoom;
  chats: ChatsRoom;
}): Promise<ApiRoom> {
  const { config, clock, metrics, quotas, tenancy, devices, media, sending } = parts;
  const { webhooks } = parts.webhooks;
  const lifecycle: Lifecycle = { phase: 'starting' };
  /** What operations that send a message call. */
  const sends = {
    ...sending.later,
    sending: sending.pipeline,
    idempotency: sending.idempotency,
    uploads: media.uploads,
    clock,
    mediaBodyLimit: BODY_LIMIT,
    uploadLimit: config.media.maxBytes,
  };
  const app = await buildServer({
    log: parts.log,
    clock,
    authenticator: tenancy.authentication,
    lifecycle,
    quotas,
    metrics,
    strict: config.strict,
    version: VERSION,
    publicUrl: config.publicUrl,
    tags: TAGS,
    routes: (server) =>
      apiRoutes(server, {
        platform: {
          lifecycle,
          metrics,
          version: VERSION,
          databaseAnswers: parts.databaseAnswers,
          disk: quotas.disk,
        },
        usersAndAdmin: { ...tenancy, usage: parts.quotasOf, admission: quotas.admission },
        groups: {
          ...parts.groups,
          changes: parts.chats.changes,
          idempotency: sending.idempotency,
          clock,
          uploads: media.uploads,
          inlineFiles: media.inlineFiles,
          mediaBodyLimit: BODY_LIMIT,
        },
        chats: { ...parts.chats, finder: parts.messages.finder },
        contacts: { ...parts.contacts, devices },
        deviceSettings: { settings: parts.settings },
        labels: { labels: parts.labels, idempotency: parts.sending.idempotency },
        instances: {
          devices,
          clock,
          webhookUrls: webhooks.endpoints,
          links: parts.passkeyLinks,
          publicUrl: config.publicUrl,
        },
        moving: {
          ...parts.moving,
          devices,
          uploads: media.uploads,
          inlineFiles: media.inlineFiles,
          mediaBodyLimit: BODY_LIMIT,
        },
        proxy: { proxies: parts.proxies },
        calls: { calls: parts.calls },
        profile: {
          ...parts.profile,
          uploads: media.uploads,
          inlineFiles: media.inlineFiles,
          mediaBodyLimit: BODY_LIMIT,
          uploadLimit: config.media.maxBytes,
        },
        webhooks,
        events: { reader: parts.events.reader, devices, authenticator: tenancy.authentication },
        messages: {
          ...parts.actions,
          ...sends,
          finder: parts.messages.finder,
          statuses: parts.messages.statuses,
          polls: parts.messages.polls,
          links: parts.mediaLinks,
          media: counted(media.service, (outcome) => metrics.mediaRequests.inc({ outcome })),
          inlineFiles: media.inlineFiles,
          bodyLimit: BODY_LIMIT,
        },
        newsletters: {
          ...sends,
          ...parts.actions,
          ...parts.newsletters,
          inlineFiles: media.inlineFiles,
          bodyLimit: BODY_LIMIT,
        },
        business: parts.business,
        payments: sends,
        status: {
          stories: parts.stories.stories,
          operations: sending.later.operations,
          jobs: sending.later.jobs,
          clock,
          inbox: parts.stories.inbox,
          reactions: parts.stories.reactions,
          finder: parts.messages.finder,
          idempotency: sending.idempotency,
          inlineFiles: media.inlineFiles,
          bodyLimit: BODY_LIMIT,
        },
      }),
  });
  return { app, listening: new Listening(app, lifecycle, config) };
}
