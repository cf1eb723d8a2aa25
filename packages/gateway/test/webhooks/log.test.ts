import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Device } from '../../src/devices/devices.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import type { Json } from '../api/edge.ts';
import type { Receiver } from './receiver.ts';
import { WebhookApi } from './webhook-api.ts';
import { unknownId } from './webhook-world.ts';

let api: WebhookApi;
let receiver: Receiver;
let caller: Caller;
let device: Device;
let webhook: Json;

beforeEach(async () => {
  api = await WebhookApi.create();
  ({ caller, device, receiver, webhook } = await api.shopWithWebhook());
});
afterEach(() => api.destroy());

const get = async (path: string, as = caller) => (await api.call(as, 'GET', path)).body;
const events = (list: Json[]) => list.map((each) => each.event_id);

/** Three deliveries: one delivered, one failed after two attempts, one waiting behind nothing. */
async function history(): Promise<void> {
  const { world } = api;
  await world.record(device, 'a', 1);
  await world.untilStates(webhook, 'delivered');
  receiver.behave = () => 500;
  world.clock.advance(1000);
  await world.recordEvent(device, 'message.read', 'b', { n: 2 });
  await world.settled();
  world.clock.advance(5000);
  await world.untilStates(webhook, 'delivered', 'failed');
  world.clock.advance(1000);
  await world.record(device, 'c', 3);
  await world.settled();
}

test('each failed attempt stands in the log, and whether another follows', async () => {
  await history();
  const lines = api.world.base.logLines.map((line) => JSON.parse(line));
  const failures = lines.filter(({ msg }) => msg.startsWith('a webhook has failed'));
  const line = { endpoint_id: webhook.id, device_id: device.id, status: 500, error: 'status' };
  expect(failures.slice(0, 2)).toMatchObject([
    { ...line, level: 30, attempt: 1, next_attempt_at: expect.any(String) },
    { ...line, level: 40, attempt: 2, msg: 'a webhook has failed for good' },
  ]);
});

describe('GET /webhook/deliveries', () => {
  test('newest first, by state, event, endpoint, device and time', async () => {
    await history();
    const { deliveries: all } = await get('/webhook/deliveries');
    expect(all.map((each: Json) => [each.event, each.state, each.attempts])).toEqual([
      ['message.received', 'pending', 1],
      ['message.read', 'failed', 2],
      ['message.received', 'delivered', 1],
    ]);
    const [third, second, first] = all;
    expect(third).toMatchObject({
      next_attempt_at: expect.any(String),
      waits_for: null,
      finished_at: null,
    });
    expect(first).toMatchObject({
      next_attempt_at: null,
      waits_for: null,
      finished_at: expect.any(String),
    });
    const filtered = async (query: string) => events((await get(`/webhook/deliveries?${query}`)).deliveries);
    expect(await filtered('state=failed')).toEqual(events([second]));
    expect(await filtered('event=message.received')).toEqual(events([third, first]));
    expect(await filtered(`endpoint_id=${webhook.id}`)).toHaveLength(3);
    expect(await filtered('endpoint_id=wh_other')).toEqual([]);
    expect(await filtered(`device_id=${device.id}`)).toHaveLength(3);
    expect(await filtered(`from=${second.created_at}`)).toEqual(events([third, second]));
    expect(await filtered(`to=${second.created_at}`)).toEqual(events([first]));
  });

  test('page by page', async () => {
    for (const n of [1, 2, 3, 4, 5]) {
      if (n % 2 === 1) api.world.clock.advance(1000);
      await api.world.record(device, 'a', n);
    }
    const seen: string[] = [];
    let cursor = '';
    for (;;) {
      const page = await get(`/webhook/deliveries?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...events(page.deliveries));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(new Set(seen).size).toBe(5);
    expect(seen).toEqual(events((await get('/webhook/deliveries')).deliveries));
  });

  test.each([
    'limit=-1',
    'limit=201',
    'state=lost',
    'event=message.unheard',
    'from=yesterday',
    'cursor=abc',
  ])('refuses %s', async (query) => {
    expect((await api.call(caller, 'GET', `/webhook/deliveries?${query}`)).status).toBe(400);
  });

  test('shows what waits for its turn', async () => {
    receiver.behave = () => 500;
    await api.world.record(device, 'a', 1, 2);
    await api.world.settled();
    const { deliveries } = await get('/webhook/deliveries');
    const byWait = deliveries.map((each: Json) => [each.next_attempt_at !== null, each.waits_for]);
    expect(byWait.sort()).toEqual([
      [false, 'order_or_endpoint'],
      [true, null],
    ]);
  });

  test('nothing that has failed waits, also what never had its turn', async () => {
    receiver.behave = () => 410;
    await api.world.record(device, 'a', 1, 2);
    await api.world.untilStates(webhook, 'failed', 'failed');
    const { deliveries } = await get('/webhook/deliveries');
    const ended = { next_attempt_at: null, waits_for: null, finished_at: expect.any(String) };
    expect(deliveries).toMatchObject([ended, ended]);
  });
});

describe('GET /webhook/deliveries/{id}', () => {
  test('with each attempt and the payload', async () => {
    await history();
    const [failed] = (await get('/webhook/deliveries?state=failed')).deliveries;
    const detail = await get(`/webhook/deliveries/${failed.id}`);
    expect(detail.delivery).toEqual(failed);
    expect(detail.attempts).toEqual(
      [1, 2].map((attempt) => ({
        attempt,
        at: expect.any(String),
        took_ms: expect.any(Number),
        status: 500,
        error: 'status',
        response_head: 'answer 500',
      })),
    );
    expect(Date.parse(detail.attempts[1].at) - Date.parse(detail.attempts[0].at)).toBe(5000);
    expect(detail.payload).toEqual(receiver.received[1]?.event);
  });
});

describe('POST /webhook/deliveries/{id}/redeliver', () => {
  test('delivers once more with the same event id', async () => {
    await history();
    receiver.behave = () => 200;
    const [failed] = (await get('/webhook/deliveries?state=failed')).deliveries;
    const again = await api.call(caller, 'POST', `/webhook/deliveries/${failed.id}/redeliver`);
    expect(again.status).toBe(202);
    expect(again.body.delivery).toMatchObject({
      event_id: failed.event_id,
      state: 'pending',
      attempts: 0,
    });
    expect(again.body.delivery.id).not.toBe(failed.id);
    await api.world.settled();
    expect((await get(`/webhook/deliveries/${again.body.delivery.id}`)).delivery.state).toBe('delivered');
    expect((await get(`/webhook/deliveries/${failed.id}`)).delivery.state).toBe('failed');
    expect(receiver.received.at(-1)?.event.id).toBe(failed.event_id);
  });

  test('makes one due that waits for its next attempt', async () => {
    await history();
    receiver.behave = () => 200;
    const [waiting] = (await get('/webhook/deliveries?state=pending')).deliveries;
    const again = await api.call(caller, 'POST', `/webhook/deliveries/${waiting.id}/redeliver`);
    expect(again.body.delivery.id).toBe(waiting.id);
    await api.world.settled();
    expect((await get(`/webhook/deliveries/${waiting.id}`)).delivery).toMatchObject({
      state: 'delivered',
      attempts: 2,
    });
  });

  test('one that waits for its turn goes on waiting', async () => {
    receiver.behave = () => 500;
    await api.world.record(device, 'a', 1, 2);
    await api.world.settled();
    const { deliveries } = await get('/webhook/deliveries');
    const second = deliveries.find((each: Json) => each.waits_for !== null);
    const again = await api.call(caller, 'POST', `/webhook/deliveries/${second.id}/redeliver`);
    expect(again.body.delivery).toEqual(second);
    expect(await get(`/webhook/deliveries/${second.id}`)).toMatchObject({ delivery: second });
  });

  test('an earlier event of the chat goes before one that waits, which keeps its turn', async () => {
    const { world } = api;
    await world.record(device, 'a', 1);
    await world.untilStates(webhook, 'delivered');
    const [first] = (await get('/webhook/deliveries')).deliveries;
    receiver.behave = () => 500;
    await world.record(device, 'a', 2, 3);
    await world.settled();
    receiver.behave = () => 200;
    await api.call(caller, 'POST', `/webhook/deliveries/${first.id}/redeliver`);
    await world.untilStates(webhook, 'delivered', 'delivered', 'pending', 'pending');
    expect(receiver.numbers()).toEqual([1, 2, 1]);
    await world.pass(5000, 5000);
    expect(receiver.numbers()).toEqual([1, 2, 1, 2, 3]);
  });
});

describe('what others must not see', () => {
  test("another tenant's deliveries are unknown; a user sees its own devices' alone", async () => {
    await history();
    const [delivery] = (await get('/webhook/deliveries')).deliveries;
    const stranger = await api.shop();
    const user = await api.caller('user', caller.tenantId);
    const manager = await api.caller('manager', caller.tenantId);
    for (const other of [stranger.caller, user]) {
      expect((await get('/webhook/deliveries', other)).deliveries).toEqual([]);
      const path = `/webhook/deliveries/${delivery.id}`;
      const unknown = { status: 404, body: { error_code: 'NOT_FOUND' } };
      expect(await api.call(other, 'GET', path)).toMatchObject(unknown);
      expect(await api.call(other, 'POST', `${path}/redeliver`)).toMatchObject(unknown);
      const named = await api.call(other, 'GET', `/webhook/deliveries?device_id=${device.id}`);
      expect(named.status).toBe(404);
    }
    expect((await get('/webhook/deliveries', manager)).deliveries).toHaveLength(3);
    expect((await api.call(caller, 'GET', `/webhook/deliveries/${unknownId()}`)).status).toBe(404);
    expect((await api.call(caller, 'GET', '/webhook/deliveries/nonsense')).status).toBe(404);
  });

  test('redeliver and replay never cross to another device of the tenant', async () => {
    await history();
    const { device: second } = await api.shop(caller);
    const other = await api.world.receiver();
    await api.call(caller, 'POST', '/webhook', {
      webhook_url: other.url,
      enabled_events: ['message.received'],
      device_id: second.id,
    });
    const answer = await api.call(caller, 'POST', `/webhook/replay?device_id=${second.id}`, { after_seq: 0 });
    expect(answer.body.enqueued).toBe(0);
    expect(other.received).toEqual([]);
  });
});
