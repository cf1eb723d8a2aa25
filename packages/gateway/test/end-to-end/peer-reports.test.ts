/** What users of other gateways reported about captions, quotes and the status, replayed. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Api, type Json, until, untilReceived, type World } from './harness.ts';
import { jpeg, mp4 } from './samples.ts';
import { openShop } from './shop.ts';

let world: World;
let api: Api;
let token: string;
let deviceId: string;
let shop: Phone;
let contact: Phone;
let friend: Phone;
let image: string;

beforeAll(async () => {
  ({ world, api, token, deviceId, shop, contact, friend } = await openShop({ tenant: 'reports' }));
  image = (await jpeg()).toString('base64');
});
afterAll(() => world.destroy());

const got = async (answer: Answer, phone = contact) => {
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return phone.waitForMessage((each) => each.id === answer.body.message_id);
};

describe('captions', () => {
  const send = (kind: string, body: object) => api.post(`/send/${kind}`, { number: contact.number, ...body });

  test.each([
    ['null (evolution-api 2517)', null, undefined],
    ['empty', '', undefined],
    ['two lines with an emoji and a tab (Instagram-API 1815)', 'One\n\ntwo\t🎉', 'One\n\ntwo\t🎉'],
    ['spaces around it', '  aside  ', '  aside  '],
    ['accents in either form', 'Acá, olé, a\u0301', 'Acá, olé, a\u0301'],
    ['from right to left', 'שלום 🎈 عربي', 'שלום 🎈 عربي'],
    ['1024 emoji', '🎈'.repeat(1024), '🎈'.repeat(1024)],
    ['what looks like markup', '<b>&amp;</b> *bold* {{y}}', '<b>&amp;</b> *bold* {{y}}'],
  ])('of a picture: %s', async (_what, caption, shown) => {
    const { kind, text } = await got(await send('image', { image, caption }));
    expect([kind, text]).toEqual(['image', shown]);
  });

  test('of a video and of a document come with their file (whatsapp-telegram-bridge 4)', async () => {
    const video = await got(await send('video', { video: mp4().toString('base64'), caption: 'The film' }));
    expect([video.kind, video.text]).toEqual(['video', 'The film']);
    const document = { document: image, filename: 'menu.jpg', caption: 'The menu' };
    const file = await got(await send('document', document));
    expect([file.kind, file.text]).toEqual(['document', 'The menu']);
    expect((await contact.downloadMedia(file)).toString('base64')).toBe(image);
  });

  test('in a multipart form keep their accents, and flags are flags (evolution-go 2)', async () => {
    const form = new FormData();
    for (const [name, value] of Object.entries({
      number: contact.number,
      caption: 'Acá para vcs',
      viewOnce: 'true',
    }))
      form.set(name, value);
    form.set('image', new Blob([new Uint8Array(Buffer.from(image, 'base64'))]), 'ação.jpg');
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${world.gateway.url}/send/image`, { method: 'POST', headers, body: form });
    const body = (await response.json()) as Json;
    const { text, message } = await got({ status: response.status, body } as Answer);
    expect(text).toBe('Acá para vcs');
    expect(JSON.stringify(message)).toContain('"viewOnce":true');
  });

  test('of a document that comes in are its content, and its file is there (waha 345)', async () => {
    const bytes = Buffer.from('%PDF-1.4\nprices');
    const sent = await contact.sendDocument(shop.number, { bytes, fileName: 'p.pdf', caption: 'Prices' });
    await untilReceived(api, sent.id);
    const { message } = (await api.get(`/messages/${sent.id}`)).body;
    expect(message).toMatchObject({
      message_type: 'document',
      content: 'Prices',
      media: { file_name: 'p.pdf' },
    });
    expect((await api.get(`/messages/${sent.id}/media`)).bytes).toEqual(bytes);
  });
});

describe('quotes', () => {
  /** The quote that the contact's phone shows. */
  const quoteOf = async (body: object, phone = contact): Promise<Json> => {
    const { message } = await got(
      await api.post('/send/text', { number: contact.number, text: 'ok', ...body }),
      phone,
    );
    return message.extendedTextMessage?.contextInfo;
  };
  const fromContact = async (text: string, to = shop.number): Promise<string> => {
    const { id } = await contact.sendText(to, text);
    await untilReceived(api, id);
    return id;
  };

  test('of an id alone have their content and author (evolution-go 189, evolution-api 1587)', async () => {
    const id = await fromContact('Where are you?');
    const expected = {
      stanzaId: id,
      participant: contact.jid,
      quotedMessage: { conversation: 'Where are you?' },
    };
    for (const quoted of [
      { message_id: id },
      { key: { id } },
      { key: { id, participant: '' }, message: null },
      { key: { id, remoteJid: contact.jid, fromMe: false }, message: { conversation: 'said otherwise' } },
      { key: { id, remoteJid: contact.lid, participant: contact.lid } },
      { messageId: id, participant: '' },
    ]) {
      expect(await quoteOf({ quoted }), JSON.stringify(quoted)).toMatchObject(expected);
    }
  });

  test('of a message of ours name us, in a chat and in a group (go-whatsapp 217)', async () => {
    const group = await contact.createGroup('Quotes', [shop, friend]);
    for (const number of [contact.number, group.jid]) {
      const own = await got(await api.post('/send/text', { number, text: 'We open at nine' }));
      for (const key of [{ id: own.id }, { id: own.id, fromMe: true }]) {
        const quote = await quoteOf({ number, quoted: { key } });
        expect(quote).toMatchObject({ stanzaId: own.id, quotedMessage: { conversation: 'We open at nine' } });
        expect([shop.jid, shop.lid]).toContain(quote.participant);
      }
    }
  });

  test('of another member in a group name that member (wa-automate-nodejs 3025)', async () => {
    const group = await contact.createGroup('Members', [shop, friend]);
    const { id } = await friend.sendText(group.jid, 'Mine');
    await untilReceived(api, id);
    const quote = await quoteOf({ number: group.jid, quoted: { key: { id } } });
    expect([friend.jid, friend.lid]).toContain(quote.participant);
    expect(quote.quotedMessage).toMatchObject({ conversation: 'Mine' });
    // In another chat there is no such message: no card that shows somebody else.
    const elsewhere = await quoteOf({ quoted: { key: { id } } });
    expect(elsewhere?.stanzaId).toBeUndefined();
  });

  test('of what quoted another one are not nested (Baileys 103)', async () => {
    const first = await fromContact('The first');
    const second = (
      await api.post('/send/text', { number: contact.number, text: 'Two', quoted: { message_id: first } })
    ).body.message_id;
    const quote = await quoteOf({ quoted: { message_id: second } });
    expect(JSON.stringify(quote)).toContain('Two');
    expect(JSON.stringify(quote)).not.toContain('The first');
  });

  test('that say nothing are none, in every kind (evolution-api 2517)', async () => {
    // The last is how a program in Go writes one that it does not set.
    const unset = {
      key: { id: '', fromMe: false, participant: '' },
      message: null,
      message_id: '',
      body: '',
    };
    for (const quoted of [null, undefined, {}, { key: null }, unset]) {
      expect((await quoteOf({ quoted }))?.stanzaId, JSON.stringify(quoted)).toBeUndefined();
    }
    const nameless = { number: contact.number, text: 'x', quoted: { ...unset, body: 'What did they say?' } };
    expect((await api.post('/send/text', nameless)).body.validation[0].field).toBe('quoted');
    const answer = { number: contact.number, selected_button_id: 'yes', quoted: unset };
    expect((await api.post('/send/buttons-response', answer)).body.validation[0].field).toBe('quoted');
    const id = await fromContact('Send me a picture');
    const { message } = await got(
      await api.post('/send/image', { number: contact.number, image, quoted: { message_id: id } }),
    );
    expect(message.imageMessage?.contextInfo).toMatchObject({ stanzaId: id, participant: contact.jid });
  });
});

describe('GET /status', () => {
  const status = async (query = '', as = api): Promise<Json> => {
    const answer = await as.get(`/status${query}`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body.data;
  };

  test('of a device that only shows a code is not connected (baileys-api 75)', async () => {
    const other = world.as(await world.tenant('unlinked'));
    expect(await status('', other)).toMatchObject({ connected: false, is_logged_in: false });
    expect((await other.get('/qr')).status).toBe(200);
    expect(await status('', other)).toMatchObject({ connected: false, is_logged_in: false });
    // Asked again and again, each of them answers for itself (wuzapi 81, 133).
    for (const path of ['/connect', '/disconnect', '/connect']) {
      const answer = await other.post(path, {});
      expect(answer.status, `${path} ${JSON.stringify(answer.body)}`).toBeLessThan(500);
    }
    expect((await other.get('/qr')).status).toBe(200);
  });

  test('takes what clients write where nothing is meant', async () => {
    for (const query of ['', '?device_id=', `?device_id=${deviceId}`, `?deviceId=${deviceId}`, '?foo=bar']) {
      expect(await status(query), query).toMatchObject({ connected: true, is_logged_in: true });
    }
    expect((await status('?device_id=nobody')).connected).toBe(false);
  });

  test('agrees with the list (waxum 33), and with what a send says, when the network is gone (evolution-api 1398)', async () => {
    const agree = async (connected: boolean): Promise<void> => {
      await until(`connected is ${connected}`, async () => (await status()).connected === connected);
      const [device] = (await api.get('/devices')).body.devices;
      expect(device.connected).toBe(connected);
      const sent = await api.post('/send/text', { number: contact.number, text: 'hello' });
      expect(sent.status).toBe(connected ? 200 : 503);
    };
    await agree(true);
    expect((await api.post('/disconnect', {})).status).toBe(200);
    await agree(false);
    // Still linked, and it comes back without a code (wuzapi 90).
    expect(await status()).toMatchObject({ is_logged_in: true });
    expect((await api.post('/connect', {})).status).toBe(200);
    await agree(true);
    expect((await api.post('/connect', {})).status).toBeLessThan(500);
  });
});

test('405 names the methods that the document has of the path, and no others (schemathesis)', async () => {
  const { paths } = (await api.get('/openapi.json')).body;
  const written = Object.keys(paths).filter((path) => !path.includes('{'));
  expect(written.length).toBeGreaterThan(50);
  for (const path of written) {
    const has = Object.keys(paths[path]).map((method) => method.toUpperCase());
    const other = ['PATCH', 'PUT'].find((method) => !has.includes(method));
    if (other === undefined) continue;
    const answer = await api.call(other, path, {});
    // Another operation may be meant: `PUT /messages/{messageId}`.
    if (answer.status !== 405) continue;
    const allowed = (answer.headers.get('allow') ?? '').split(', ').filter((method) => method !== 'HEAD');
    expect(allowed, path).toEqual([...has].sort());
  }
});
