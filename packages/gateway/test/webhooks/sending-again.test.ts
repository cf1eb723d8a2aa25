/** Delivering a range of events again, and trying an endpoint out. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Device } from '../../src/devices/devices.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import type { Json } from '../api/edge.ts';
import type { Receiver } from './receiver.ts';
import { WebhookApi } from './webhook-api.ts';
import { eventDevice } from './webhook-world.ts';

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

const get = async (path: string) => (await api.call(caller, 'GET', path)).body;

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

  test('up to a place, and nothing that is quiet', async () => {
    const { world } = api;
    await world.record(device, 'a', 1, 2);
    await world.db.transaction().execute((trx) =>
      world.outbox.record(trx, eventDevice(device), {
        name: 'message.received',
        orderKey: 'a',
        data: { n: 3 },
        quiet: true,
      }),
    );
    await world.record(device, 'a', 4);
    await receiver.count(3);
    await world.settled();
    const events = await world.db.selectFrom('events').select('seq').orderBy('seq').execute();
    const [first, second, quiet] = events.map((row) => Number(row.seq));
    expect((await replay({ after_seq: first, up_to_seq: second })).body).toMatchObject({
      enqueued: 1,
      skipped: 0,
    });
    await receiver.count(4);
    await world.settled();
    expect((await replay({ after_seq: first, up_to_seq: quiet })).body).toMatchObject({ skipped: 0 });
    expect((await replay({ after_seq: second, up_to_seq: quiet })).body).toMatchObject({
      enqueued: 0,
      skipped: 0,
      webhooks: [{ next_seq: null }],
    });
    await receiver.count(5);
    expect(receiver.numbers()).toEqual([1, 2, 4, 2, 2]);
  });

  test('to each enabled endpoint of the device, or to one by its id', async () => {
    const further = await api.world.receiver();
    const make = async (enabled: boolean) =>
      (
        await api.call(caller, 'POST', '/webhooks', {
          webhook_url: further.url,
          enabled_events: ['message.received'],
          enabled,
        })
      ).body.webhook.id;
    const [on, off] = [await make(true), await make(false)];
    await api.world.record(device, 'a', 1);
    await receiver.count(1);
    await further.count(1);
    await api.world.settled();
    const ids = (answer: Json) => answer.body.webhooks.map((each: Json) => each.webhook_id);
    expect(ids(await replay({ after_seq: 0 }))).toEqual([webhook.id, on]);
    const named = await replay({ after_seq: 0, endpoint_id: off });
    expect(named.body).toMatchObject({ enqueued: 1, webhooks: [{ webhook_id: off }] });
    await receiver.count(2);
    await further.count(2);
  });

  test('nothing to an endpoint that was removed meanwhile, nor is it tried out', async () => {
    const { endpoints, replay: again, trial } = api.world.webhooks;
    await api.world.record(device, 'a', 1);
    await api.world.untilStates(webhook, 'delivered');
    const endpoint = await endpoints.get(caller, webhook.id);
    await endpoints.remove(caller, webhook.id);
    expect(await again.run(endpoint, { limit: 10 })).toEqual({ enqueued: 0, skipped: 1, nextSeq: null });
    expect(await trial.run(endpoint)).toBeNull();
    expect(receiver.received).toHaveLength(1);
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
