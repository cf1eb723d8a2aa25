import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINUTE, WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
beforeAll(async () => {
  world = await WebhookWorld.create({ pauseAfterMs: MINUTE, pauseAfterFailures: 2 });
});
afterAll(() => world.destroy());

async function lines(): Promise<string[]> {
  const text = await world.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith('wuts_webhook'));
}

const STATES = ['active', 'failing', 'paused', 'gone', 'disabled'];

test('without webhooks everything is 0', async () => {
  const found = await lines();
  expect(found).toEqual(
    expect.arrayContaining([
      'wuts_webhook_pending_deliveries 0',
      'wuts_webhook_oldest_pending_age_seconds 0',
      ...STATES.map((state) => `wuts_webhook_endpoints{state="${state}"} 0`),
    ]),
  );
});

test('what was attempted, what it came to, and what waits for how long', async () => {
  const good = await world.connected();
  const bad = await world.connected({ retryAttempts: 1 });
  const held = await world.connected();
  const gone = await world.connected();
  const paused = await world.connected({ retryAttempts: 1 });
  const off = await world.connected();
  const disable = ({ caller, device, receiver }: typeof good) =>
    world.configure(caller, device, { url: receiver.url, enabled: false });

  good.receiver.behave = () => {
    world.clock.advance(40);
    return 200;
  };
  await world.record(good.device, 'a', 1);
  await world.untilStates(good.endpoint, 'delivered');
  good.receiver.behave = () => (good.receiver.received.length === 2 ? 500 : 200);
  await world.record(good.device, 'a', 2);
  bad.receiver.behave = () => 500;
  await world.record(bad.device, 'a', 1);
  await world.pass(5000, 5000);
  paused.receiver.behave = () => 500;
  off.receiver.behave = () => 500;
  await world.record(paused.device, 'a', 1);
  await world.settled();
  world.clock.advance(MINUTE);
  await world.untilStates(paused.endpoint, 'failed');
  held.receiver.behave = () => 503;
  await world.record(held.device, 'a', 1, 2);
  gone.receiver.behave = () => 410;
  await world.record(gone.device, 'a', 1);
  await world.record(off.device, 'a', 1);
  await world.settled();
  await disable(off);
  world.clock.advance(4000);
  await disable(good);
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'wuts_webhook_attempts_total{outcome="success"} 2',
      'wuts_webhook_attempts_total{outcome="status"} 7',
      'wuts_webhook_attempts_total{outcome="gone"} 1',
      'wuts_webhook_deliveries_total{outcome="delivered"} 2',
      'wuts_webhook_deliveries_total{outcome="failed"} 3',
      'wuts_webhook_attempt_duration_seconds_bucket{le="0.025"} 9',
      'wuts_webhook_attempt_duration_seconds_bucket{le="0.05"} 10',
      'wuts_webhook_attempt_duration_seconds_sum 0.04',
      'wuts_webhook_attempt_duration_seconds_count 10',
      'wuts_webhook_delivery_delay_seconds_bucket{le="1"} 1',
      'wuts_webhook_delivery_delay_seconds_bucket{le="5"} 2',
      'wuts_webhook_delivery_delay_seconds_sum 5.04',
      'wuts_webhook_delivery_delay_seconds_count 2',
      'wuts_webhook_pending_deliveries 3',
      'wuts_webhook_oldest_pending_age_seconds 4',
      'wuts_webhook_endpoints{state="active"} 0',
      'wuts_webhook_endpoints{state="failing"} 2',
      'wuts_webhook_endpoints{state="disabled"} 2',
      'wuts_webhook_endpoints{state="gone"} 1',
      'wuts_webhook_endpoints{state="paused"} 1',
    ]),
  );
});
