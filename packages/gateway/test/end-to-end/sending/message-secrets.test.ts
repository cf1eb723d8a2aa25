/** The secret that every new message of ours carries, as the receiving phone decrypts it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Api, World } from '../harness.ts';
import { openShop } from '../shop.ts';
import { sendEachKind } from './kinds-of-sends.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let group: string;

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({ tenant: 'secrets' }));
  group = (await shop.createGroup('Team', [contact])).jid;
});
afterAll(() => world.destroy());

/** What the contact's phone finds in the message, as hexadecimal digits. */
async function secretOf(id: string): Promise<string | null> {
  const { message } = await contact.waitForMessage((each) => each.id === id);
  const secret = message.messageContextInfo?.messageSecret;
  return secret ? Buffer.from(secret).toString('hex') : null;
}

async function sent(path: string, body: object = {}, method = 'POST'): Promise<string> {
  const answer = await api.call(method, path, { to: contact.number, ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.message_id;
}

test('each new message has 32 random bytes of its own', async () => {
  const { ids } = await sendEachKind(sent, contact);
  ids.push(await sent('/send/text', { to: group, text: 'Hello all' }));
  const secrets = await Promise.all(ids.map(secretOf));
  for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(secrets).size).toBe(secrets.length);
});

test('what speaks of another message has none', async () => {
  const id = await sent('/send/text', { text: 'Hello' });
  const ids = [
    await sent('/send/reaction', { messageId: id, reaction: '👍' }),
    await sent(`/messages/${id}`, { message: 'Hello again' }, 'PUT'),
    await sent(`/messages/${id}/pin`),
  ];
  expect(await Promise.all(ids.map(secretOf))).toEqual([null, null, null]);
});

test('a message that is encrypted anew for a device keeps its secret', async () => {
  const id = await sent('/send/text', { text: 'Once more' });
  const first = await secretOf(id);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  contact = await world.sandbox.reregister(contact);
  const device = `${shop.number}:${shop.companions[0]}@s.whatsapp.net`;
  await contact.hostile.forgeReceipt(device, { type: 'retry', ids: [id] });
  expect(await secretOf(id)).toBe(first);
});
