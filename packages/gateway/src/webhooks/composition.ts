/** Webhooks: endpoints, and the deliveries of events to them. */
import type { EventOutbox } from '../events/outbox.ts';
import type { Step } from '../steps.ts';
import { Webhooks, type WebhooksParts } from './webhooks.ts';

/** Its worker gives attempts that are under way 2.5 s. */
const STOP_MS = 3000;

export interface WebhooksRoom {
  webhooks: Webhooks;
  step: Step;
}

export function composeWebhooks(
  parts: Omit<WebhooksParts, 'events'> & { events: EventOutbox },
): WebhooksRoom {
  const webhooks = new Webhooks(parts);
  parts.events.subscribe(webhooks);
  return {
    webhooks,
    step: { name: 'webhooks', start: () => webhooks.start(), stop: () => webhooks.stop(), stopMs: STOP_MS },
  };
}
