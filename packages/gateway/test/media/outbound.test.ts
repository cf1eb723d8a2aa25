/** Files that callers give, on their way to WhatsApp. */
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OutboundFiles } from '../../src/media/outgoing/outbound.ts';
import { Uploads } from '../../src/media/outgoing/uploads.ts';
import { GuardedClient } from '../../src/net/guarded-client.ts';
import { MediaWorld, sha256 } from './media-world.ts';
import { PNG } from './small-png.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** What lies in memory already, but its size. */
const NOTHING = {
  content: { bytes: new Uint8Array(0) },
  sha256: '',
  declaredType: null,
  detectedType: null,
};

/** Nobody is charged for what is kept. */
const WORK = { tenantId: 'nobody' };

let world: MediaWorld;
let server: Server;
let base: string;
let client: GuardedClient;
let files: OutboundFiles;
/** Resolves when nobody listens any more to what was no file. */
let refused: Promise<unknown>;

beforeEach(async () => {
  world = await MediaWorld.create();
  server = createServer((request, response) => {
    if (request.url === '/file.png') response.writeHead(200, { 'content-type': 'text/plain' }).end(PNG);
    else if (request.url === '/page')
      response.writeHead(200, { 'content-type': 'text/HTML ; x=y' }).end('<p>');
    else if (request.url?.startsWith('/typed?'))
      response.writeHead(200, { 'content-type': decodeURIComponent(request.url.slice(7)) }).end('<p>');
    else if (request.url === '/untyped') response.end('<p>');
    else if (request.url === '/empty') response.end();
    else if (request.url === '/inside') response.writeHead(302, { location: 'http://127.0.0.9/' }).end();
    else if (request.url === '/endless') {
      const feed = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(50_000), () => setImmediate(feed));
      };
      feed();
    } else if (request.url === '/slow') response.write('.');
    else {
      refused = once(response, 'close');
      response.writeHead(404).write('no');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new GuardedClient({ allowNetworks: ['127.0.0.1/32'] });
  files = outbound(world);
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

test('base64 and URLs, with the declared and the recognized type', async () => {
  const inline = await files.open(
    { base64: `data:application/x-any;base64,${PNG.toString('base64')}` },
    { field: 'image' },
  );
  expect(inline).toMatchObject({
    size: PNG.length,
    declaredType: 'application/x-any',
    detectedType: 'image/png',
    downloadMs: null,
  });
  const fetched = await files.open({ url: `${base}/file.png` }, { field: 'image' });
  expect(fetched).toMatchObject({
    size: PNG.length,
    declaredType: 'text/plain',
    detectedType: 'image/png',
  });
  if (!('path' in fetched.content)) throw new Error('expected a file');
  expect((await readFile(fetched.content.path)).equals(PNG)).toBe(true);
  await fetched.dispose();
  await expect(stat(fetched.content.path)).rejects.toMatchObject({ code: 'ENOENT' });
  for (const [path, declaredType] of [
    ['/page', 'text/html'],
    ['/untyped', null],
    ['/typed?text', null],
    ['/typed?!text/html', null],
    ['/typed?text/html!', null],
  ] as const) {
    const page = await files.open({ url: `${base}${path}` }, { field: 'image' });
    expect(page).toMatchObject({ declaredType, detectedType: null });
    await page.dispose();
  }
});

test.each([
  ['/missing', 'INVALID_MEDIA', 'the URL answered HTTP 404'],
  ['/empty', 'INVALID_MEDIA', 'the URL answered with an empty file'],
  ['/inside', 'INVALID_MEDIA', expect.stringContaining('not public')],
  ['/endless', 'PAYLOAD_TOO_LARGE', 'the URL answers with more than 100000 bytes'],
  ['/slow', 'INVALID_MEDIA', expect.stringContaining('in time')],
])('a URL that is no good: %s', async (path, name, reason) => {
  const source = path === '/slow' ? outbound(world, 100) : files;
  const error = await source.open({ url: `${base}${path}` }, { field: 'image' }).catch((each) => each);
  const [validation] = error.detail.validation;
  expect(error).toMatchObject({ code: name, message: `image_url: ${validation.message}` });
  expect(validation).toEqual({ field: 'image_url', message: reason });
  expect(await readdir(join(world.dataDir, 'scratch'))).toEqual([]);
  if (path === '/missing') await refused;
});

test('no more is taken than allowed, here or by whoever asks', async () => {
  const text = Buffer.alloc(100_001).toString('base64');
  await expect(files.open({ base64: text }, { field: 'image' })).rejects.toEqual(code('PAYLOAD_TOO_LARGE'));
  for (const maxBytes of [undefined, 10 ** 9]) {
    const most = { field: 'image', ...(maxBytes && { maxBytes }) };
    await expect(files.open({ base64: text }, most)).rejects.toEqual(code('PAYLOAD_TOO_LARGE'));
    expect((await files.open({ base64: text.slice(0, 400) }, most)).size).toBe(300);
  }
  const few = { field: 'image', maxBytes: 299 };
  await expect(files.open({ base64: text.slice(0, 400) }, few)).rejects.toEqual(code('PAYLOAD_TOO_LARGE'));
});

test('a part of a request is opened by its token', async () => {
  const uploads = new Uploads(world.scratch);
  const own = new OutboundFiles({
    ...{ client, http: world.http, cache: world.media.cache, scratch: world.scratch, uploads },
    maxBytes: 100,
  });
  const token = (size: number) => uploads.adopt({ ...NOTHING, size }).token;
  expect((await own.open({ base64: token(100) }, { field: 'image' })).size).toBe(100);
  await expect(own.open({ base64: token(101) }, { field: 'image' })).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    message: 'image: it is larger than 100 bytes',
  });
});

test('what is fetched for a caller ends when he leaves', async () => {
  const leaving = new AbortController();
  const work = { ...WORK, signal: leaving.signal };
  const opening = files.for(work).open({ url: `${base}/slow` }, { field: 'image' });
  leaving.abort();
  await expect(opening).rejects.toEqual(code('INVALID_MEDIA'));
  expect(await files.for(WORK).page(`${base}/page`)).toEqual({ html: '<p>', url: `${base}/page` });
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

test('a part of a request is there until it is disposed of, and no larger than allowed', async () => {
  const uploads = new Uploads(world.scratch);
  const receive = (maxBytes: number, type: string) =>
    uploads.receive(Readable.from([PNG.subarray(0, 50), PNG.subarray(50)]), {
      field: 'image',
      type,
      maxBytes,
    });
  const got = await receive(PNG.length, 'Image/X-Own ; a=b');
  expect(got).toMatchObject({ sha256: sha256(PNG), size: PNG.length });
  expect(uploads.find(got.token)).toMatchObject({
    size: PNG.length,
    declaredType: 'image/x-own',
    detectedType: 'image/png',
  });
  await got.dispose();
  expect(uploads.find(got.token)).toBeNull();
  for (const type of ['application/octet-stream', '']) {
    const untyped = await receive(PNG.length, type);
    expect(uploads.find(untyped.token)?.declaredType).toBeNull();
    await untyped.dispose();
  }
  await expect(receive(PNG.length - 1, '')).rejects.toEqual(code('PAYLOAD_TOO_LARGE'));
  expect(await readdir(join(world.dataDir, 'scratch'))).toEqual([]);
});
