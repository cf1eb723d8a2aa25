/** What WhatsApp tells companions of without giving it to them (Baileys issues 1213, 1789 and 2105), and whom it is of. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, until, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({ tenant: 'kept' }));
});
afterAll(() => world.destroy());

/** The event of a message of which the server has nothing for a companion. */
async function told(
  id: string,
  attrs: Record<string, string>,
  unavailable: Record<string, string>,
): Promise<Json> {
  const device = `${shop.number}:${shop.companions[0]}@s.whatsapp.net`;
  const common = { id, t: '1790000000', type: 'media', notify: contact.name };
  world.sandbox.inject(device, {
    tag: 'message',
    attrs: { ...common, ...attrs },
    content: [{ tag: 'unavailable', attrs: unavailable }],
  });
  return until(`${id} is told`, async () => {
    const { events } = (await api.get('/events?event=message.undecryptable&limit=1000')).body;
    return events.find(({ data }: Json) => data.message_id === id)?.data;
  });
}

test.each([
  'view_once',
  'view_once_unavailable_fanout',
])('what can be opened once (%s) says so', async (type) => {
  const id = `ONCE${type.length}`;
  const from = { from: contact.lid, sender_pn: contact.jid, addressing_mode: 'lid' };
  expect(await told(id, from, { type })).toMatchObject({ view_once: true, chat_jid: contact.jid });
  const { message } = (await api.get(`/messages/${id}`)).body;
  expect(message).toMatchObject({ message_type: 'undecryptable', view_once: true });
});

test('anything else does not', async () => {
  expect(await told('OTHER1', { from: contact.jid }, {})).toMatchObject({ view_once: false });
});

test.each([
  ['a number', (): Record<string, string> => ({ from: `${contact.number}:99@hosted` })],
  ['a LID', () => ({ from: contact.lid.replace('@lid', ':99@hosted.lid') })],
])('a business that Meta hosts, by %s, is the one that is written to', async (what, names) => {
  const data = await told(`HOSTED${what.length}`, names(), {});
  expect([data.chat_jid, data.sender.jid, data.from]).toEqual([contact.jid, contact.jid, contact.jid]);
});
