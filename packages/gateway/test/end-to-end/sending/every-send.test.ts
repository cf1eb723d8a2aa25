/** What every message carries beside its content, whatever operation sends it: as the contact's phone decrypts it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, describe, expect, test } from 'vitest';
import { type Operation, operationsOf, readDocument } from '../../contract/operations.ts';
import { type Json, until } from '../harness.ts';
import { openShop } from '../shop.ts';
import { timerIn } from '../timers.ts';

const DAY = 86_400;
const WEEK = 604_800;

const { world, api, shop, friend } = await openShop({ settings: { WUTS_PACE_PER_MINUTE: '0' } });
afterAll(() => world.destroy());
// Whom the examples of the document write to.
const contact = await world.sandbox.createPhone({ number: '5511999999999', name: 'Contact' });
const group = (await shop.createGroup('Team', [contact, friend])).jid;
await contact.setChatTimer(shop.number, WEEK);
await shop.setGroupEphemeral({ jid: group }, WEEK);
const text = await until('the timers are known', async () => {
  const ids: string[] = [];
  for (const to of [contact.number, group]) {
    const { message_id: id } = (await api.post('/send/text', { to, text: 'Now?' })).body;
    if (!timerIn((await contact.waitForMessage((each) => each.id === id)).message)) return null;
    ids.push(id);
  }
  return ids[0];
});

const everySend = operationsOf(await readDocument(world.gateway.url)).filter(
  ({ body }) => body?.properties?.ephemeral_seconds && body.properties.typingDuration,
);

/** These speak of another message: they have neither a time of their own nor, of payments aside, a secret. */
const OF_ANOTHER = new Set(['sendReaction', 'cancelPayment', 'declinePayment']);

async function sent(operation: Operation, example: Json, more: object): Promise<string[]> {
  const { to: _, number: __, send_at: ___, ...body } = example;
  const to = operation.id === 'sendTextMentions' || body.mentions ? group : contact.number;
  const path = operation.path.replace('{id}', text);
  const answer = await api.post(path, { ...body, to, delay: 0, typingDuration: 0, ...more });
  expect(answer.status, answer.bytes.toString().slice(0, 400)).toBe(200);
  return [answer.body.message_id, ...(answer.body.items ?? []).map((item: Json) => item.message_id)];
}

async function carried(phone: Phone, id: string): Promise<[number | null, number, number | null]> {
  const { message } = await phone.waitForMessage((each) => each.id === id);
  const stored = (await api.get(`/messages/${id}`)).body.message;
  const secret = message.messageContextInfo?.messageSecret ?? [];
  return [timerIn(message)?.expiration ?? null, secret.length, stored.ephemeral];
}

test('all sends are tried', () => {
  expect(everySend.length).toBeGreaterThan(24);
});

describe.each(everySend.map((operation) => [operation.id, operation] as const))('%s', (id, operation) => {
  test.each(
    operation.examples.map((example, index) => [index, example] as const),
  )('example %i carries the timer of the chat or of the request, and its own secret', async (_, example) => {
    const [none, some] = [
      id === 'sendReaction' ? 0 : 32,
      (seconds: number) => (OF_ANOTHER.has(id) ? null : seconds),
    ];
    for (const each of await sent(operation, example, {})) {
      expect(await carried(contact, each)).toEqual([some(WEEK), none, some(WEEK)]);
    }
    for (const each of await sent(operation, example, { ephemeral_seconds: DAY })) {
      expect(await carried(contact, each)).toEqual([some(DAY), none, some(DAY)]);
    }
  });
});
