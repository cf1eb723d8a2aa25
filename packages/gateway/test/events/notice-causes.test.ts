import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { EventStore } from '../../src/events/event-store.ts';
import { NoticeEvents } from '../../src/events/notice-events.ts';
import { EventOutbox } from '../../src/events/outbox.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import type { SessionNotice } from '../../src/whatsapp/port/notices.ts';
import { ArchiveWorld, type TestDevice } from '../messages/archive-world.ts';

let world: ArchiveWorld;
let notices: NoticeEvents;
let store: EventStore;
let owner: Caller;
let device: TestDevice;
let enlisted: number;

const ABOUT: SessionNotice = {
  name: 'contact.about',
  contact: { jid: '5511999990009@s.whatsapp.net', lid: null },
  about: 'busy',
};

beforeAll(async () => {
  world = await ArchiveWorld.create();
  store = new EventStore(world.db);
  const subscriber = {
    enlist: async () => {
      enlisted += 1;
    },
  };
  const events = new EventOutbox(world);
  events.subscribe(subscriber);
  notices = new NoticeEvents({ db: world.db, events });
});
beforeEach(async () => {
  owner = await world.tenant();
  device = await world.device(owner);
  enlisted = 0;
});
afterAll(() => world.destroy());

const recorded = async () => (await store.eventsAfter(owner.tenantId, { limit: 100 })).map(({ id }) => id);

test('a notice whose stanza came again is one event with one delivery', async () => {
  await notices.record(device, ABOUT, { cause: 'notification|ana|status|1760000000|7|0' });
  await notices.record(device, ABOUT, { cause: 'notification|ana|status|1760000000|7|0' });
  const [id, ...more] = await recorded();
  expect(more).toEqual([]);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(enlisted).toBe(1);
});

test('another stanza, another device, and notices that have no cause are events of their own', async () => {
  const other = await world.device(owner);
  await notices.record(device, ABOUT, { cause: 'notification|ana|status|1760000000|7|0' });
  await notices.record(device, ABOUT, { cause: 'notification|ana|status|1760000000|8|0' });
  await notices.record(other, ABOUT, { cause: 'notification|ana|status|1760000000|7|0' });
  await notices.record(device, ABOUT);
  await notices.record(device, ABOUT);
  expect(new Set(await recorded()).size).toBe(5);
  expect(enlisted).toBe(5);
});

test('what a notice tells is kept in the commit of its event, once', async () => {
  const kept: string[] = [];
  let refuse = true;
  const events = new EventOutbox(world);
  const keeping = new NoticeEvents({ db: world.db, events });
  keeping.keep(async (_trx, { id }, notice) => {
    kept.push(`${id} ${notice.name}`);
    if (refuse) throw new Error('it cannot be stored');
  });
  const cause = 'notification|ana|status|1760000000|9|0';
  await expect(keeping.record(device, ABOUT, { cause })).rejects.toThrow('it cannot be stored');
  expect(await recorded()).toEqual([]);
  refuse = false;
  await keeping.record(device, ABOUT, { cause });
  await keeping.record(device, ABOUT, { cause });
  expect(await recorded()).toHaveLength(1);
  expect(kept).toEqual([`${device.id} contact.about`, `${device.id} contact.about`]);
});
