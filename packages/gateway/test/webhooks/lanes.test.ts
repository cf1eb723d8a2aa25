import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventDevice, gate, WebhookWorld } from './webhook-world.ts';

const NUMBER = { jid: '5511999990001@s.whatsapp.net', lid: null };
const LID = { jid: null, lid: '111111111111111@lid' };
const BOTH = { jid: NUMBER.jid, lid: LID.lid };

let world: WebhookWorld;
beforeEach(async () => {
  world = await WebhookWorld.create();
});
afterEach(() => world.destroy());

const keys = async (endpoint: { id: string }) =>
  (await world.deliveries(endpoint)).map((row) => row.order_key);

describe('the lane of a person', () => {
  test('is the LID, whichever name an event knows once both were told', async () => {
    const { device, endpoint } = await world.connected();
    await world.record(device, NUMBER, 1);
    await world.untilStates(endpoint, 'delivered');
    for (const chat of [BOTH, LID, NUMBER]) await world.record(device, chat, 2);
    await world.untilStates(endpoint, 'delivered', 'delivered', 'delivered', 'delivered');
    expect(await keys(endpoint)).toEqual([NUMBER.jid, LID.lid, LID.lid, LID.lid]);
  });

  test('takes what waits under the number, in the order of the events', async () => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = () => 500;
    await world.record(device, NUMBER, 1);
    await world.untilAttempts(endpoint, 1);
    world.clock.advance(1000);
    await world.record(device, LID, 2);
    await world.record(device, NUMBER, 3);
    await receiver.count(2);
    await world.settled();
    await world.record(device, BOTH, 4);
    expect(await keys(endpoint)).toEqual(Array(4).fill(LID.lid));
    receiver.behave = () => 200;
    const before = receiver.received.length;
    await world.pass(10_000, 1000);
    await world.untilStates(endpoint, ...Array<string>(4).fill('delivered'));
    expect(receiver.numbers().slice(before)).toEqual([1, 2, 3, 4]);
  });

  test('also for an endpoint that is switched off, and of its device alone', async () => {
    const { receiver, caller, device, endpoint } = await world.connected();
    const other = await world.connected();
    for (const { receiver: down } of [{ receiver }, other]) down.behave = () => 500;
    await world.record(device, NUMBER, 1);
    await world.record(other.device, NUMBER, 1);
    await world.untilAttempts(endpoint, 1);
    await world.untilAttempts(other.endpoint, 1);
    await world.record(device, LID, 2);
    await receiver.count(2);
    await world.settled();
    await world.configure(caller, device, { url: receiver.url, enabled: false });
    await world.record(device, BOTH, 3);
    expect(await keys(endpoint)).toEqual([LID.lid, LID.lid]);
    expect(await keys(other.endpoint)).toEqual([NUMBER.jid]);
    receiver.behave = () => 200;
    await world.configure(caller, device, { url: receiver.url });
    await world.untilStates(endpoint, 'delivered', 'delivered');
    expect(receiver.numbers().slice(2)).toEqual([1, 2]);
  });

  test('is not changed by what was rolled back', async () => {
    const { device, endpoint } = await world.connected();
    const failing = world.db.transaction().execute(async (trx) => {
      const event = { name: 'message.received', orderKey: BOTH, data: { n: 1 } } as const;
      // The second finds what the first has written.
      for (const _ of [1, 2]) await world.outbox.record(trx, eventDevice(device), event);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await world.record(device, NUMBER, 2);
    await world.untilStates(endpoint, 'delivered');
    await world.record(device, BOTH, 3);
    await world.record(device, NUMBER, 4);
    await world.untilStates(endpoint, 'delivered', 'delivered', 'delivered');
    expect(await keys(endpoint)).toEqual([NUMBER.jid, LID.lid, LID.lid]);
  });

  test('a number that is given to somebody else goes with its new person', async () => {
    const { device, endpoint } = await world.connected();
    const next = { jid: NUMBER.jid, lid: '222222222222222@lid' };
    await world.record(device, BOTH, 1);
    await world.record(device, next, 2);
    await world.record(device, NUMBER, 3);
    await world.untilStates(endpoint, 'delivered', 'delivered', 'delivered');
    expect(await keys(endpoint)).toEqual([LID.lid, next.lid, next.lid]);
  });

  test('what is sent again joins it, though its event was recorded under the number', async () => {
    const { caller, device, endpoint } = await world.connected();
    await world.record(device, NUMBER, 1);
    await world.untilStates(endpoint, 'delivered');
    await world.record(device, BOTH, 2);
    await world.untilStates(endpoint, 'delivered', 'delivered');
    const [first] = await world.deliveries(endpoint);
    const again = await world.webhooks.deliveries.redeliver(caller, first?.id ?? '');
    expect(again.orderKey).toBe(LID.lid);
    await world.webhooks.replay.run(endpoint, { afterSeq: 0, limit: 10 });
    await world.until(async () =>
      (await world.deliveries(endpoint)).every((row) => row.state === 'delivered'),
    );
    const later = (await world.deliveries(endpoint)).filter((row) => row.id !== first?.id);
    expect(later.map((row) => row.order_key)).toEqual(later.map(() => LID.lid));
  });
});

describe('joined while one of them is under way', () => {
  /** The receiver keeps event `held` until `open`, and takes everything else. */
  async function holding(held: number) {
    const made = await world.connected();
    const { opened, open } = gate();
    made.receiver.behave = async ({ event }) => {
      if ((event.data as { n: number }).n === held) await opened;
      return 200;
    };
    const told = async (chat: string) => {
      const before = made.receiver.received.length;
      await world.record(made.device, chat, 99);
      await made.receiver.count(before + 1);
    };
    const numbers = () => made.receiver.numbers(({ event }) => (event.data as { n: number }).n !== 99);
    return { ...made, open, told, numbers };
  }

  test('that of the number: nothing later is sent before it was answered, and nothing twice', async () => {
    const { receiver, device, endpoint, open, told, numbers } = await holding(1);
    await world.record(device, NUMBER, 1, 2);
    await receiver.count(1);
    await world.record(device, LID, 3);
    await receiver.count(2);
    await world.record(device, BOTH, 4);
    await told('z');
    await told('y');
    expect(numbers()).toEqual([1, 3]);
    open();
    await world.untilStates(endpoint, ...Array<string>(6).fill('delivered'));
    expect(numbers()).toEqual([1, 3, 2, 4]);
  });

  test('that of the LID: what it has read already waits for what comes before it', async () => {
    const { receiver, device, endpoint, open, told, numbers } = await holding(2);
    const behave = receiver.behave;
    receiver.behave = () => 500;
    await world.record(device, NUMBER, 1);
    await world.untilAttempts(endpoint, 1);
    receiver.behave = behave;
    await world.record(device, LID, 2, 3);
    await receiver.count(2);
    await world.record(device, NUMBER, 4);
    await world.record(device, BOTH, 5);
    await told('z');
    open();
    await world.until(async () => (await world.deliveries(endpoint))[1]?.state === 'delivered');
    await told('y');
    expect(numbers()).toEqual([1, 2]);
    world.clock.advance(5000);
    await world.untilStates(endpoint, ...Array<string>(7).fill('delivered'));
    expect(numbers()).toEqual([1, 2, 1, 3, 4, 5]);
  });
});
