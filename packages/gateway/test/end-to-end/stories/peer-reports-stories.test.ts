/** What users of other gateways reported about stories and channels, replayed. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { jpeg } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
let picture: string;
let channel: string;

beforeAll(async () => {
  ({ world, api, shop, contact, friend } = await openShop({ tenant: 'story-reports' }));
  picture = (await jpeg()).toString('base64');
  channel = (await api.post('/newsletters', { name: 'Offers', description: null, picture: '' })).body
    .newsletter.jid;
});
afterAll(() => world.destroy());

const got = (phone: Phone, id: string) => phone.waitForMessage((message) => message.id === id);

async function posted(body: object, path = '/status/text'): Promise<Json> {
  const answer = await api.post(path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

describe('a story', () => {
  test('for nobody in particular, of an account without contacts, is answered (evolution-api 2377)', async () => {
    const body = await posted({ text: 'Hello?' });
    expect(body).toMatchObject({ recipients: 1, reached: 1 });
    await got(shop, body.message_id);
  });

  test('is seen on our own phone, whoever was named (evolution-api 2528, 679; waha 320)', async () => {
    for (const audience of [
      [contact.number],
      [contact.jid, shop.jid],
      [contact.lid, shop.number, shop.lid],
    ]) {
      const body = await posted({ text: 'Open', audience });
      expect(body).toMatchObject({ recipients: 2, reached: 2 });
      for (const phone of [shop, contact]) {
        await got(phone, body.message_id);
        await phone.idle();
        expect(phone.inbox.filter(({ id }) => id === body.message_id)).toHaveLength(1);
      }
    }
  });

  test('of text is of the kind that all apps show, also without colours (n8n-nodes-evolution-api 19)', async () => {
    for (const looks of [{}, { background_color: null, text_color: '', font: null }, { font: 1 }]) {
      const { message_id: id } = await posted({ text: 'Plain', audience: [contact.number], ...looks });
      const { message } = await got(contact, id);
      expect(message.conversation ?? '').toBe('');
      expect(message.extendedTextMessage).toMatchObject({
        text: 'Plain',
        backgroundArgb: expect.any(Number),
      });
    }
  });

  test('with a file takes what says nothing (evolution-api 383, 1229)', async () => {
    const nothing = { caption: null, view_once: null, mime_type: '', url: null };
    const body = { media_type: 'image', data: picture, audience: [contact.number], ...nothing };
    const { message_id: id } = await posted(body, '/status/media');
    expect(await got(contact, id)).toMatchObject({ kind: 'image' });
  });

  test('goes to everybody who is there, each once (waha 1002, 1204)', async () => {
    const spelt = [contact.number, `+${contact.number}`, contact.jid, contact.lid, friend.number];
    const body = await posted({ text: 'Once', audience: spelt });
    expect(body).toMatchObject({ recipients: 3, reached: 3 });
    await got(friend, body.message_id);
  });

  test.each([
    ['a group', '120363041234567890@g.us'],
    ['a channel', '120363041234567890@newsletter'],
    ['the stories', 'status@broadcast'],
    ['no number', 'everybody'],
  ])('is for people, not for %s', async (_what, name) => {
    const { status, body } = await api.post('/status/text', { text: 'x', audience: [contact.number, name] });
    expect([status, body.error_code], JSON.stringify(body)).toEqual([400, 'INVALID_REQUEST']);
  });

  test('counts who is not on WhatsApp, and goes to the others (waha 1204)', async () => {
    const { message_id: id } = await posted({ text: 'x', audience: ['5511900000001', contact.number] });
    await got(contact, id);
    const { story } = (await api.get(`/stories/${id}`)).body;
    expect(story).toMatchObject({ state: 'posted', recipients: 3, reached: 3, refused: 1 });
  });
});

describe('a channel', () => {
  const code = async (): Promise<string> =>
    (await api.get(`/newsletters/${channel}/invite`)).body.invite_code;

  test('is found by its link as by its code (nstar-y/bail 14)', async () => {
    const invite = await code();
    for (const name of [
      invite,
      `https://whatsapp.com/channel/${invite}`,
      `https://www.whatsapp.com/channel/${invite}`,
      // As they are shared: with what apps and trackers append, and of one post.
      `https://whatsapp.com/channel/${invite}?mode=wwt`,
      `https://whatsapp.com/channel/${invite}/175`,
      `HTTPS://WhatsApp.com/channel/${invite}/#top`,
      ` whatsapp.com/channel/${invite}/ `,
    ]) {
      const { status, body } = await api.get(`/newsletters/${encodeURIComponent(name)}`);
      expect(status, JSON.stringify(body)).toBe(200);
    }
  });

  test('takes texts like any chat (Baileys 2195)', async () => {
    const { status, body } = await api.post('/send/text', { number: channel, text: 'By the usual way' });
    expect(status, JSON.stringify(body)).toBe(200);
    const { messages } = (await api.get(`/newsletters/${channel}/messages`)).body;
    expect(JSON.stringify(messages)).toContain('By the usual way');
  });

  test('lets a post with a file be taken back (whatsmeow 760, waha 2236)', async () => {
    const made = await api.post(`/newsletters/${channel}/media`, { media_type: 'image', media: picture });
    expect(made.status, JSON.stringify(made.body)).toBe(200);
    const id = made.body.message_id;
    const strange = await api.delete(
      `/newsletters/${channel}/messages/${encodeURIComponent(`true_${channel}_${id}`)}`,
    );
    expect(strange.status).toBe(404);
    const taken = await api.delete(`/newsletters/${encodeURIComponent(channel)}/messages/${id}`);
    expect(taken.status, JSON.stringify(taken.body)).toBe(200);
    const { messages } = (await api.get(`/newsletters/${channel}/messages`)).body;
    expect(messages.some((each: Json) => each.message_id === id && each.text)).toBe(false);
  });

  test('of others may bring what nobody knows (Baileys 628)', async () => {
    const owner = world.sandbox.network.directory.resolve(contact.jid);
    if (!owner) throw new Error('the contact has an account');
    const news = world.sandbox.network.newsletters.create('News', { owner }).jid;
    expect((await api.post(`/newsletters/${news}/subscribe`)).status).toBe(200);
    const device = `${shop.number}:${shop.companions[0]}@s.whatsapp.net`;
    const attrs = { from: news, server_id: '7', t: '1790000000', type: 'text' };
    const odd = [{}, { content: [] }, { content: [{ tag: 'plaintext', attrs: {} }] }];
    for (const [index, content] of odd.entries()) {
      world.sandbox.inject(device, { tag: 'message', attrs: { ...attrs, id: `ODD${index}` }, ...content });
    }
    await world.sandbox.waitForAcknowledged(device);
    const { id } = await contact.channels.post(news, 'After it');
    await untilReceived(api, id);
    await until('the device is well', async () => (await api.get('/status')).body.data.connected === true);
  });
});
