import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jpeg, pdf, sha256 } from '../end-to-end/samples.ts';
import { FileServer, type Handler } from './file-server.ts';
import { expectRefused, LinkedShop } from './linked-shop.ts';

const MAX_BYTES = 1024 * 1024;
const TIME_CAP_MS = 4000;

let linked: LinkedShop;
let files: FileServer;
let picture: Buffer;
let invoice: Buffer;
beforeAll(async () => {
  picture = await jpeg();
  invoice = pdf();
  files = await FileServer.start({ ...GOOD, ...BAD });
  linked = await LinkedShop.create({
    WUTS_ALLOW_NETWORKS: '127.0.0.0/8',
    WUTS_MEDIA_MAX_BYTES: String(MAX_BYTES),
    WUTS_MEDIA_DOWNLOAD_TIMEOUT: `${TIME_CAP_MS}ms`,
  });
});
afterAll(async () => {
  await linked.world.destroy();
  await files.stop();
});

const to =
  (location: string): Handler =>
  (_request, response) =>
    void response.writeHead(302, { location }).end();

const GOOD: Record<string, Handler> = {
  '/photo.jpg': (_request, response) =>
    void response.writeHead(200, { 'content-type': 'image/jpeg' }).end(picture),
  '/invoice.pdf': (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/pdf' }).end(invoice),
  '/moved': to('/photo.jpg'),
  // Object stores keep how a file came to them, and tell it (noobaa-core issue 9138, ToolJet issue 8087).
  '/stored.jpg': (_request, response) =>
    void response.writeHead(200, { 'content-encoding': 'aws-chunked' }).end(picture),
};

/** Writes a piece and again one as soon as it was taken, until the other side has enough. */
const endless: Handler = (_request, response) => {
  const piece = Buffer.alloc(64 * 1024);
  response.writeHead(200, { 'content-type': 'image/jpeg' });
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
};

const BAD: Record<string, Handler> = {
  '/gone': (_request, response) => void response.writeHead(410).end('gone'),
  '/broken': (_request, response) => void response.writeHead(500).end('stack trace'),
  '/private': (_request, response) => void response.writeHead(401).end(),
  '/nothing': (_request, response) => void response.writeHead(200).end(),
  '/no-content': (_request, response) => void response.writeHead(204).end(),
  '/page': (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>not a picture</h1>'),
  '/compressed': (_request, response) =>
    void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(MAX_BYTES))),
  '/half': (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half', () => response.destroy());
  },
  '/hang-up': (request) => void request.socket.destroy(),
  '/nonsense': (request) => void request.socket.end('this is not HTTP\r\n\r\n'),
  '/loop': to('/loop'),
  '/to-ipv6-loopback': to('http://[::1]:9/'),
  '/to-metadata': to('http://169.254.169.254/latest/meta-data/'),
  '/to-private': to('http://10.0.0.1/'),
  '/to-file': to('file:///etc/passwd'),
  '/to-nonsense': to('http://['),
  '/endless': endless,
  '/large': (_request, response) =>
    void response.writeHead(200, { 'content-length': String(MAX_BYTES + 1) }).write('x'),
  '/silent': () => undefined,
  '/stalls': (_request, response) => void response.writeHead(200, { 'content-length': '1000' }).write('x'),
};

const send = (kind: string, path: string, more: Record<string, unknown> = {}) =>
  linked.api.post(`/send/${kind}`, {
    number: linked.contact.number,
    [`${kind}_url`]: `${files.url}${path}`,
    ...more,
  });

describe('a URL that does not give a picture', () => {
  test.each([
    '/not-found',
    '/gone',
    '/broken',
    '/private',
    '/nothing',
    '/no-content',
    '/page',
    '/compressed',
    '/half',
    '/hang-up',
    '/nonsense',
    '/loop',
    '/to-ipv6-loopback',
    '/to-metadata',
    '/to-private',
    '/to-file',
    '/to-nonsense',
  ])('%s: 400', async (path) => {
    const answer = await send('image', path);
    expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'image_url' });
    expect(answer.bytes.toString()).not.toMatch(/stack trace|not a picture<|no such file/);
  });

  test('that answers 404 says so', async () => {
    const answer = await send('document', '/not-found', { file_name: 'a.pdf' });
    expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'document_url' });
    expect(answer.body.error).toContain('404');
  });

  test.each(['/endless', '/large'])('%s: 413', async (path) => {
    const answer = await send('image', path);
    expectRefused(answer, { status: 413, code: 'PAYLOAD_TOO_LARGE', field: 'image_url' });
  });

  test.each(['/silent', '/stalls'])('%s: 400 once the time is over', async (path) => {
    const started = performance.now();
    const answer = await send('image', path);
    expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'image_url' });
    expect(answer.body.error).toContain('in time');
    expect(performance.now() - started).toBeGreaterThanOrEqual(TIME_CAP_MS * 0.9);
  });

  test('nothing of it was sent', () => linked.expectNothingSent());
});

describe('a URL in a network that the operator allowed', () => {
  test.each(['/photo.jpg', '/moved', '/stored.jpg'])('%s is sent as image', async (path) => {
    const answer = await send('image', path, { caption: `from ${path}` });
    expect(answer.status).toBe(200);
    const got = await linked.contact.waitForMessage((message) => message.id === answer.body.message_id);
    expect([got.kind, got.text]).toEqual(['image', `from ${path}`]);
    expect(sha256(await linked.contact.downloadMedia(got))).toBe(sha256(picture));
    expect(answer.body.metadata).toMatchObject({
      image_format: 'image/jpeg',
      image_size_bytes: picture.length,
      download_time_ms: expect.any(Number),
    });
  });

  test('a document keeps its bytes, its name and the type its server gave it', async () => {
    const answer = await send('document', '/invoice.pdf', { file_name: 'Preço 1.pdf' });
    expect(answer.status).toBe(200);
    const got = await linked.contact.waitForMessage((message) => message.id === answer.body.message_id);
    expect(got.message.documentMessage).toMatchObject({
      fileName: 'Preço 1.pdf',
      mimetype: 'application/pdf',
    });
    expect(sha256(await linked.contact.downloadMedia(got))).toBe(sha256(invoice));
    const copy = await linked.api.get(`/messages/${answer.body.message_id}/media`);
    expect(sha256(copy.bytes)).toBe(sha256(invoice));
  });
});
