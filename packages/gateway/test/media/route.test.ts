import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attachment, parseRange, servedName, servedType } from '../../src/api/media-headers.ts';
import { messageMediaRoutes } from '../../src/api/routes/messages/media.ts';
import { buildServer } from '../../src/api/server.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import type { MediaDescriptor } from '../../src/whatsapp/port/media.ts';
import { until } from '../worlds/until.ts';
import { MediaWorld, sha256, type TestDevice } from './media-world.ts';

let world: MediaWorld;
let tenant: string;
let device: TestDevice;
let app: FastifyInstance;
let base: string;

beforeEach(async () => {
  world = await MediaWorld.create();
  tenant = await world.tenant();
  device = await world.device(tenant);
  app = await buildServer({
    log: pino({ level: 'silent' }),
    clock: world.clock,
    // The token is the tenant's id here.
    authenticator: {
      authenticate: async (token) => ({ tenantId: token, userId: token, role: 'user' }),
      isMasterToken: () => false,
    },
    lifecycle: { phase: 'ready' },
    metrics: createMetrics(),
    version: '0.0.0-test',
    routes: async (server) => {
      await server.register(messageMediaRoutes, { media: world.media, links: { open: async () => null } });
    },
  });
  base = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  // A kept-alive connection whose last answer just ended would hold the close until it times out.
  app.server.closeAllConnections();
  await app.close();
  await world.close();
});

async function call(path: string, headers: Record<string, string> = {}, method = 'GET', token = tenant) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
}

async function stored(id: string, more: Partial<MediaDescriptor> = {}, bytes = randomBytes(5000)) {
  const media = await world.upload(bytes, more.kind ?? 'image');
  await world.message(device, id, { ...media.descriptor, ...more });
  return media;
}

async function expired(id: string) {
  const media = await stored(id);
  world.cdn.expire(media.descriptor.directPath ?? '');
  return media;
}

describe('GET /messages/{id}/media', () => {
  test('the exact bytes, with length, tag, type and name', async () => {
    const { bytes } = await stored('A', { mimeType: 'image/png', fileName: 'preço 1.png' });
    const answer = await call('/messages/A/media');
    expect(answer.status).toBe(200);
    expect(answer.bytes.equals(bytes)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': '5000',
      'content-type': 'image/png',
      etag: `"${sha256(bytes)}"`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'content-disposition': `attachment; filename="pre_o 1.png"; filename*=UTF-8''pre%C3%A7o%201.png`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });

  test('an empty file is one', async () => {
    await stored('A', {}, Buffer.alloc(0));
    const answer = await call('/messages/A/media');
    expect([answer.status, answer.headers.get('content-length'), answer.bytes.length]).toEqual([200, '0', 0]);
    expect((await call('/messages/A/media', { range: 'bytes=0-' })).status).toBe(416);
  });

  test('HEAD says the same of the file without its bytes', async () => {
    await stored('A');
    const get = await call('/messages/A/media');
    const head = await call('/messages/A/media', {}, 'HEAD');
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    for (const name of ['content-length', 'content-type', 'etag', 'accept-ranges', 'content-disposition']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
  });

  test.each([
    ['bytes=0-9', 0, 10],
    ['bytes=4990-', 4990, 5000],
    ['bytes=-10', 4990, 5000],
    ['bytes=4990-999999', 4990, 5000],
    ['bytes=-999999', 0, 5000],
  ])('Range %s', async (range, start, end) => {
    const { bytes } = await stored('A');
    const answer = await call('/messages/A/media', { range });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/5000`);
    expect(answer.headers.get('content-length')).toBe(String(end - start));
    expect(answer.bytes.equals(bytes.subarray(start, end))).toBe(true);
  });

  test.each([
    'bytes=0-1,4-5',
    'items=0-1',
    'bytes=9-1',
    'bytes=a-b',
    'bytes=-',
  ])('Range %s is ignored', async (range) => {
    await stored('A');
    const answer = await call('/messages/A/media', { range });
    expect([answer.status, answer.bytes.length]).toEqual([200, 5000]);
  });

  test.each(['bytes=5000-', 'bytes=-0', 'bytes=9999-99999'])('Range %s lies outside', async (range) => {
    await stored('A');
    const answer = await call('/messages/A/media', { range });
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toBe('bytes */5000');
    expect(JSON.parse(answer.text)).toMatchObject({ success: false, error_code: 'RANGE_NOT_SATISFIABLE' });
  });

  test('conditions: If-None-Match and If-Range', async () => {
    const { bytes } = await stored('A');
    const tag = `"${sha256(bytes)}"`;
    for (const condition of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const answer = await call('/messages/A/media', { 'if-none-match': condition });
      expect([answer.status, answer.bytes.length, answer.headers.get('etag')]).toEqual([304, 0, tag]);
    }
    expect((await call('/messages/A/media', { 'if-none-match': '"x"' })).status).toBe(200);
    const range = 'bytes=0-9';
    expect((await call('/messages/A/media', { range, 'if-range': tag })).status).toBe(206);
    expect((await call('/messages/A/media', { range, 'if-range': '"x"' })).status).toBe(200);
  });

  test('nothing that a sender chose is served as a page', async () => {
    const page = Buffer.from('<script>alert(1)</script>');
    for (const [at, mimeType] of [
      'text/html',
      'image/svg+xml',
      'application/xhtml+xml',
      'IMAGE/SVG+XML; a=b',
    ].entries()) {
      await stored(`P${at}`, { mimeType, kind: 'document', fileName: 'a.html' }, page);
      const answer = await call(`/messages/P${at}/media`);
      expect(answer.headers.get('content-type')).toBe('application/octet-stream');
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment;/);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});

describe('when the file is not to be had at once', () => {
  test('202 with exactly this body', async () => {
    await expired('A');
    device.mood = 'silent';
    const answer = await call('/messages/A/media');
    expect(answer.status).toBe(202);
    expect(answer.text).toBe('{"success":false,"status":"retry_requested","retry_after":5}');
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  });

  test('HEAD answers 202 too, and asks nobody', async () => {
    await expired('A');
    const answer = await call('/messages/A/media', {}, 'HEAD');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([202, '5']);
    expect(device.requests).toEqual([]);
  });

  test('?wait=60 holds the answer until the bytes are there', async () => {
    const { bytes } = await expired('A');
    const answer = await call('/messages/A/media?wait=60');
    expect(answer.status).toBe(200);
    expect(answer.bytes.equals(bytes)).toBe(true);
  });

  test('a caller who leaves ends the waiting', async () => {
    await expired('A');
    device.mood = 'silent';
    const left = new Promise<void>((resolve) => {
      const waiting = httpRequest(
        `${base}/messages/A/media?wait=60`,
        { headers: { authorization: `Bearer ${tenant}` } },
        () => undefined,
      );
      waiting.on('error', () => resolve());
      waiting.end();
      void device.asked(1).then(() => waiting.destroy());
    });
    await left;
    // The request's row stays; nobody waits for it any more, so closing does not hang on a waiter.
    await until(
      'it is asked for',
      async () => (await world.db.selectFrom('media_retry_requests').selectAll().execute()).length === 1,
    );
  });

  test.each(['61', '-1', 'x', '1.5'])('wait=%s is refused', async (wait) => {
    await stored('A');
    const answer = await call(`/messages/A/media?wait=${wait}`);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).validation[0].field).toBe('wait');
  });

  test('404, 410, 502 and 503 say which', async () => {
    const errorCode = async (path: string, token = tenant) => {
      const answer = await call(path, {}, 'GET', token);
      return `${answer.status} ${JSON.parse(answer.text).error_code}`;
    };
    expect(await errorCode('/messages/NONE/media')).toBe('404 MESSAGE_NOT_FOUND');
    expect(await errorCode('/messages/a%2Fb%2F..%2Fc/media')).toBe('404 MESSAGE_NOT_FOUND');
    expect(await errorCode(`/messages/${'x'.repeat(10_000)}/media`)).toBe('404 MESSAGE_NOT_FOUND');
    await world.message(device, 'TEXT', null);
    expect(await errorCode('/messages/TEXT/media')).toBe('404 MEDIA_NOT_FOUND');
    await stored('A');
    expect(await errorCode('/messages/A/media', await world.tenant())).toBe('404 MESSAGE_NOT_FOUND');
    device.online = false;
    expect(await errorCode('/messages/A/media')).toBe('503 DEVICE_NOT_READY');
    device.online = true;
    await stored('BIG', { fileLength: null }, randomBytes(world.settings.maxBytes + 1));
    expect(await errorCode('/messages/BIG/media')).toBe('502 MEDIA_DOWNLOAD_FAILED');
    await expired('GONE');
    device.mood = 'not_found';
    expect(await errorCode('/messages/GONE/media?wait=60')).toBe('410 MEDIA_GONE');
    const head = await call('/messages/GONE/media', {}, 'HEAD');
    expect([head.status, head.bytes.length]).toEqual([410, 0]);
  });
});

describe('headers made of a sender’s words', () => {
  test('types', () => {
    expect(servedType('audio/ogg; codecs=opus')).toBe('audio/ogg; codecs=opus');
    expect(servedType('IMAGE/JPEG')).toBe('image/jpeg');
    expect(servedType('application/pdf; x=y')).toBe('application/pdf');
    const others = [
      'text/plain',
      'image/',
      'image/svg',
      'image/x\r\nset-cookie: a',
      'video',
      '',
      'image/a b',
    ];
    for (const type of others) expect(servedType(type)).toBe('application/octet-stream');
    expect(servedType('audio/ogg; codecs=a\r\nx: y')).toBe('audio/ogg');
  });

  test('names', () => {
    expect(servedName(null, 'voice', 'audio/ogg; codecs=opus')).toBe('voice.ogg');
    expect(servedName(null, 'document', 'x/y')).toBe('document');
    expect(servedName('../../etc/passwd', 'document', 'x/y')).toBe('_.._etc_passwd');
    expect(servedName('a\r\nb"c\u202egpj.exe', 'document', 'x/y')).toBe('a__b_c_gpj.exe');
    expect(servedName('...', 'image', 'image/png')).toBe('image.png');
    expect([...servedName(`${'é'.repeat(500)}.pdf`, 'document', 'x/y')]).toHaveLength(200);
    expect(servedName(`${'é'.repeat(500)}.pdf`, 'document', 'x/y')).toMatch(/\.pdf$/);
    expect(attachment('a.pdf')).toBe('attachment; filename="a.pdf"');
    expect(attachment("l'été (1).pdf")).toBe(
      `attachment; filename="l'_t_ (1).pdf"; filename*=UTF-8''l%27%C3%A9t%C3%A9%20%281%29.pdf`,
    );
    expect(attachment('50%.pdf')).toBe(`attachment; filename="50_.pdf"; filename*=UTF-8''50%25.pdf`);
  });

  test('a name or a range of a megabyte is cut before it is looked at', () => {
    const many = 1_000_000;
    expect(servedName(`a${'.'.repeat(many)}b`, 'document', 'x/y')).toMatch(/^a\.+b$/);
    expect(servedName(`a${' '.repeat(many)}`, 'document', 'x/y')).toBe('a');
    expect(servedName(`${'😀'.repeat(many)}x.pdf`, 'document', 'x/y')).toMatch(/\.pdf$/);
    expect(servedName(`_${'😀'.repeat(many)}`, 'document', 'x/y')).toHaveLength(399);
    expect(servedType(`image/png;${' '.repeat(many)}x`)).toBe('image/png');
    expect(parseRange(`bytes=${' '.repeat(many)}x`, 10)).toBeNull();
    expect(parseRange(`bytes=1-${'9'.repeat(many)}`, 10)).toBeNull();
  });

  test('ranges that no file can have', () => {
    expect(parseRange(undefined, 10)).toBeNull();
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=99999999999999999999-', 10)).toBe('unsatisfiable');
    expect(parseRange(' Bytes = 1 - 2 ', 10)).toEqual({ start: 1, end: 2 });
  });
});
