/** A story for more people than one stanza takes: the rest follows, also after a restart, and each gets it once. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PORTION } from '../../../src/stories/story.ts';
import { type Api, type Json, until, World } from '../harness.ts';

const PEOPLE = PORTION + 20;
const SHOP = '5511999998600';
/** The others are accounts that nobody reads for. */
const PHONES = [0, 1, PORTION - 2, PORTION, PEOPLE - 1];

let world: World;
let token: string;
let phones: Phone[];
const numbers = Array.from({ length: PEOPLE }, (_, index) => String(5_511_999_870_000 + index));

beforeAll(async () => {
  world = await World.create();
  token = await world.tenant('many');
  const shop = await world.sandbox.createPhone({ number: SHOP, name: 'Shop' });
  phones = [];
  for (const [index, number] of numbers.entries()) {
    if (PHONES.includes(index)) phones.push(await world.sandbox.createPhone({ number, name: number }));
    else world.sandbox.createUnattended({ number, keysOf: shop });
  }
  await world.linkByQr(token, shop);
});
afterAll(() => world.destroy());

const api = (): Api => world.as(token);

async function post(text: string): Promise<Json> {
  const answer = await api().post('/status/text', { text, audience: numbers });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  expect(answer.body).toMatchObject({ recipients: PEOPLE + 1, reached: PORTION });
  return answer.body;
}

async function untilPosted(id: string): Promise<Json> {
  return until('all have been sent the story', async () => {
    const { body } = await api().get(`/stories/${id}`);
    return body.story.state === 'posted' && body.story;
  });
}

async function expectOnce(id: string): Promise<void> {
  await Promise.all(phones.map((phone) => phone.waitForMessage((message) => message.id === id)));
  await Promise.all(phones.map((phone) => phone.idle()));
  const copies = phones.map((phone) => phone.inbox.filter((message) => message.id === id).length);
  const others = numbers.filter((_, index) => !PHONES.includes(index));
  const waiting = others.map((number) => world.sandbox.waitingFor(`${number}@s.whatsapp.net`, id).length);
  expect(new Set([...copies, ...waiting])).toEqual(new Set([1]));
}

test('who is not among the first gets it too', async () => {
  const { message_id: id } = await post('Open until ten');
  expect(await untilPosted(id)).toMatchObject({ reached: PEOPLE + 1, refused: 0, error: null });
  await expectOnce(id);
});

test('after a restart as well', async () => {
  const { message_id: id } = await post('Open until eleven');
  await world.restartGateway();
  await untilPosted(id);
  await expectOnce(id);
});

test("one that WhatsApp does not acknowledge holds up nobody else's", async () => {
  const other = await world.tenant('others');
  const bakery = await world.sandbox.createPhone({ number: '5511999998601', name: 'Bakery' });
  const device = await world.linkByQr(other, bakery);
  const more = Array.from({ length: 10 * PORTION }, (_, index) => String(5_511_999_880_000 + index));
  for (const number of more) world.sandbox.createUnattended({ number, keysOf: bakery });
  let left = 0;
  world.sandbox.network.onStanza(({ tag }, from) => {
    if (tag === 'message' && from.user === SHOP) left += 1;
  });
  const posted = await api().post('/status/text', { text: 'Hats', audience: more });
  const held = posted.body.message_id;
  world.sandbox.faults.silenceAck(PEOPLE, { number: SHOP });
  const before = left;
  await until('its next portion has left', async () => left > before);
  const answer = await world
    .as(other)
    .post('/status/text', { device_id: device, text: 'Bread', audience: numbers });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  await until('the other story is with all', async () => {
    const { body } = await world.as(other).get(`/stories/${answer.body.message_id}`);
    return body.story.state === 'posted';
  });
  expect((await api().get(`/stories/${held}`)).body.story).toMatchObject({ state: 'posting' });
  world.sandbox.faults.clear();
});
