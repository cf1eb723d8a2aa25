import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EventName } from '../../src/events/catalogue/names.ts';
import { EventStore } from '../../src/events/event-store.ts';
import { EventOutbox } from '../../src/events/outbox.ts';
import { EventRetention } from '../../src/events/retention.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { ArchiveWorld, NOW, type TestDevice } from '../messages/archive-world.ts';

const DAY = 24 * 3_600_000;
let world: ArchiveWorld;
let owner: Caller;
let device: TestDevice;
let endpoint: string;

beforeAll(async () => {
  world = await ArchiveWorld.create();
});
beforeEach(async () => {
  owner = await world.tenant();
  device = await world.device(owner);
  endpoint = `wh_${randomUUID()}`;
  await world.db
    .insertInto('webhook_endpoints')
    .values({
      id: endpoint,
      tenant_id: owner.tenantId,
      user_id: owner.userId,
      device_id: device.id,
      is_default: 1,
      url: 'https://example.com',
      events: '[]',
      enabled: 1,
      retry_attempts: 3,
      timeout_s: 30,
      secret: null,
      headers: null,
      state: 'active',
      state_reason: null,
      state_at: NOW,
      failing_since: null,
      failures: 0,
      created_at: NOW,
      updated_at: NOW,
    })
    .execute();
});
afterAll(() => world.destroy());

const retention = (batch = 500) =>
  new EventRetention({
    db: world.db,
    clock: world.clock,
    log: pino({ level: 'silent' }),
    settings: { eventMs: 7 * DAY, failedMs: 30 * DAY },
    batch,
  });

/** Records an event now, with a delivery in that state when one is given. */
async function record(delivery?: 'pending' | 'delivered' | 'failed' | 'expired'): Promise<string> {
  const outbox = new EventOutbox(world);
  const name: EventName = 'offline.sync_completed';
  await world.db
    .transaction()
    .execute((trx) => outbox.record(trx, device, { name, data: { count: 1 }, orderKey: 'device' }));
  const event = await world.db
    .selectFrom('events')
    .select(['id', 'seq'])
    .orderBy('seq', 'desc')
    .executeTakeFirstOrThrow();
  if (delivery) {
    await world.db
      .insertInto('webhook_deliveries')
      .values({
        id: randomUUID(),
        tenant_id: owner.tenantId,
        endpoint_id: endpoint,
        event_id: event.id,
        event_seq: event.seq,
        event_name: name,
        device_id: device.id,
        order_key: 'device',
        state: delivery,
        attempts: 1,
        next_attempt_at: 0,
        created_at: world.clock.now(),
        finished_at: null,
      })
      .execute();
  }
  return event.id;
}

const kept = async () => {
  const rows = await new EventStore(world.db).eventsAfter(owner.tenantId, { limit: 1000 });
  return rows.map((row) => row.id);
};

test('what is old goes with its deliveries; a pending delivery keeps it for ever, a failed one longer', async () => {
  const plain = await record();
  const delivered = await record('delivered');
  const pending = await record('pending');
  const failed = await record('failed');
  world.clock.advance(7 * DAY);
  const young = await record('delivered');
  expect(await retention().sweep()).toBe(0);
  expect(await kept()).toEqual([plain, delivered, pending, failed, young]);
  world.clock.advance(1);
  expect(await retention().sweep()).toBe(2);
  expect(await kept()).toEqual([pending, failed, young]);
  world.clock.advance(23 * DAY);
  expect(await retention().sweep()).toBe(2);
  expect(await kept()).toEqual([pending]);
  const deliveries = await world.db.selectFrom('webhook_deliveries').select('event_id').execute();
  expect(deliveries).toEqual([{ event_id: pending }]);
});

test('what expired stays as long again as any event', async () => {
  const expired = await record('expired');
  world.clock.advance(40 * DAY);
  await world.db
    .updateTable('webhook_deliveries')
    .set({ finished_at: world.clock.now() })
    .where('event_id', '=', expired)
    .execute();
  world.clock.advance(7 * DAY);
  expect(await retention().sweep()).toBe(0);
  world.clock.advance(1);
  expect(await retention().sweep()).toBe(1);
  expect(await kept()).toEqual([]);
});

test('in small batches, past those that stay', async () => {
  for (let n = 0; n < 10; n += 1) await record(n % 3 === 0 ? 'pending' : undefined);
  world.clock.advance(8 * DAY);
  expect(await retention(2).sweep()).toBe(6);
  expect(await kept()).toHaveLength(4);
});

test('begins at once and comes again; a stop waits for it', async () => {
  await record();
  const sweeper = retention();
  sweeper.start();
  world.clock.advance(8 * DAY);
  await sweeper.stop();
  const again = retention();
  again.start();
  await again.stop();
  expect(await retention().sweep()).toBe(0);
});
