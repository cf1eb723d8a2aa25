/** A send whose end is not known gets one. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { AdvancingClock } from '../../../src/clock.ts';
import { type Api, type Json, until, World } from '../harness.ts';

const MINUTE_MS = 60_000;
const ACK_MS = 20 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const clock = new AdvancingClock();
let world: World;
let api: Api;
let token: string;
let shop: Phone;
let contact: Phone;

beforeAll(async () => {
  world = await World.create({
    clock,
    settings: { WUTS_PACE_PER_MINUTE: '0', WUTS_SEND_LATE: '12h' },
    // No step of the clock below ends the wait for an ack.
    patience: { ackTimeoutMs: ACK_MS, queryTimeoutMs: 30_000 },
  });
  token = await world.tenant('unknown');
  shop = await world.sandbox.createPhone({ number: '5511999995001', name: 'Shop' });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world.destroy());
let numbers = 1;
beforeEach(async () => {
  world.sandbox.faults.clear();
  numbers += 1;
  contact = await world.sandbox.createPhone({ number: `551199999500${numbers}`, name: 'Contact' });
  expect((await api.post('/send/text', { number: contact.number, text: 'first' })).status).toBe(200);
});

const status = async (id: string): Promise<Json> => (await api.get(`/messages/${id}/status`)).body;
const told = async (event: string, id: string): Promise<Json> => {
  const { body } = await api.get(`/events?event=${event}&limit=200`);
  return body.events.find(({ data }: Json) => data.message_id === id);
};
const failed = (id: string) => told('message.failed', id);

/** A send that the server has taken without an ack; the recipient's phone is off, so that no receipt comes. */
async function lost(path: string, body: Json): Promise<string> {
  await contact.goOffline();
  world.sandbox.faults.silenceAck();
  const sending = api.post(path, { number: contact.number, ...body });
  await until('it is stored', async () => {
    const { body: found } = await api.get(`/messages?chat=${contact.number}`);
    return found.messages.length > 1;
  });
  let leapt = 0;
  let over = false;
  const answered = sending.finally(() => {
    over = true;
  });
  // The wait may begin a moment after the row is there.
  await until('nobody waits for the ack any more', async () => {
    if (!over && Date.now() - leapt > 1_000) {
      clock.advance(ACK_MS);
      leapt = Date.now();
    }
    return over;
  });
  const answer = await answered;
  expect(answer.status, JSON.stringify(answer.body)).toBe(504);
  expect(await status(answer.body.message_id)).toMatchObject({ status: 'pending', uncertain: true });
  return answer.body.message_id;
}

/** Lets time go by until it is so. */
const whileTimePasses = (what: string, ask: () => Promise<unknown>) =>
  until(what, async () => {
    const found = await ask();
    if (!found) clock.advance(5_000);
    return found;
  });

test.each([
  ['/send/text', { text: 'again' }],
  ['/send/poll', { question: 'When?', options: [{ option_name: 'now' }, { option_name: 'later' }] }],
  ['/send/event', { name: 'Party', start_time: '2096-12-24T18:00:00Z' }],
])('it is sent once more under its id, and the ack tells: %s', async (path, body) => {
  const posted = vi.spyOn(world.sandbox.network.delivery, 'post');
  const id = await lost(path, body);
  expect(await told('message.sent', id)).toBeUndefined();
  await whileTimePasses('it is sent', () => told('message.sent', id));
  expect(await status(id)).not.toHaveProperty('uncertain');
  await contact.goOnline();
  await contact.waitForMessage((message) => message.id === id);
  await until('it is delivered', async () => (await status(id)).status === 'delivered');
  expect(await failed(id)).toBeUndefined();
  // What a stanza says beside its message is said again, too.
  const stanzas = posted.mock.calls.flatMap(([device, node]) =>
    node.attrs.id === id && device.account.user === contact.number ? [besides(node)] : [],
  );
  posted.mockRestore();
  expect(stanzas).toHaveLength(2);
  expect(stanzas[1]).toEqual(stanzas[0]);
});

/** The children of a message's stanza that are not encrypted for the one who gets it. */
function besides({ content }: { content?: unknown }): unknown[] {
  const ciphertext = ['enc', 'device-identity'];
  return Array.isArray(content) ? content.filter(({ tag }) => !ciphertext.includes(tag)) : [];
}

test('while the device is away it waits, and after a day it is told as failed', async () => {
  const id = await lost('/send/text', { text: 'never told' });
  expect((await api.post('/disconnect')).status).toBe(200);
  clock.advance(DAY_MS / 2);
  await until('half a day later it still waits', async () => (await status(id)).uncertain === true);
  expect(await failed(id)).toBeUndefined();
  clock.advance(DAY_MS / 2);
  await whileTimePasses('it is told', () => failed(id));
  expect(await status(id)).toMatchObject({ status: 'failed' });
  expect((await failed(id)).data.error).toMatch(/^UNCONFIRMED/);
});
