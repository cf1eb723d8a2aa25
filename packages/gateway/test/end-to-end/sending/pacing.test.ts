import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../../src/clock.ts';
import { type Answer, type Api, type Json, until, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

const clock = new ManualClock(Date.now());
let world: World;
let api: Api;
let contact: Phone;

beforeAll(async () => {
  ({ world, api, contact } = await openShop({
    tenant: 'paced',
    clock,
    settings: { WUTS_PACE_PER_MINUTE: '60', WUTS_PACE_BURST: '2', WUTS_PACE_MAX_WAIT: '1s' },
  }));
});
afterAll(() => world.destroy());

const send = (text: string): Promise<Answer> => api.post('/send/text', { number: contact.number, text });
const arrived = (): string[] => contact.inbox.flatMap(({ text }) => text ?? []);

test('two at once, one more waits for its turn, the others are refused and never sent', async () => {
  expect([(await send('1')).status, (await send('2')).status]).toEqual([200, 200]);
  const answers: Answer[] = [];
  const asked = ['3', '4', '5'].map(async (text) => void answers.push(await send(text)));
  await until('two are refused', async () => answers.length === 2);
  for (const { status, body, headers } of answers) {
    expect([status, body.error_code]).toEqual([429, 'RATE_LIMITED']);
    expect(headers.get('retry-after')).toBe('1');
  }
  expect(arrived()).toEqual(['1', '2']);
  clock.advance(1000);
  await Promise.all(asked);
  const sent = answers[2]?.body.message_id;
  await contact.waitForMessage(({ id }) => id === sent);
  expect(arrived()).toHaveLength(3);
});

test('a bulk waits as long as it takes', async () => {
  clock.advance(60_000);
  const messages = ['a', 'b', 'c', 'd', 'e'].map((text) => ({ type: 'text', number: contact.number, text }));
  const pauses = { min_pause_seconds: 0, max_pause_seconds: 0 };
  const made = await api.post('/bulk', { messages, ...pauses });
  expect(made.status, JSON.stringify(made.body)).toBe(202);
  await until('the bulk is over', async () => {
    clock.advance(500);
    const { bulk } = (await api.get(`/bulk/${made.body.bulk.id}`)).body as Json;
    return bulk.state === 'completed';
  });
  expect(arrived().slice(-5)).toEqual(['a', 'b', 'c', 'd', 'e']);
});
