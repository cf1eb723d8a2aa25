/** Every event there is: what causes it, what its `data` looks like, an example. */
import { LABEL_EVENTS, PRIVACY_EVENTS, SETTINGS_EVENTS, SYNC_EVENTS } from './catalogue/account.ts';
import { CALL_EVENTS } from './catalogue/call.ts';
import { CHAT_EVENTS, CONTACT_EVENTS } from './catalogue/contact.ts';
import { AUTHENTICATION_EVENTS, CONNECTION_EVENTS, DEVICE_EVENTS } from './catalogue/device.ts';
import { GROUP_EVENTS, NEWSLETTER_EVENTS } from './catalogue/group.ts';
import { MESSAGE_EVENTS } from './catalogue/message.ts';
import type { EventName } from './catalogue/names.ts';
import type { CatalogueEntry } from './catalogue/parts.ts';
import { SENDING_EVENTS } from './catalogue/sending.ts';
import { STORY_EVENTS } from './catalogue/story.ts';
import { WEBHOOK_EVENTS } from './catalogue/webhook.ts';

export type { CatalogueEntry } from './catalogue/parts.ts';

const ENTRIES = {
  ...MESSAGE_EVENTS,
  ...STORY_EVENTS,
  ...DEVICE_EVENTS,
  ...CONNECTION_EVENTS,
  ...CONTACT_EVENTS,
  ...CHAT_EVENTS,
  ...GROUP_EVENTS,
  ...CALL_EVENTS,
  ...AUTHENTICATION_EVENTS,
  ...PRIVACY_EVENTS,
  ...SETTINGS_EVENTS,
  ...LABEL_EVENTS,
  ...NEWSLETTER_EVENTS,
  ...SYNC_EVENTS,
  ...SENDING_EVENTS,
  ...WEBHOOK_EVENTS,
};

/** A name that is missing or too many is a type error. */
export const EVENT_CATALOGUE: Readonly<Record<EventName, CatalogueEntry>> = ENTRIES satisfies Record<
  EventName,
  unknown
>;

/** The example `data` of each event, with its own type. */
export type EventData<N extends EventName> = (typeof ENTRIES)[N]['example'];
