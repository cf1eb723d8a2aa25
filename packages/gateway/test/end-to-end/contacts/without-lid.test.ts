/** People whom WhatsApp's server knows by number alone: it gives no LID of them, wherever it names them. */
import type { NetworkGroup, Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, until, untilReceived, World } from '../harness.ts';

let world: World;
beforeAll(async () => {
  world = await World.create({ settings: { WUTS_PACE_PER_MINUTE: '0' } });
});
afterAll(() => world?.destroy());

let numbers = 5_511_944_440_000;
const phone = (name: string, lid?: null): Promise<Phone> => {
  numbers += 1;
  return world.sandbox.createPhone({ number: `${numbers}`, name, ...(lid === null ? { lid } : {}) });
};

/** A group that the first has made. */
function groupOf(subject: string, addressingMode: 'lid' | 'pn', members: Phone[]): NetworkGroup {
  const { directory, groups } = world.sandbox.network;
  const accounts = members.flatMap(({ number }) => directory.byUser(number) ?? []);
  const [creator, ...participants] = accounts;
  if (!creator) throw new Error('nobody makes the group');
  return groups.create({ subject, creator, participants, addressingMode });
}

describe.each([
  ['an account with a LID', undefined],
  ['an account without one', null],
] as const)('%s', (name, lid) => {
  let api: Api;
  let shop: Phone;
  let ana: Phone;
  let bia: Phone;
  beforeAll(async () => {
    [shop, ana, bia] = [await phone('Shop', lid), await phone('Ana', null), await phone('Bia')];
    const token = await world.tenant(name.replaceAll(' ', '-'));
    api = world.as(token);
    await world.linkByQr(token, shop);
  });

  const comes = (to: Phone, id: string) => to.waitForMessage((message) => message.id === id);

  test('writes to somebody without a LID, and hears of it', async () => {
    const answer = await api.post('/send/text', { number: ana.number, text: 'hello Ana' });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const { message_id } = answer.body;
    expect(await comes(ana, message_id)).toMatchObject({ text: 'hello Ana', from: shop.jid, chat: shop.jid });
    // The copy for the account's own phone.
    expect(await comes(shop, message_id)).toMatchObject({ chat: ana.jid, fromMe: true });
    await ana.markRead(shop, [message_id]);
    await until('it is read', async () => {
      const { body } = await api.get(`/messages/${message_id}/status`);
      return body.status === 'read';
    });
  });

  test('hears somebody without a LID', async () => {
    const { id } = await ana.sendText(shop, 'hello shop');
    await untilReceived(api, id);
    const { events } = (await api.get('/events?event=message.received&limit=200')).body;
    const found = events.find((event: { data: { message_id: string } }) => event.data.message_id === id);
    expect(found.data).toMatchObject({ chat_jid: ana.jid, sender: { jid: ana.jid, lid: null } });
    await api.post('/send/text', { number: ana.number, text: 'and back' });
    await ana.waitForMessage(({ text }) => text === 'and back');
  });

  test.each(['lid', 'pn'] as const)('writes to a group that names people by %s', async (addressing) => {
    // Nobody has a session with her before.
    const cida = await phone('Cida', null);
    const group = groupOf(`By ${addressing}`, addressing, [shop, cida, bia]);
    for (const text of ['with keys', 'without keys']) {
      const answer = await api.post('/send/text', { number: group.jid, text });
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      for (const member of [cida, bia, shop]) {
        expect(await comes(member, answer.body.message_id)).toMatchObject({ text, chat: group.jid });
      }
    }
    const { id } = await cida.sendText(group, 'from Cida');
    await untilReceived(api, id);
  });

  test('writes to a group in which only admins write', async () => {
    const cida = await phone('Cida', null);
    const group = await shop.createGroup('News', [cida, bia]);
    await shop.setGroupSetting(group, 'announcement');
    const { body } = await api.post('/send/text', { number: group.jid, text: 'news' });
    for (const member of [cida, bia]) {
      expect(await comes(member, body.message_id)).toMatchObject({ text: 'news' });
    }
  });
});
