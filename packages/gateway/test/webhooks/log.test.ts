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
  receiver = await api.world.receiver();
  ({ caller, device } = await api.shop());
  const configured = await api.call(caller, 'POST', '/webhook', {
    webhook_url: receiver.url,
    enabled_events: ['message.received', 'message.read'],
    retry_attempts: 1,
  });
  webhook = configured.body.webhook;
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
    for (const n of [1, 2, 3, 4, 5]) await api.world.record(device, 'a', n);
    const seen: string[] = [];
    let cursor = '';
    for (;;) {
      const page = await get(`/webhook/deliveries?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...events(page.deliveries));
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(new Set(seen).size).toBe(5);
    expect(seen).toHaveLength(5);
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

describe('POST /webhook/replay', () => {
  const replay = (body: object) => api.call(caller, 'POST', '/webhook/replay', body);

  test('delivers a range of time again, in order, with the same ids', async () => {
    const { world } = api;
    for (const n of [1, 2, 3, 4]) {
      await world.record(device, 'a', n);
      await world.settled();
      world.clock.advance(1000);
    }
    const sent = receiver.received.map(({ event }) => event.id);
    const start = Date.parse((await get('/webhook/deliveries')).deliveries[2].created_at);
    const answer = await replay({
      from: new Date(start).toISOString(),
      to: new Date(start + 2000).toISOString(),
    });
    expect(answer).toEqual({
      status: 202,
      body: {
        success: true,
        enqueued: 2,
        skipped: 0,
        webhooks: [{ webhook_id: webhook.id, enqueued: 2, skipped: 0, next_seq: null }],
      },
    });
    await receiver.count(6);
    expect(receiver.received.slice(4).map(({ event }) => event.id)).toEqual(sent.slice(1, 3));
  });

  test('missing_only brings what had failed, after an outage', async () => {
    const { world } = api;
    await world.record(device, 'a', 1);
    await world.untilStates(webhook, 'delivered');
    receiver.behave = () => 500;
    await world.record(device, 'a', 2, 3);
    await world.pass(20_000, 5000);
    await world.untilStates(webhook, 'delivered', 'failed', 'failed');
    receiver.behave = () => 200;
    const answer = await replay({ after_seq: 0, missing_only: true });
    expect(answer.body).toMatchObject({ enqueued: 2, skipped: 1 });
    await receiver.count(7);
    expect(receiver.numbers().slice(5)).toEqual([2, 3]);
    await world.settled();
    expect((await replay({ after_seq: 0, missing_only: true })).body).toMatchObject({
      enqueued: 0,
      skipped: 3,
    });
  });

  test('a place that no event has had yet is refused', async () => {
    await api.world.record(device, 'a', 1);
    const [{ seq }] = (await api.world.db.selectFrom('events').select('seq').execute()) as [{ seq: number }];
    expect((await replay({ after_seq: seq })).status).toBe(202);
    expect(await replay({ after_seq: seq + 1 })).toMatchObject({
      status: 410,
      body: { error_code: 'CURSOR_UNKNOWN' },
    });
  });

  test('by event, in batches, up to the limit, and on from next_seq', async () => {
    const { world } = api;
    await world.record(device, 'a', ...Array.from({ length: 450 }, (_, n) => n));
    await world.recordEvent(device, 'message.read', 'a', { n: 1000 });
    await receiver.count(451);
    await world.settled();
    const first = await replay({ after_seq: 0, events: ['message.received'], limit: 300 });
    expect(first.body.enqueued).toBe(300);
    const { next_seq } = first.body.webhooks[0];
    const rest = await replay({ after_seq: next_seq, events: ['message.received'], limit: 300 });
    expect(rest.body).toMatchObject({ enqueued: 150, webhooks: [{ next_seq: null }] });
    await receiver.count(901);
    expect(receiver.numbers().slice(451)).toEqual(Array.from({ length: 450 }, (_, n) => n));
  });

  test('to an endpoint that is new, for its own events', async () => {
    const { world } = api;
    await world.record(device, 'a', 1, 2);
    await world.recordEvent(device, 'message.read', 'a', { n: 3 });
    const late = await world.receiver();
    const { body } = await api.call(caller, 'POST', '/webhooks', {
      webhook_url: late.url,
      enabled_events: ['message.read'],
    });
    const answer = await replay({ after_seq: 0, endpoint_id: body.webhook.id });
    expect(answer.body.enqueued).toBe(1);
    await late.count(1);
    expect(late.numbers()).toEqual([3]);
  });

  test('leaves alone what is on its way already', async () => {
    receiver.behave = () => 500;
    await api.world.record(device, 'a', 1, 2);
    await api.world.settled();
    expect((await replay({ after_seq: 0 })).body).toMatchObject({ enqueued: 0, skipped: 2 });
  });

  test.each([
    {},
    { to: '2026-01-01T00:00:00Z' },
    { from: 'yesterday' },
    { after_seq: -1 },
    { events: ['x'], after_seq: 0 },
  ])('refuses %j', async (body) => {
    expect((await replay(body)).status).toBe(400);
  });
});

describe('POST /webhook/test', () => {
  test('answers with the outcome, and is in the log', async () => {
    const { status, body } = await api.call(caller, 'POST', '/webhook/test');
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      delivered: true,
      webhook_id: webhook.id,
      delivery_id: expect.any(String),
      event_id: receiver.received[0]?.event.id,
      attempt: {
        attempt: 1,
        at: expect.any(String),
        took_ms: expect.any(Number),
        status: 200,
        error: null,
        response_head: 'thank you',
      },
    });
    expect(receiver.received[0]?.event).toMatchObject({
      event: 'webhook.test',
      device_id: device.id,
      data: { webhook_id: webhook.id, message: expect.any(String) },
    });
    expect((await get(`/webhook/deliveries/${body.delivery_id}`)).delivery).toMatchObject({
      event: 'webhook.test',
      state: 'delivered',
      attempts: 1,
    });
  });

  test('says what went wrong, is not tried again and counts for nothing', async () => {
    receiver.behave = () => 404;
    const { status, body } = await api.call(caller, 'POST', '/webhook/test', { endpoint_id: webhook.id });
    expect(status).toBe(200);
    expect(body).toMatchObject({ delivered: false, attempt: { status: 404, error: 'status' } });
    await api.world.pass(60_000, 5000);
    expect(receiver.received).toHaveLength(1);
    expect((await get('/webhook')).webhook).toMatchObject({ failures: 0, failing_since: null });
  });

  test('also of one that is disabled', async () => {
    await api.call(caller, 'PUT', `/webhooks/${webhook.id}`, { enabled: false });
    expect((await api.call(caller, 'POST', '/webhook/test')).body.delivered).toBe(true);
  });

  test('without a webhook there is nothing to test', async () => {
    await api.call(caller, 'DELETE', '/webhook');
    expect((await api.call(caller, 'POST', '/webhook/test')).status).toBe(404);
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
      expect((await api.call(other, 'GET', path)).status).toBe(404);
      expect((await api.call(other, 'POST', `${path}/redeliver`)).status).toBe(404);
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
