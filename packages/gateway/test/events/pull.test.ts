import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../src/clock.ts';
import { DOCUMENTED_EVENTS, EVENT_NAMES, type EventName } from '../../src/events/catalogue/names.ts';
import { BEAT_MS } from '../../src/events/reader.ts';
import type { EventDevice } from '../../src/events/recorder.ts';
import { type Api, type Json, until, World } from '../end-to-end/harness.ts';
import { EventStream } from './event-stream.ts';

const clock = new AdvancingClock();
let world: World;
let token: string;
let api: Api;
let device: EventDevice;
let other: EventDevice;

beforeAll(async () => {
  world = await World.create({ clock });
});
afterAll(() => world.destroy());
beforeEach(async () => {
  token = await world.tenant(`pull${randomUUID().slice(0, 8)}`);
  api = world.as(token);
  device = await newDevice();
  other = await newDevice();
});

async function newDevice(by = api): Promise<EventDevice> {
  const { id } = (await by.post('/devices', { name: 'one' })).body.device;
  const row = await world.gateway.parts.db
    .selectFrom('devices')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return { id, tenantId: row.tenant_id, userId: row.user_id };
}

/** Records one event in a transaction of its own; `count` tells it from the others. */
async function record(count: number, on = device, name: EventName = 'offline.sync_completed'): Promise<void> {
  const { db, events } = world.gateway.parts;
  await db
    .transaction()
    .execute((trx) => events.record(trx, on, { name, data: { count }, orderKey: 'device' }));
  events.committed();
}

const counts = (body: Json) => body.events.map((event: Json) => event.data.count);

describe('GET /events', () => {
  test('page by page, nothing twice, nothing missing', async () => {
    for (let count = 1; count <= 5; count += 1) await record(count);
    const first = (await api.get('/events?limit=2')).body;
    expect(counts(first)).toEqual([1, 2]);
    expect(first).toMatchObject({ success: true, has_more: true, next: expect.any(String) });
    expect(first.events[0]).toMatchObject({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      event: 'offline.sync_completed',
      timestamp: expect.any(Number),
      device_id: device.id,
      user_id: device.userId,
    });
    const second = (await api.get(`/events?limit=2&after=${first.next}`)).body;
    expect(counts(second)).toEqual([3, 4]);
    const third = (await api.get(`/events?limit=2&after=${second.next}`)).body;
    expect([counts(third), third.has_more]).toEqual([[5], false]);
    const none = (await api.get(`/events?after=${third.next}`)).body;
    expect(none).toEqual({ success: true, events: [], next: third.next, has_more: false });
    await record(6);
    expect(counts((await api.get(`/events?after=${none.next}`)).body)).toEqual([6]);
  });

  test('a cursor beyond the newest event is refused; one whose events are gone is not', async () => {
    await record(1);
    await record(2);
    const { next } = (await api.get('/events')).body;
    const beyond = String(Number(next) + 1);
    const refused = {
      success: false,
      error_code: 'CURSOR_UNKNOWN',
      error: expect.stringContaining('after=0'),
    };
    for (const path of [`/events?after=${beyond}`, `/events?after=${beyond}&wait=30`]) {
      const answer = await api.get(path);
      expect([answer.status, answer.body]).toEqual([410, expect.objectContaining(refused)]);
    }
    for (const [headers, query] of [
      [{ 'last-event-id': beyond }, ''] as const,
      [{}, `?after=${beyond}`] as const,
    ]) {
      const stream = await EventStream.open(`${world.gateway.url}/events/stream${query}`, {
        authorization: `Bearer ${token}`,
        ...headers,
      });
      expect(stream.status).toBe(410);
      await stream.close();
    }
    await untilWaiting(0);
    await world.gateway.parts.db.deleteFrom('events').where('tenant_id', '=', device.tenantId).execute();
    expect((await api.get(`/events?after=${next}`)).body).toMatchObject({ events: [], next });
    await record(3);
    expect(counts((await api.get(`/events?after=${next}`)).body)).toEqual([3]);
  });

  test('by event and by device', async () => {
    await record(1);
    await record(2, other);
    await record(3, device, 'device.connected');
    expect(counts((await api.get('/events?event=device.connected')).body)).toEqual([3]);
    expect(counts((await api.get('/events?event=device.connected,offline.sync_completed')).body)).toEqual([
      1, 2, 3,
    ]);
    expect(counts((await api.get(`/events?device_id=${other.id}`)).body)).toEqual([2]);
    expect(counts((await api.get('/events', { 'x-device-id': device.id })).body)).toEqual([1, 3]);
    const unknown = await api.get('/events?event=message.unknown');
    expect([unknown.status, unknown.body.validation[0].field]).toEqual([400, 'event']);
    expect((await api.get('/events?after=x')).status).toBe(400);
    expect((await api.get('/events?limit=1001')).status).toBe(400);
    expect((await api.get(`/events?device_id=${randomUUID()}`)).status).toBe(404);
  });

  test('what was filtered out is not gone through again', async () => {
    await record(1);
    const none = (await api.get('/events?event=device.connected')).body;
    expect(none.events).toEqual([]);
    expect(counts((await api.get(`/events?after=${none.next}`)).body)).toEqual([]);
  });

  test('waits for the next one, and no longer than asked', async () => {
    const waiting = api.get('/events?after=latest&wait=30');
    await untilWaiting();
    await record(7);
    expect(counts((await waiting).body)).toEqual([7]);
    const quiet = api.get('/events?after=latest&wait=30');
    await untilWaiting();
    clock.advance(30_000);
    expect((await quiet).body.events).toEqual([]);
  });

  test('an event that is rolled back never was', async () => {
    const { db, events } = world.gateway.parts;
    const lost = db.transaction().execute(async (trx) => {
      await events.record(trx, device, {
        name: 'offline.sync_completed',
        data: { count: 1 },
        orderKey: 'device',
      });
      throw new Error('no');
    });
    await expect(lost).rejects.toThrow('no');
    expect((await api.get('/events')).body.events).toEqual([]);
  });

  test('another tenant sees none of them; a user those of own devices, a manager all', async () => {
    const user = await addUser('user');
    const manager = await addUser('manager');
    const own = await newDevice(world.as(user));
    await record(1);
    await record(2, own);
    expect(counts((await world.as(user).get('/events')).body)).toEqual([2]);
    expect((await world.as(user).get(`/events?device_id=${device.id}`)).status).toBe(404);
    expect(counts((await world.as(manager).get('/events')).body)).toEqual([1, 2]);
    const stranger = world.as(await world.tenant(`other${randomUUID().slice(0, 8)}`));
    expect((await stranger.get('/events')).body.events).toEqual([]);
    expect((await stranger.get(`/events?device_id=${device.id}`)).status).toBe(404);
    expect((await world.as(null).get('/events')).status).toBe(401);
  });

  test('at most twenty waiting at a time for one user', async () => {
    const waiting = Array.from({ length: 20 }, () => api.get('/events?after=latest&wait=60'));
    await until('the next one is refused', async () => {
      const answer = await api.get('/events?after=latest&wait=0.01');
      return answer.status === 429 && answer.headers.get('retry-after') === '5';
    });
    expect((await api.get('/events')).status).toBe(200);
    await record(1);
    for (const answer of await Promise.all(waiting)) expect(counts(answer.body)).toEqual([1]);
  });
});

describe('GET /events/stream', () => {
  const stream = (headers: Record<string, string> = {}, query = '') =>
    EventStream.open(`${world.gateway.url}/events/stream${query}`, {
      authorization: `Bearer ${token}`,
      ...headers,
    });

  test('from now on, each with its id and name; back where it was with Last-Event-ID', async () => {
    await record(1);
    const first = await stream();
    expect(first.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await record(2);
    await record(3);
    const two = await first.next();
    expect(two.event).toBe('offline.sync_completed');
    expect(JSON.parse(two.data)).toMatchObject({ event: 'offline.sync_completed', data: { count: 2 } });
    await first.close();
    const second = await stream({ 'last-event-id': two.id });
    expect(JSON.parse((await second.next()).data).data.count).toBe(3);
    await record(4);
    expect(JSON.parse((await second.next()).data).data.count).toBe(4);
    await second.close();
    const all = await stream({}, '?after=0');
    expect(JSON.parse((await all.next()).data).data.count).toBe(1);
    await all.close();
    expect((await stream({ 'last-event-id': 'x' })).status).toBe(400);
  });

  test('shows that it lives, and ends when its token is taken back', async () => {
    const user = await addUser('user');
    const open = await stream({ authorization: `Bearer ${user}` });
    await open.listening();
    clock.advance(BEAT_MS);
    await open.beat();
    const { users } = (await api.get('/users')).body;
    const { id } = users.find((each: Json) => each.role === 'user');
    expect((await api.delete(`/users/${id}`)).status).toBe(200);
    clock.advance(BEAT_MS);
    await open.ended();
  });

  test.each<[string, number, (id: string) => Promise<unknown>]>([
    ['rotated', 401, (id) => api.post(`/users/${id}/token/rotate`, {})],
    ['deleted', 401, (id) => api.delete(`/users/${id}`)],
    ['deactivated', 403, (id) => api.put(`/users/${id}`, { active: false })],
    ['demoted', 403, (id) => api.put(`/users/${id}`, { role: 'user' })],
  ])('ends at once when its user is %s, and so does a request that waits', async (_how, status, change) => {
    const user = await addUser('manager');
    const open = await stream({ authorization: `Bearer ${user}` });
    await open.listening();
    const waiting = world.as(user).get('/events?after=latest&wait=60');
    const bystander = api.get('/events?after=latest&wait=60');
    await untilWaiting(3);
    const { users } = (await api.get('/users')).body;
    await change(users.find((each: Json) => each.role === 'manager').id);
    // The clock stands still: nothing but the change ends them.
    await open.ended();
    expect((await waiting).status).toBe(status);
    await untilWaiting(1);
    await record(1);
    expect(counts((await bystander).body)).toEqual([1]);
  });

  test('ends at once when its tenant is deleted, and no other', async () => {
    const other = await world.tenant(`other${randomUUID().slice(0, 8)}`);
    const open = await stream();
    await open.listening();
    const bystander = world.as(other).get('/events?after=latest&wait=60');
    await untilWaiting(2);
    expect((await world.master.delete(`/global/tenants/${device.tenantId}`)).status).toBe(200);
    await open.ended();
    await untilWaiting(1);
    clock.advance(60_000);
    expect((await bystander).body.events).toEqual([]);
  });

  test('a reader who takes nothing is not read for', async () => {
    const slow = await stream({}, '?after=latest');
    await slow.listening();
    const { db, events } = world.gateway.parts;
    const text = 'x'.repeat(64 * 1024);
    await db.transaction().execute(async (trx) => {
      for (let count = 0; count < 300; count += 1) {
        const data = { count, text };
        await events.record(trx, device, { name: 'offline.sync_completed', data, orderKey: 'device' });
      }
    });
    events.committed();
    // 20 MB wait on our side of the socket; the answer to somebody else does not.
    expect((await api.get('/events?limit=1')).status).toBe(200);
    for (let count = 0; count < 300; count += 1) {
      expect(JSON.parse((await slow.next()).data).data.count).toBe(count);
    }
    await slow.close();
  });

  test('a place is free again once its client has gone', async () => {
    const first = await Promise.all(Array.from({ length: 20 }, () => stream()));
    const refused = await stream();
    expect(refused.status).toBe(429);
    await refused.close();
    for (const each of first) await each.close();
    const next = await until('a stream is given', async () => {
      const opened = await stream();
      if (opened.status === 200) return opened;
      await opened.close();
      return null;
    });
    await next.close();
    await untilWaiting(0);
  });

  test('ends in peace when the gateway stops, and so does a request that waits', async () => {
    const open = await stream();
    await open.listening();
    const waiting = api.get('/events?after=latest&wait=60');
    await untilWaiting(2);
    await world.restartGateway();
    // Both would reject had they been cut off instead.
    await open.ended();
    expect((await waiting).body.events).toEqual([]);
  });
});

describe('GET /webhook/events', () => {
  test('the documented names in their order, ours beside them; schemas when asked', async () => {
    api = world.as(token);
    const plain = (await api.get('/webhook/events')).body;
    expect(plain).toEqual({
      success: true,
      events: [...DOCUMENTED_EVENTS],
      own_events: EVENT_NAMES.slice(DOCUMENTED_EVENTS.length),
    });
    expect(plain.events).toHaveLength(58);
    const { catalogue } = (await api.get('/webhook/events?schemas=true')).body;
    expect(Object.keys(catalogue).sort()).toEqual([...EVENT_NAMES].sort());
    expect(catalogue['message.received']).toMatchObject({
      occurs: true,
      schema: { type: 'object', properties: { message_id: { type: 'string' } } },
      example: { message_type: 'image' },
    });
  });
});

async function addUser(role: string): Promise<string> {
  const email = `${role}-${randomUUID().slice(0, 8)}@pull.example`;
  const answer = await api.post('/users', { email, password: 'correct horse battery', role });
  return answer.body.user.token;
}

/** A request that waits shows only in the feed that wakes it. */
async function untilWaiting(count = 1): Promise<void> {
  await until(`${count} wait`, async () => world.gateway.parts.feed.waiting === count);
}
