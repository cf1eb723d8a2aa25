import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { decodeBase64 } from '../../src/media/base64.ts';
import { OutboundFiles } from '../../src/media/outbound.ts';
import { Uploads } from '../../src/media/uploads.ts';
import { GuardedClient } from '../../src/net/guarded-client.ts';
import { SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import type { MediaConnection } from '../../src/whatsapp/port/media.ts';
import { AUTH, adminOf, MediaWorld, readAll, START, sha256, type TestDevice } from './media-world.ts';
import { oddHost } from './odd-host.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** Nobody is charged for what is kept. */
const WORK = { tenantId: 'nobody' };

describe('base64', () => {
  test('any bytes, in both alphabets, with or without padding and line breaks', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const plain = Buffer.from(bytes);
        const base64 = plain.toString('base64');
        const forms = [
          base64,
          base64.replace(/=+$/, ''),
          plain.toString('base64url'),
          base64.replace(/(.{76})/g, '$1\r\n'),
          `data:image/PNG;name=a.png;base64,${base64}`,
        ];
        for (const form of forms) expect(decodeBase64(form, 'image', 1000).bytes.equals(plain)).toBe(true);
      }),
    );
    expect(decodeBase64('data:image/PNG;base64,AAAA', 'image', 10).mimeType).toBe('image/png');
    expect(decodeBase64('AAAA', 'image', 10).mimeType).toBeNull();
  });

  test.each([
    '',
    '   ',
    'not base64!',
    'AAAAA',
    'AA=A',
    'AA===',
    'A===',
    '====',
    'AAA==',
    'ab+/-_==',
    'AAAA\u0000',
    'data:image/png,AAAA',
    'data:image/png;base64,',
    'data:image/png;base64,@@@@',
    'https://example.com/a.png',
  ])('refuses %j', (text) => {
    expect(() => decodeBase64(text, 'image', 1000)).toThrow(code('INVALID_MEDIA'));
  });

  test('refuses a long run of padding as quickly as anything else', () => {
    for (const text of [`${'='.repeat(1_000_000)}A`, '='.repeat(1_000_000), `AAAA${'='.repeat(1_000_000)}`]) {
      expect(() => decodeBase64(text, 'image', 10_000_000)).toThrow(code('INVALID_MEDIA'));
    }
  });

  test('refuses what is larger than allowed', () => {
    const text = randomBytes(101).toString('base64');
    expect(() => decodeBase64(text, 'image', 100)).toThrow(code('PAYLOAD_TOO_LARGE'));
    expect(decodeBase64(randomBytes(100).toString('base64'), 'image', 100).bytes).toHaveLength(100);
  });
});

describe('files on their way out', () => {
  let world: MediaWorld;
  let device: TestDevice;
  let server: Server;
  let base: string;
  let client: GuardedClient;
  let files: OutboundFiles;
  /** A whole file: what it is shows in its chunks, not in its first bytes alone. */
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAA00lEQVQImQHIADf/AACKY4bz' +
      'r7UKpI3AQg4khDMsbwHYA3MyOwCOMBxS0qG6Is/LFqaFribj70rq2ReabIgA7qOi64NlkQzM2znczg+Vaonyqqz4k3inACXo+lsG' +
      '9jrDm70u5Ok91r7wcTxRsF5WmAApBCmYVl6wUTxx8L7WPenkLr2bwzr2BlsA+uglp3iT+Kyq8olqlQ/O3DnbzAyRZYPrAKKj7ohs' +
      'mhfZ6krv4yauhaYWy88iuqHSUgAcMI47MnMD2AFvLDOEJA5CwI2kCrWv84aoyGOSn3rhRAAAAABJRU5ErkJggg==',
    'base64',
  );
  let refreshed: boolean[];

  beforeEach(async () => {
    world = await MediaWorld.create();
    device = await world.device(await world.tenant());
    server = createServer((request, response) => {
      if (request.url === '/file.png') response.writeHead(200, { 'content-type': 'text/plain' }).end(png);
      else if (request.url === '/page')
        response.writeHead(200, { 'content-type': 'text/HTML; x=y' }).end('<p>');
      else if (request.url === '/empty') response.end();
      else if (request.url === '/inside') response.writeHead(302, { location: 'http://127.0.0.9/' }).end();
      else if (request.url === '/endless') {
        const feed = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(50_000), () => setImmediate(feed));
        };
        feed();
      } else if (request.url === '/slow') response.write('.');
      else response.writeHead(404).end('no');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = new GuardedClient({ allowNetworks: ['127.0.0.1/32'] });
    files = outbound(world);
    refreshed = [];
  });
  afterEach(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await world.close();
  });

  function outbound(of: MediaWorld, urlTimeoutMs = 20_000): OutboundFiles {
    const limits = { maxBytes: 100_000, urlTimeoutMs };
    return new OutboundFiles({
      client,
      http: of.http,
      cache: of.media.cache,
      scratch: of.scratch,
      ...limits,
    });
  }

  const session = (hosts = [world.cdn.hostname], auth = (refresh: boolean) => (refresh ? AUTH : AUTH)) => ({
    media: {
      async connection(refresh = false): Promise<MediaConnection> {
        refreshed.push(refresh);
        return { hosts, auth: auth(refresh), expiresAt: START, route: null };
      },
    },
  });

  test('base64 and URLs, with the declared and the recognized type', async () => {
    const inline = await files.open(
      { base64: `data:application/x-any;base64,${png.toString('base64')}` },
      { field: 'image' },
    );
    expect(inline).toMatchObject({
      size: png.length,
      declaredType: 'application/x-any',
      detectedType: 'image/png',
      downloadMs: null,
    });
    const fetched = await files.open({ url: `${base}/file.png` }, { field: 'image' });
    expect(fetched).toMatchObject({
      size: png.length,
      declaredType: 'text/plain',
      detectedType: 'image/png',
    });
    if (!('path' in fetched.content)) throw new Error('expected a file');
    expect((await readFile(fetched.content.path)).equals(png)).toBe(true);
    await fetched.dispose();
    await expect(stat(fetched.content.path)).rejects.toMatchObject({ code: 'ENOENT' });
    const page = await files.open({ url: `${base}/page` }, { field: 'image' });
    expect(page).toMatchObject({ declaredType: 'text/html', detectedType: null });
    await page.dispose();
  });

  test.each([
    ['/missing', 'INVALID_MEDIA', /404/],
    ['/empty', 'INVALID_MEDIA', /empty/],
    ['/inside', 'INVALID_MEDIA', /not public/],
    ['/endless', 'PAYLOAD_TOO_LARGE', /more than 100000 bytes/],
    ['/slow', 'INVALID_MEDIA', /in time/],
  ])('a URL that is no good: %s', async (path, name, text) => {
    const source = path === '/slow' ? outbound(world, 100) : files;
    const opening = source.open({ url: `${base}${path}` }, { field: 'image' });
    await expect(opening).rejects.toMatchObject({ code: name, message: expect.stringMatching(text) });
    await expect(opening).rejects.toMatchObject({ message: expect.stringMatching(/^image_url: /) });
  });

  test.each([
    'http://127.0.0.2/',
    'http://169.254.169.254/x',
    'http://localhost/',
    'ftp://a/b',
    'nonsense',
  ])('a URL that must not be fetched: %s', async (url) => {
    const strict = new GuardedClient();
    const own = new OutboundFiles({
      client: strict,
      http: world.http,
      cache: world.media.cache,
      scratch: world.scratch,
      maxBytes: 10,
    });
    await expect(own.open({ url }, { field: 'image' })).rejects.toEqual(code('INVALID_MEDIA'));
    await strict.close();
  });

  test('what was uploaded can be opened by the recipient, and served to us without a download', async () => {
    const source = await files.open({ base64: png.toString('base64') }, { field: 'image' });
    const sent = await files.for(WORK).upload(session(), 'image', source);
    expect(Buffer.from(sent.fileSha256).toString('hex')).toBe(sha256(png));
    const descriptor = {
      kind: 'image',
      mimeType: 'image/png',
      fileName: null,
      fileLength: sent.fileLength,
      mediaKey: sent.mediaKey,
      directPath: sent.directPath,
      fileSha256: sent.fileSha256,
      fileEncSha256: sent.fileEncSha256,
      seconds: null,
      width: null,
      height: null,
    } as const;
    await world.message(device, 'OWN', descriptor);
    const other = await world.device(await world.tenant());
    await world.message(other, 'RECEIVED', { ...descriptor, mediaKey: Uint8Array.from(sent.mediaKey) });
    world.cdn.clearLog();
    const own = await world.media.resolve(adminOf(device.tenantId), { id: 'OWN' }, { waitMs: 0 });
    if (own.state !== 'ready') throw new Error(own.state);
    expect((await readAll(own.open())).equals(png)).toBe(true);
    expect(world.downloads()).toEqual([]);
    const received = await world.media.resolve(adminOf(other.tenantId), { id: 'RECEIVED' }, { waitMs: 0 });
    if (received.state !== 'ready') throw new Error(received.state);
    expect((await readAll(received.open())).equals(png)).toBe(true);
    expect(world.downloads()).toHaveLength(1);
  });

  test('a large file from a URL is streamed up', async () => {
    const fetched = await files.open({ url: `${base}/file.png` }, { field: 'document' });
    const sent = await files.for(WORK).upload(session(), 'document', fetched);
    await fetched.dispose();
    expect(sent.fileLength).toBe(png.length);
    expect(world.cdn.object(sent.directPath)?.bytes).toHaveLength(Math.floor(png.length / 16) * 16 + 26);
  });

  test('an expired ticket is renewed once', async () => {
    const source = { content: { bytes: png } };
    const sent = await files.for(WORK).upload(
      session(undefined, (fresh) => (fresh ? AUTH : 'old')),
      'image',
      source,
    );
    expect(sent.directPath).toMatch(/^\//);
    expect(refreshed).toEqual([false, true]);
    const never = files.for(WORK).upload(
      session(undefined, () => 'old'),
      'image',
      source,
    );
    await expect(never).rejects.toMatchObject({
      code: 'UPLOAD_FAILED',
      message: expect.stringMatching(/401/),
    });
  });

  test('a host that fails is passed over; when all do, it is said', async () => {
    const odd = await oddHost((request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(200).end('{"url":"x","direct_path":"no slash"}'));
    });
    const both = await MediaWorld.create({}, odd.caPem);
    try {
      const source = { content: { bytes: png } };
      const sent = await outbound(both)
        .for(WORK)
        .upload(session([odd.hostname, both.cdn.hostname]), 'image', source);
      expect(both.cdn.object(sent.directPath)).toBeDefined();
      const failing = outbound(both)
        .for(WORK)
        .upload(session([odd.hostname]), 'image', source);
      await expect(failing).rejects.toEqual(code('UPLOAD_FAILED'));
    } finally {
      await odd.stop();
      await both.close();
    }
  });

  test('a part of a request is there until it is disposed of, and no larger than allowed', async () => {
    const uploads = new Uploads(world.scratch);
    const receive = (maxBytes: number, type: string) =>
      uploads.receive(Readable.from([png.subarray(0, 50), png.subarray(50)]), {
        field: 'image',
        type,
        maxBytes,
      });
    const got = await receive(png.length, 'Image/X-Own; a=b');
    expect(got).toMatchObject({ sha256: sha256(png), size: png.length });
    expect(uploads.find(got.token)).toMatchObject({
      size: png.length,
      declaredType: 'image/x-own',
      detectedType: 'image/png',
    });
    await got.dispose();
    expect(uploads.find(got.token)).toBeNull();
    const untyped = await receive(png.length, 'application/octet-stream');
    expect(uploads.find(untyped.token)?.declaredType).toBeNull();
    await untyped.dispose();
    await expect(receive(png.length - 1, '')).rejects.toEqual(code('PAYLOAD_TOO_LARGE'));
  });

  test('a file of just the cap is uploaded', async () => {
    const bytes = randomBytes(100_000);
    const sent = await files.for(WORK).upload(session(), 'document', { content: { bytes } });
    expect(sent.fileLength).toBe(100_000);
  });

  test('a closed session is 503, and a file over the cap 413', async () => {
    const closed = {
      media: {
        connection: async () => {
          throw new SessionNotOpen();
        },
      },
    };
    await expect(files.for(WORK).upload(closed, 'image', { content: { bytes: png } })).rejects.toEqual(
      code('DEVICE_NOT_READY'),
    );
    const large = { content: { bytes: Buffer.alloc(100_001) } };
    await expect(files.for(WORK).upload(session(), 'image', large)).rejects.toEqual(
      code('PAYLOAD_TOO_LARGE'),
    );
    expect(await world.db.selectFrom('blobs').selectAll().execute()).toEqual([]);
  });
});
