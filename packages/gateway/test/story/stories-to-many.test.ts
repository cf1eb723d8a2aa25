/** A story for more people than one stanza takes: the rest follows, also after a restart, and each gets it once. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PORTION } from '../../src/stories/story.ts';
import { type Api, type Json, until, World } from './harness.ts';

const PEOPLE = PORTION + 20;

let world: World;
let token: string;
let people: Phone[];

beforeAll(async () => {
  world = await World.create();
  token = await world.tenant('many');
  const shop = await world.sandbox.createPhone({ number: '5511999998600', name: 'Shop' });
  const numbers = Array.from({ length: PEOPLE }, (_, index) => String(5_511_999_870_000 + index));
  people = await Promise.all(numbers.map((number) => world.sandbox.createPhone({ number, name: number })));
  await world.linkByQr(token, shop);
});
afterAll(() => world.destroy());

const api = (): Api => world.as(token);

async function post(text: string): Promise<Json> {
  const answer = await api().post('/status/text', { text, audience: people.map(({ number }) => number) });
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
  await Promise.all(people.map((phone) => phone.waitForMessage((message) => message.id === id)));
  await Promise.all(people.map((phone) => phone.idle()));
  const copies = people.map((phone) => phone.inbox.filter((message) => message.id === id).length);
  expect(new Set(copies)).toEqual(new Set([1]));
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
