/** Which endpoints want an event is kept in memory, and never what was read while they changed. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Device } from '../../src/devices/devices.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { Subscriptions } from '../../src/webhooks/subscriptions.ts';
import { WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
let caller: Caller;
let device: Device;
let subscriptions: Subscriptions;
beforeAll(async () => {
  world = await WebhookWorld.create();
});
beforeEach(async () => {
  ({ caller, device } = await world.device());
  subscriptions = new Subscriptions();
});
afterAll(() => world.destroy());

const known = async () => (await subscriptions.ofDevice(world.db, device)).length;
const configure = () => world.configure(caller, device, { url: 'https://example.com/hook' });
/** Without a word to the subscriptions: what is kept shows. */
const removeUnseen = () =>
  world.db.deleteFrom('webhook_endpoints').where('device_id', '=', device.id).execute();

test('what was read is kept until it is forgotten', async () => {
  await configure();
  expect(await known()).toBe(1);
  await removeUnseen();
  expect(await known()).toBe(1);
  subscriptions.forget(device.id);
  expect(await known()).toBe(0);
});

test('what is read during a change is not kept, what is read after it is', async () => {
  expect(await known()).toBe(0);
  await subscriptions.during(device.id, async () => {
    expect(await known()).toBe(0);
    await configure();
    expect(await known()).toBe(1);
  });
  expect(await known()).toBe(1);
  await removeUnseen();
  expect(await known()).toBe(1);
});

test('of two changes at once both count, also when one fails', async () => {
  await subscriptions.during(device.id, async () => {
    const failing = subscriptions.during(device.id, () => Promise.reject(new Error('no room')));
    await expect(failing).rejects.toThrow('no room');
    expect(await known()).toBe(0);
    await configure();
    expect(await known()).toBe(1);
  });
  expect(await known()).toBe(1);
});

test('what was being read when it was forgotten is not kept', async () => {
  const reading = known();
  subscriptions.forget(device.id);
  expect(await reading).toBe(0);
  await configure();
  expect(await known()).toBe(1);
});
