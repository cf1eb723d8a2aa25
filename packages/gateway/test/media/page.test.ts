/** The beginning of a web page, and how its characters are read. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPage } from '../../src/media/outgoing/page.ts';
import { GuardedClient } from '../../src/net/guarded-client.ts';

let server: Server;
let client: GuardedClient;
let base: string;
let answer: RequestListener;

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new GuardedClient({ allowNetworks: ['127.0.0.1/32'] });
});
afterAll(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const served = (body: string | Uint8Array, type?: string, status = 200): RequestListener => {
  return (_request, response) => {
    response.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body);
  };
};

test('its text, and where it was at last', async () => {
  answer = (request, response) => {
    if (request.url === '/old') response.writeHead(302, { location: '/new' }).end();
    else served(`for ${request.headers.accept}`, 'text/html')(request, response);
  };
  expect(await readPage(client, `${base}/old`)).toEqual({ html: 'for text/html', url: `${base}/new` });
});

test.each([
  ['text/html', 200, true],
  ['Text/HTML; charset=utf-8', 200, true],
  ['application/xhtml+xml', 200, true],
  ['text/plain', 200, false],
  ['x-text/html', 200, false],
  ['x-application/xhtml+xml', 200, false],
  [undefined, 200, false],
  ['text/html', 201, false],
  ['text/html', 404, false],
])('of type %s with status %i it is one: %s', async (type, status, is) => {
  answer = served('<p>', type, status);
  expect(await readPage(client, base)).toEqual(is ? { html: '<p>', url: `${base}/` } : null);
});

test('nothing comes of an address that does not answer', async () => {
  answer = (request) => request.socket.destroy();
  expect(await readPage(client, base)).toBeNull();
  expect(await readPage(client, 'http://127.0.0.2/')).toBeNull();
});

test('half a megabyte and no more is read; of what is no page nothing', async () => {
  const half = 512 * 1024;
  answer = served(Buffer.alloc(half - 1, 'x'), 'text/html');
  expect((await readPage(client, base))?.html).toHaveLength(half - 1);
  for (const [type, status] of [
    ['text/html', 200],
    ['text/plain', 200],
  ] as const) {
    let closed: Promise<unknown> = Promise.resolve();
    answer = (_request, response) => {
      closed = once(response, 'close');
      // Just so much, and then nothing more for as long as somebody listens.
      response.writeHead(status, { 'content-type': type }).write(Buffer.alloc(half, 'x'));
    };
    const page = await readPage(client, base);
    expect(page?.html.length).toBe(type === 'text/html' ? half : undefined);
    await closed;
  }
});

const HELLO = [0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2];
/** A page that says this in Cyrillic Windows letters after `head`. */
const cyrillic = (head: string) => Buffer.concat([Buffer.from(head), Buffer.from(HELLO)]);
const older = (content: string, name = 'Content-Type') => `<meta http-equiv="${name}" content="${content}">`;

test.each([
  ['text/html; charset=windows-1251', ''],
  ['text/html; Charset="windows-1251"', ''],
  ["text/html; charset='windows-1251'", ''],
  ['text/html', '<meta charset="windows-1251">'],
  ['text/html', '<meta charset=" windows-1251 ">'],
  ['text/html', '<META CHARSET=windows-1251>'],
  ['text/html', '<link charset="utf-8"><meta charset="windows-1251"><meta charset="utf-8">'],
  ['text/html', older('text/html; charset=windows-1251')],
  ['text/html', older('text/html; CHARSET= windows-1251', 'content-type')],
  ['text/html', older("text/html; charset='windows-1251'")],
  ['text/html', `<meta http-equiv="content-type"><meta name="x">${older('text/html; charset=windows-1251')}`],
  ['text/html', `<meta charset=" ">${older('text/html; charset=windows-1251')}`],
  // What was told outside of the page counts for more, and a name that nobody knows for nothing.
  ['text/html; charset=windows-1251', '<meta charset="utf-8">'],
  ['text/html; charset=x-none', '<meta charset="windows-1251">'],
  ['text/html; charset=', '<meta charset="windows-1251">'],
])('as %s with %s it is in windows-1251', async (type, head) => {
  answer = served(cyrillic(head), type);
  expect((await readPage(client, base))?.html).toBe(`${head}Привет`);
});

test.each([
  ['other metadata', older('text/html; charset=windows-1251', 'x-content-type')],
  ['metadata of a longer name', older('text/html; charset=windows-1251', 'content-types')],
  ['another element', '<link charset="windows-1251">'],
  ['words outside of any', 'charset=windows-1251'],
  ['what stands too far behind', `${' '.repeat(4096)}<meta charset="windows-1251">`],
  ['a name that nobody knows', '<meta charset="x-none">'],
])('%s declare nothing: it is Latin 1', async (_what, head) => {
  answer = served(cyrillic(head), 'text/html');
  expect((await readPage(client, base))?.html).toBe(`${head}${Buffer.from(HELLO).toString('latin1')}`);
});

test.each([
  ['with a mark', Buffer.from('\ufeffOlá')],
  ['with no mark', Buffer.from('Olá')],
  ['that says UTF-16, in bytes of one', Buffer.from('<meta charset="utf-16">Olá')],
  ['that says UTF16, in bytes of one', Buffer.from('<meta charset="UTF16le">Olá')],
  ['cut off within a character', Buffer.concat([Buffer.from('Olá'), Buffer.from([0xc3])])],
])('UTF-8 %s', async (_what, bytes) => {
  answer = served(bytes, 'text/html');
  expect((await readPage(client, base))?.html).toMatch(/Olá$/);
});

test.each([
  ['little-endian', Buffer.from('\ufeffOlá', 'utf16le')],
  ['big-endian', Buffer.from('\ufeffOlá', 'utf16le').swap16()],
  ['in eight bits', Buffer.from('\ufeffOlá')],
])('Unicode by its mark, whatever else is said: %s', async (_what, bytes) => {
  answer = served(bytes, 'text/html; charset=windows-1251');
  expect((await readPage(client, base))?.html).toBe('Olá');
});

test('a name that only ends as UTF-16 does is another one', async () => {
  answer = served(cyrillic('<meta charset="x-utf-16"><meta charset="windows-1251">'), 'text/html');
  expect((await readPage(client, base))?.html).toMatch(/Ïðèâåò$/);
});
