/** What a chat shows of a link, as the receiving phone decrypts it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FileServer, type Handler } from '../../bad-input/file-server.ts';
import type { Answer, Api, Json, World } from '../harness.ts';
import { jpeg } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let contact: Phone;
let picture: Buffer;

beforeAll(async () => {
  ({ world, api, contact } = await openShop({
    tenant: 'previews',
    settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' },
  }));
  picture = await jpeg();
});
afterAll(() => world.destroy());

async function sent(kind: string, body: object): Promise<{ answer: Answer; message: Json }> {
  const answer = await api.post(`/send/${kind}`, { to: contact.number, ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const { message } = await contact.waitForMessage(({ id }) => id === answer.body.message_id);
  return { answer, message };
}

/** What the phone shows of the text, `BASE` in it being the server's address. */
async function shown(text: string, handlers: Record<string, Handler>): Promise<Json> {
  const server = await FileServer.start(handlers);
  try {
    const said = text.replace('BASE', server.url);
    const { message } = await sent('text', { text: said, link_preview: true });
    const { matchedText, ...rest } = message.extendedTextMessage ?? {};
    return { ...rest, matchedText: matchedText?.replace(server.url, 'BASE'), asked: server.asked };
  } finally {
    await server.stop();
  }
}

const html =
  (bytes: string | Uint8Array, type = 'text/html'): Handler =>
  (_, response) =>
    response.setHeader('content-type', type).end(bytes);
const page = (title: string) => `<html><head><title>${title}</title></head></html>`;
const image: Handler = (_, response) => response.setHeader('content-type', 'image/jpeg').end(picture);

describe('the address in a text', () => {
  test.each([
    ['BASE/wiki/Foo_(bar)', 'BASE/wiki/Foo_(bar)'],
    ['BASE/wiki/Foo_(bar).', 'BASE/wiki/Foo_(bar)'],
    ['(see BASE/wiki/Foo_(bar))', 'BASE/wiki/Foo_(bar)'],
    ['(see BASE/menu)', 'BASE/menu'],
    ['[BASE/list[0]], and more', 'BASE/list[0]'],
    ['**BASE/menu**', 'BASE/menu'],
    ['“BASE/menu”!', 'BASE/menu'],
    ['请看（BASE/menu）。', 'BASE/menu'],
  ])('%s', async (text, address) => {
    const got = await shown(text, { [address.replace('BASE', '')]: html(page('Found')) });
    expect([got.matchedText, got.title]).toEqual([address, 'Found']);
  });
});

describe('the charset of a page', () => {
  const cyrillic = Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]);
  const headed = (meta: string, title: Uint8Array) =>
    Buffer.concat([Buffer.from(`<head>${meta}<title>`), title, Buffer.from('</title></head>')]);

  test.each([
    ['its header', headed('', cyrillic), 'text/html; charset=windows-1251', 'Привет'],
    ['its own declaration', headed('<meta charset="windows-1251">', cyrillic), 'text/html', 'Привет'],
    [
      'the older declaration',
      headed('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">', cyrillic),
      'text/html',
      'Привет',
    ],
    [
      'Japanese',
      headed('<meta charset=shift_jis>', Buffer.from([0x93, 0xfa, 0x96, 0x7b])),
      'text/html',
      '日本',
    ],
    ['nothing, and UTF-8', headed('', Buffer.from('São Paulo')), 'text/html', 'São Paulo'],
    ['nothing, and Latin 1', headed('', Buffer.from('São Paulo', 'latin1')), 'text/html', 'São Paulo'],
    ['a name that nobody knows', headed('<meta charset="x-none">', Buffer.from('São')), 'text/html', 'São'],
    [
      'a byte order mark',
      Buffer.from(`\ufeff${page('Olá')}`, 'utf16le'),
      'text/html; charset=iso-8859-1',
      'Olá',
    ],
  ])('by %s', async (_what, bytes, type, title) => {
    expect((await shown('BASE/', { '/': html(bytes, type) })).title).toBe(title);
  });
});

test('a relative picture is looked for where the page was at last', async () => {
  const og = '<meta property="og:image" content="picture.jpg">';
  const moved: Handler = (_, response) => response.writeHead(302, { location: '/new/place' }).end();
  const first = await shown('BASE/old', {
    '/old': moved,
    '/new/place': html(`<head><title>Moved</title>${og}</head>`),
    '/new/picture.jpg': image,
  });
  expect([first.asked, first.jpegThumbnail?.length > 100]).toEqual([
    ['/old', '/new/place', '/new/picture.jpg'],
    true,
  ]);
  const based = await shown('BASE/old', {
    '/old': html(`<head><base href="/files/"><title>Based</title>${og}</head>`),
    '/files/picture.jpg': image,
  });
  expect(based.jpegThumbnail.length).toBeGreaterThan(100);
});

test('the title of a picture in the page is not its title', async () => {
  const svg = '<svg viewBox="0 0 1 1"><title>Logo</title><g><path d="M0 0"/></g></svg>';
  const before = await shown('BASE/', { '/': html(`${svg}<title>The page</title>`) });
  const after = await shown('BASE/', { '/': html(`<title>The page</title>${svg}`) });
  expect([before.title, after.title]).toEqual(['The page', 'The page']);
});

test('read from the page, given by the caller, or left out', async () => {
  const page = `<!doctype html><html><head><title> Plain </title>
      <meta property="og:title" content="Caf&eacute; &amp; bar"><meta name="description" content="Open all day">
      <meta property="og:image" content="/picture.jpg"></head><body><title>other</title></body></html>`;
  const server = await FileServer.start({
    '/menu': (_, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end(page),
    '/picture.jpg': (_, response) => response.setHeader('content-type', 'image/jpeg').end(picture),
  });
  try {
    const text = `Look: ${server.url}/menu.`;
    const read = await sent('text', { text, link_preview: true });
    expect(read.answer.body.metadata.link_preview).toBe(true);
    expect(read.message.extendedTextMessage).toMatchObject({
      text,
      matchedText: `${server.url}/menu`,
      title: 'Café & bar',
      description: 'Open all day',
    });
    expect(read.message.extendedTextMessage.jpegThumbnail.length).toBeGreaterThan(100);

    const asked = server.asked.length;
    expect((await sent('text', { text })).message).toMatchObject({ conversation: text });
    expect(server.asked.length).toBe(asked);

    const missing = await sent('text', { text: `${server.url}/nothing`, link_preview: true });
    expect(missing.answer.body.metadata.link_preview).toBe(false);
    expect(missing.message.conversation).toBe(`${server.url}/nothing`);

    const own = await sent('text', { text, preview: { title: 'Ours', description: 'Said by us' } });
    expect(own.message.extendedTextMessage).toMatchObject({ title: 'Ours', description: 'Said by us' });
    expect(server.asked.length).toBe(asked + 1);
    const none = { to: contact.number, text: 'no link', preview: { title: 'x' } };
    const refused = await api.post('/send/text', none);
    expect([refused.status, refused.body.validation[0].field]).toEqual([400, 'preview.url']);
  } finally {
    await server.stop();
  }
});
