/** Albums, as the receiving phone shows them. */
import type { Phone, PhoneMessage } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FileServer } from '../../bad-input/file-server.ts';
import type { Answer, Api, Json, World } from '../harness.ts';
import { jpeg, mp4, sha256 } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let token: string;
let shop: Phone;
let contact: Phone;
let server: FileServer;
let pictures: Buffer[];
let video: Buffer;

beforeAll(async () => {
  ({ world, token, api, shop, contact } = await openShop({
    tenant: 'albums',
    settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' },
  }));
  pictures = [await jpeg(), await jpeg(), await jpeg()];
  video = mp4();
  server = await FileServer.start({
    '/one.jpg': (_, response) => response.setHeader('content-type', 'image/jpeg').end(pictures[0]),
  });
});
afterAll(async () => {
  await server.stop();
  await world.destroy();
});

const base64 = (bytes: Buffer | undefined): string => (bytes ?? Buffer.alloc(0)).toString('base64');

const send = (body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  api.post('/send/album', { to: contact.number, ...body }, headers);

async function hashes(items: readonly PhoneMessage[]): Promise<string[]> {
  return Promise.all(items.map(async (item) => sha256(await contact.downloadMedia(item))));
}

describe('what is sent as one', () => {
  test('is one album on the phone, in its order, whole, with captions', async () => {
    const answer = await send({
      media: [
        { type: 'image', url: `${server.url}/one.jpg`, caption: 'The front' },
        { image: base64(pictures[1]) },
        { type: 'video', base64: base64(video), caption: 'The film' },
        { type: 'image', base64: `data:image/jpeg;base64,${base64(pictures[2])}` },
      ],
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const { message_id: id, items } = answer.body;
    expect(answer.body).toMatchObject({ success: true, status: 'sent', chat_jid: contact.jid });
    expect(items.map((each: Json) => each.status)).toEqual(['sent', 'sent', 'sent', 'sent']);

    const shown = await contact.waitForAlbum(id);
    expect(shown.map((each) => each.id)).toEqual(items.map((each: Json) => each.message_id));
    expect(shown.map(({ kind, text }) => [kind, text])).toEqual([
      ['image', 'The front'],
      ['image', undefined],
      ['video', 'The film'],
      ['image', undefined],
    ]);
    expect(await hashes(shown)).toEqual(
      [pictures[0], pictures[1], video, pictures[2]].map((b) => sha256(b ?? video)),
    );
    const album = contact.inbox.find((each) => each.id === id);
    expect(album?.message.albumMessage).toMatchObject({ expectedImageCount: 3, expectedVideoCount: 1 });
    const inChat = contact
      .conversation(shop)
      .filter((each) => [id, ...shown.map((s) => s.id)].includes(each.id));
    expect(inChat.map(({ kind }) => kind)).toEqual(['album']);
    for (const { message } of [album, ...shown].filter((each) => each !== undefined)) {
      expect(message.messageContextInfo?.messageSecret).toHaveLength(32);
    }
    const stored = (await api.get(`/messages/${id}`)).body.message;
    expect(stored.message_type).toBe('album');
  });

  test('comes as the files of a multipart request, too', async () => {
    const form = new FormData();
    form.set('number', contact.number);
    form.set('captions', JSON.stringify(['', 'The second']));
    form.append('media', new Blob([new Uint8Array(pictures[0] ?? [])], { type: 'image/jpeg' }), 'one.jpg');
    form.append('media', new Blob([new Uint8Array(video)], { type: 'video/mp4' }), 'two.mp4');
    const response = await fetch(`${world.gateway.url}/send/album`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    const body = (await response.json()) as Json;
    expect(response.status, JSON.stringify(body)).toBe(200);
    const shown = await contact.waitForAlbum(body.message_id);
    expect(shown.map(({ kind, text }) => [kind, text])).toEqual([
      ['image', undefined],
      ['video', 'The second'],
    ]);
    expect(await hashes(shown)).toEqual([sha256(pictures[0] ?? video), sha256(video)]);
  });

  test('with an item that cannot be sent, has the others, and says which it was', async () => {
    const answer = await send({
      media: [
        { type: 'image', base64: base64(Buffer.from('no picture')) },
        { image: base64(pictures[0]) },
        { type: 'image', url: `${server.url}/missing.jpg` },
        { image: base64(pictures[1]), caption: 'Arrives' },
      ],
    });
    expect([answer.status, answer.body.status]).toEqual([200, 'partial']);
    expect(answer.body.items).toMatchObject([
      { message_id: null, status: 'failed', error_code: 'INVALID_MEDIA' },
      { status: 'sent' },
      { message_id: null, status: 'failed', error_code: 'INVALID_MEDIA' },
      { status: 'sent' },
    ]);
    const shown = await contact.waitForAlbum(answer.body.message_id);
    expect(shown.map(({ text }) => text)).toEqual([undefined, 'Arrives']);
    const album = contact.inbox.find((each) => each.id === answer.body.message_id);
    expect(album?.albumSize).toBe(2);
  });

  test('is not sent at all when none of it can be', async () => {
    const before = contact.inbox.length;
    const bad = { type: 'image', base64: base64(Buffer.from('no picture')) };
    const answer = await send({ media: [bad, bad] });
    expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
    expect(contact.inbox.length).toBe(before);
  });

  test('is sent once under one Idempotency-Key', async () => {
    const body = { media: [{ image: base64(pictures[0]) }, { image: base64(pictures[1]) }] };
    const first = await send(body, { 'idempotency-key': 'album-1' });
    const again = await send(body, { 'idempotency-key': 'album-1' });
    expect([again.status, again.body]).toEqual([200, first.body]);
    const other = await send({ media: [...body.media].reverse() }, { 'idempotency-key': 'album-1' });
    expect([other.status, other.body.error_code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    await contact.waitForAlbum(first.body.message_id);
    const ids = contact.inbox.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('disappears, mentions and answers as a whole', async () => {
    const { id } = await contact.sendText(shop.number, 'Show me');
    const answer = await send({
      media: [
        { image: base64(pictures[0]), caption: `For @${contact.number}` },
        { image: base64(pictures[1]) },
      ],
      mentioned: [contact.number],
      quoted: { message_id: id, participant: contact.jid, body: 'Show me' },
      ephemeral_seconds: 86_400,
    });
    const shown = await contact.waitForAlbum(answer.body.message_id);
    const album = contact.inbox.find((each) => each.id === answer.body.message_id);
    const context = { expiration: 86_400, mentionedJid: [contact.jid] };
    expect(album?.message.albumMessage?.contextInfo).toMatchObject({ ...context, stanzaId: id });
    for (const { message } of shown) expect(message.imageMessage?.contextInfo).toMatchObject(context);
  });
});

test.each([
  ['one alone', () => [{ url: 'https://example.com/a.jpg', type: 'image' }], 'media'],
  ['none', () => undefined, 'media'],
  ['31', () => Array.from({ length: 31 }, () => ({ image_url: 'https://example.com/a.jpg' })), 'media'],
  ['two sources', () => [{ image: 'aGk=', image_url: 'https://example.com/a.jpg' }], 'media.0.image'],
  ['no source', () => [{ type: 'image' }], 'media.0.url'],
  ['no type', () => [{ url: 'https://example.com/a.jpg' }], 'media.0.type'],
  ['another type', () => [{ type: 'video', image: 'aGk=' }], 'media.0.type'],
  ['a document', () => [{ type: 'document', url: 'https://example.com/a.pdf' }], 'media.0.type'],
  ['a long caption', () => [{ image: 'aGk=', caption: 'x'.repeat(1025) }], 'media.0.caption'],
])('%s is refused, and nothing is sent', async (_what, items, field) => {
  const before = contact.inbox.length;
  const media = items();
  const padded = media?.length === 1 && field !== 'media' ? [...media, { image: 'aGk=' }] : media;
  const answer = await send({ media: padded });
  expect([answer.status, answer.body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
  expect(answer.body.validation.map((each: Json) => each.field)).toContain(field);
  expect(contact.inbox.length).toBe(before);
});
