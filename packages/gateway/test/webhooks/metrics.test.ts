import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
beforeAll(async () => {
  world = await WebhookWorld.create();
});
afterAll(() => world.destroy());

test('what was attempted, what it came to, and what waits for how long', async () => {
  const good = await world.connected();
  const bad = await world.connected({ retryAttempts: 1 });
  const held = await world.connected();
  const gone = await world.connected();
  bad.receiver.behave = () => 500;
  held.receiver.behave = () => 503;
  gone.receiver.behave = () => 410;
  await world.record(good.device, 'a', 1, 2);
  await world.record(bad.device, 'a', 1);
  await world.pass(5000, 5000);
  await world.record(held.device, 'a', 1, 2);
  await world.record(gone.device, 'a', 1);
  await world.settled();
  world.clock.advance(4000);
  await world.webhooks.endpoints.configure(good.caller, good.device.id, {
    url: good.receiver.url,
    events: ['message.received'],
    enabled: false,
  });
  const text = await world.registry.metrics();
  const lines = text.split('\n').filter((line) => line.startsWith('wuts_webhook'));
  expect(lines).toEqual(
    expect.arrayContaining([
      'wuts_webhook_attempts_total{outcome="success"} 2',
      'wuts_webhook_attempts_total{outcome="status"} 3',
      'wuts_webhook_attempts_total{outcome="gone"} 1',
      'wuts_webhook_deliveries_total{outcome="delivered"} 2',
      'wuts_webhook_deliveries_total{outcome="failed"} 2',
      'wuts_webhook_attempt_duration_seconds_count 6',
      'wuts_webhook_delivery_delay_seconds_count 2',
      'wuts_webhook_pending_deliveries 2',
      'wuts_webhook_oldest_pending_age_seconds 4',
      'wuts_webhook_endpoints{state="active"} 0',
      'wuts_webhook_endpoints{state="failing"} 2',
      'wuts_webhook_endpoints{state="disabled"} 1',
      'wuts_webhook_endpoints{state="gone"} 1',
      'wuts_webhook_endpoints{state="paused"} 0',
    ]),
  );
});
