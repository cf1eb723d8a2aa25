/** The API's table of contents: its tags, in the order of the documentation, each with its folder. */
import type { FastifyInstance } from 'fastify';
import { passkeyPage } from '../passkey-page/index.ts';
import { type BusinessParts, businessRoutes } from './business/index.ts';
import { type CallsParts, callsRoutes } from './calls/index.ts';
import { type ChatsParts, chatsRoutes } from './chats/index.ts';
import { type ContactsParts, contactsRoutes } from './contacts/index.ts';
import { type EventsParts, eventsRoutes } from './events/index.ts';
import { type GroupsParts, groupsRoutes } from './groups/index.ts';
import { type InstancesParts, instancesRoutes } from './instances/index.ts';
import { type MovingParts, movingRoutes } from './instances/moving.ts';
import { type SettingsParts, settingsRoutes } from './instances/settings.ts';
import { type LabelsParts, labelsRoutes } from './labels/index.ts';
import { type MessagesParts, messagesRoutes } from './messages/index.ts';
import { type NewslettersParts, newslettersRoutes } from './newsletters/index.ts';
import { type PaymentsParts, paymentsRoutes } from './payments/index.ts';
import { type PlatformParts, platformRoutes } from './platform/index.ts';
import { type ProfileParts, profileRoutes } from './profile/index.ts';
import { type ProxyParts, proxyRoutes } from './proxy/index.ts';
import { type StatusParts, statusRoutes } from './status/index.ts';
import { type UsersAndAdminParts, usersAndAdminRoutes } from './users-and-admin/index.ts';
import { type WebhooksParts, webhooksRoutes } from './webhooks/index.ts';

/** What each tag calls. */
export interface ApiParts {
  calls: CallsParts;
  chats: ChatsParts;
  groups: GroupsParts;
  contacts: ContactsParts;
  instances: InstancesParts;
  deviceSettings: SettingsParts;
  moving: MovingParts;
  labels: LabelsParts;
  messages: MessagesParts;
  newsletters: NewslettersParts;
  business: BusinessParts;
  payments: PaymentsParts;
  profile: ProfileParts;
  proxy: ProxyParts;
  status: StatusParts;
  usersAndAdmin: UsersAndAdminParts;
  webhooks: WebhooksParts;
  events: EventsParts;
  platform: PlatformParts;
}

interface Tag {
  name: string;
  description: string;
  register(app: FastifyInstance, parts: ApiParts): PromiseLike<unknown>;
}

/** A new tag is a folder beside this file and an entry here. */
export const TAGS: readonly Tag[] = [
  {
    name: 'calls',
    description: 'Refusing calls',
    register: (app, { calls }) => app.register(callsRoutes, calls),
  },
  {
    name: 'chats',
    description: 'The list of chats, settings of each, presence',
    register: (app, { chats }) => app.register(chatsRoutes, chats),
  },
  {
    name: 'contacts',
    description: 'People: who is on WhatsApp, and what is known of them',
    register: (app, { contacts }) => app.register(contactsRoutes, contacts),
  },
  {
    name: 'groups',
    description: 'Groups, their members and invites, and communities',
    register: (app, { groups }) => app.register(groupsRoutes, groups),
  },
  {
    name: 'instances',
    description: 'Linked devices: pairing, state, connecting',
    register: async (app, { instances, moving, deviceSettings, profile }) => {
      await app.register(instancesRoutes, instances);
      await app.register(movingRoutes, moving);
      await app.register(passkeyPage, instances);
      await app.register(settingsRoutes, deviceSettings);
      await app.register(profileRoutes, profile);
    },
  },
  {
    name: 'labels',
    description: 'Labels of business accounts, and what has them',
    register: (app, { labels }) => app.register(labelsRoutes, labels),
  },
  {
    name: 'messages',
    description: 'Sending, editing, media, delivery status',
    register: (app, { messages }) => app.register(messagesRoutes, messages),
  },
  {
    name: 'newsletters',
    description: 'Channels and their posts',
    register: (app, { newsletters }) => app.register(newslettersRoutes, newsletters),
  },
  {
    name: 'business',
    description: 'What businesses sell and say of themselves',
    register: (app, { business }) => app.register(businessRoutes, business),
  },
  {
    name: 'payments',
    description: 'Asking for money, and the answers to it',
    register: (app, { payments }) => app.register(paymentsRoutes, payments),
  },
  {
    name: 'proxy',
    description: 'The way to WhatsApp: proxies of the tenant and of devices',
    register: (app, { proxy }) => app.register(proxyRoutes, proxy),
  },
  {
    name: 'status',
    description: 'Stories, and who sees them',
    register: (app, { status }) => app.register(statusRoutes, status),
  },
  {
    name: 'users-and-admin',
    description: 'Tenants, users, roles and tokens',
    register: (app, { usersAndAdmin }) => app.register(usersAndAdminRoutes, usersAndAdmin),
  },
  {
    name: 'webhooks',
    description: 'Events, pushed',
    register: (app, { webhooks }) => app.register(webhooksRoutes, webhooks),
  },
  {
    name: 'events',
    description: 'Events, pulled',
    register: (app, { events }) => app.register(eventsRoutes, events),
  },
  {
    name: 'platform',
    description: 'Probes, metrics and version',
    register: (app, { platform }) => app.register(platformRoutes, platform),
  },
];

/** Registers every operation there is. */
export async function apiRoutes(app: FastifyInstance, parts: ApiParts): Promise<void> {
  for (const tag of TAGS) await tag.register(app, parts);
}
