/** Files on their way to WhatsApp's media hosts. */
import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { OutboundFiles } from '../../src/media/outgoing/outbound.ts';
import { prepareUpload, type UploadedMedia } from '../../src/media/outgoing/upload.ts';
import { GuardedClient } from '../../src/net/guarded-client.ts';
import { SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import type { MediaConnection, MediaDescriptor } from '../../src/whatsapp/port/media.ts';
import { AUTH, adminOf, MediaWorld, START, sha256, type TestDevice } from './media-world.ts';
import { oddHost } from './odd-host.ts';
import { bytesOf, settle } from './received.ts';
import { PNG } from './small-png.ts';

const code = (name: string) => expect.objectContaining({ code: name });

/** Nobody is charged for what is kept. */
const WORK = { tenantId: 'nobody' };
const FILE = { content: { bytes: PNG } };

let odd: Awaited<ReturnType<typeof oddHost>>;
let world: MediaWorld;
let device: TestDevice;
let client: GuardedClient;
let files: OutboundFiles;
let refreshed: boolean[];

beforeEach(async () => {
  odd = await oddHost((_request, response) => response.writeHead(500).end());
  world = await MediaWorld.create({}, odd.caPem);
  device = await world.device(await world.tenant());
  client = new GuardedClient();
  const { http, scratch } = world;
  files = new OutboundFiles({ client, http, scratch, cache: world.media.cache, maxBytes: 100_000 });
  refreshed = [];
});
afterEach(async () => {
  await client.close();
  await world.close();
  await odd.stop();
});

const session = (hosts = [world.cdn.hostname], auth = (_refresh: boolean) => AUTH) => ({
  media: {
    async connection(refresh = false): Promise<MediaConnection> {
      refreshed.push(refresh);
      return { hosts, auth: auth(refresh), expiresAt: START, route: null };
    },
  },
});

const staged = () => readdir(join(world.dataDir, 'media', 'tmp'));

/** Answers every upload so, once it has come in. */
const answers = (status: number, body = '') =>
  odd.setHandler((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(status).end(body));
  });

/** The message that carries it, as the device and as its recipient has it. */
async function carried(sent: UploadedMedia) {
  const descriptor: MediaDescriptor = {
    kind: 'image',
    ...{ mimeType: 'image/png', fileName: null, seconds: null, width: null, height: null },
    fileLength: sent.fileLength,
    mediaKey: sent.mediaKey,
    directPath: sent.directPath,
    fileSha256: sent.fileSha256,
    fileEncSha256: sent.fileEncSha256,
  };
  await world.message(device, 'OWN', descriptor);
  const other = await world.device(await world.tenant());
  await world.message(other, 'RECEIVED', { ...descriptor, mediaKey: Uint8Array.from(sent.mediaKey) });
  world.cdn.clearLog();
  return (id: 'OWN' | 'RECEIVED') => {
    const caller = adminOf(id === 'OWN' ? device.tenantId : other.tenantId);
    return world.media.resolve(caller, { id }, { waitMs: 0 });
  };
}

test.each([
  false,
  true,
])('it can be opened by its recipient, and is served to us without a download; for a channel: %s', async (forChannel) => {
  const before = Math.floor(systemClock.now() / 1000);
  const sent = await files.for(WORK, forChannel).upload(session(), 'image', FILE);
  expect(Buffer.from(sent.fileSha256).toString('hex')).toBe(sha256(PNG));
  expect(sent.fileLength).toBe(PNG.length);
  expect(sent.mediaKeyTimestamp).toBeGreaterThanOrEqual(before);
  expect(sent.mediaKeyTimestamp).toBeLessThan(before + 3600);
  expect(sent.mediaKey).toHaveLength(forChannel ? 0 : 32);
  expect(sent.fileEncSha256 === null).toBe(forChannel);
  expect(sent.handle === null).toBe(!forChannel);
  const there = world.cdn.object(sent.directPath);
  expect(there?.bytes.equals(PNG)).toBe(forChannel);
  expect(world.cdn.log.at(-1)?.path).toMatch(
    forChannel ? /^\/newsletter\/newsletter-image\// : /^\/mms\/image\//,
  );
  expect(await staged()).toEqual([]);
  const resolve = await carried(sent);
  expect((await bytesOf(await resolve('OWN'))).equals(PNG)).toBe(true);
  expect(world.downloads()).toEqual([]);
  expect((await bytesOf(await resolve('RECEIVED'))).equals(PNG)).toBe(true);
  expect(world.downloads()).toHaveLength(1);
  await settle();
  expect(await world.media.emptyCache()).toBe(0);
});

test('it may lie in memory, on the disk, or come in pieces', async () => {
  const { path } = await world.scratch.folder();
  await writeFile(join(path, 'file'), PNG);
  for (const content of [
    { bytes: PNG },
    { path: join(path, 'file') },
    { stream: () => Readable.from([PNG.subarray(0, 50), PNG.subarray(50)]) },
  ]) {
    const sent = await files.for(WORK).upload(session(), 'document', { content });
    expect(Buffer.from(sent.fileSha256).toString('hex')).toBe(sha256(PNG));
    expect(world.cdn.object(sent.directPath)?.bytes).toHaveLength(Math.floor(PNG.length / 16) * 16 + 26);
  }
});

test.each([401, 403])('a ticket that is refused with %i is renewed once', async (status) => {
  odd.setHandler((request, response) => {
    request.resume();
    const fresh = request.url?.includes(`auth=${AUTH}`);
    const body = JSON.stringify({ url: 'x', direct_path: '/x', handle: 'h' });
    request.on('end', () => response.writeHead(fresh ? 200 : status).end(fresh ? body : ''));
  });
  const old = session([odd.hostname], (fresh) => (fresh ? AUTH : 'old'));
  // Its handle is for channels alone.
  expect(await files.for(WORK).upload(old, 'image', FILE)).toMatchObject({ directPath: '/x', handle: null });
  expect(refreshed).toEqual([false, true]);
  const never = files.for(WORK).upload(
    session([odd.hostname], () => 'old'),
    'image',
    FILE,
  );
  await expect(never).rejects.toMatchObject({
    code: 'UPLOAD_FAILED',
    message: `the media could not be uploaded to WhatsApp: HTTP ${status}`,
  });
  expect(refreshed).toEqual([false, true, false, true]);
});

const JUNK = 'an unreadable answer';
test.each([
  ['a failure', 500, '', 'HTTP 500'],
  ['another success', 201, '{"url":"x","direct_path":"/x"}', 'HTTP 201'],
  ['no JSON', 200, 'no JSON', JUNK],
  ['null', 200, 'null', JUNK],
  ['a number', 200, '5', JUNK],
  ['a path without its slash', 200, '{"url":"x","direct_path":"no slash/"}', JUNK],
  ['a path that is none', 200, '{"url":"x","direct_path":5}', JUNK],
  ['no path', 200, '{"url":"x"}', JUNK],
  ['an address that is none', 200, '{"url":5,"direct_path":"/x"}', JUNK],
  ['too much', 200, `${' '.repeat(64 * 1024)} `, expect.stringContaining('connection failed')],
])('a host that answers with %s is passed over; when all do, it is said', async (_what, status, body, why) => {
  answers(status, body);
  const sent = await files.for(WORK).upload(session([odd.hostname, world.cdn.hostname]), 'image', FILE);
  expect(world.cdn.object(sent.directPath)).toBeDefined();
  const error = await files
    .for(WORK)
    .upload(session([odd.hostname]), 'image', FILE)
    .catch((each) => each);
  expect(error.code).toBe('UPLOAD_FAILED');
  expect(error.message.replace('the media could not be uploaded to WhatsApp: ', '')).toEqual(why);
  expect(refreshed).toEqual([false, false]);
  expect(await staged()).toEqual([]);
});

test('an answer has 64 KiB at most, and for a channel a handle or none', async () => {
  const json = '{"url":"x","direct_path":"/x","handle":5}';
  answers(200, json + ' '.repeat(64 * 1024 - json.length));
  const sent = await files.for(WORK, true).upload(session([odd.hostname]), 'image', FILE);
  expect(sent).toMatchObject({ url: 'x', directPath: '/x', handle: null });
});

test('a connection that breaks is named, and without a host nothing is asked', async () => {
  odd.setHandler((request) => request.socket.destroy());
  await expect(files.for(WORK).upload(session([odd.hostname]), 'image', FILE)).rejects.toMatchObject({
    code: 'UPLOAD_FAILED',
    message: expect.stringMatching(/: connection failed \([A-Z_]+\)$/),
  });
  await expect(files.for(WORK).upload(session([]), 'image', FILE)).rejects.toMatchObject({
    message: 'the media could not be uploaded to WhatsApp: no media host is known',
  });
});

describe('a host that does not answer', () => {
  let asked: Promise<unknown>;
  beforeEach(() => {
    asked = new Promise<void>((resolve) => {
      odd.setHandler((request) => {
        request.resume();
        resolve();
      });
    });
  });

  test('is left with the caller', async () => {
    const leaving = new AbortController();
    const work = { ...WORK, signal: leaving.signal };
    const uploading = files.for(work).upload(session([odd.hostname, world.cdn.hostname]), 'image', FILE);
    await asked;
    const reason = new Error('left');
    leaving.abort(reason);
    await expect(uploading).rejects.toBe(reason);
    expect(world.cdn.log).toEqual([]);
  });

  test('is left when its time is over', async () => {
    const { http, media } = world;
    const uploading = prepareUpload({
      ...{ session: session([odd.hostname]), kind: 'image', source: PNG, maxBytes: 1000, timeoutMs: 50 },
      ...{ http, cache: media.cache.of(WORK.tenantId) },
    });
    await expect(uploading).rejects.toMatchObject({
      code: 'UPLOAD_FAILED',
      message: 'the media could not be uploaded to WhatsApp: it took too long',
    });
  });
});

test('a file of just the cap is uploaded', async () => {
  for (const content of [
    { bytes: randomBytes(100_000) },
    { stream: () => Readable.from([randomBytes(60_000), randomBytes(40_000)]) },
  ]) {
    const sent = await files.for(WORK).upload(session(), 'document', { content });
    expect(sent.fileLength).toBe(100_000);
  }
});

test('a closed session is 503, and a file over the cap 413', async () => {
  const closed = {
    media: {
      connection: async () => {
        throw new SessionNotOpen();
      },
    },
  };
  await expect(files.for(WORK).upload(closed, 'image', FILE)).rejects.toEqual(code('DEVICE_NOT_READY'));
  for (const content of [
    { bytes: Buffer.alloc(100_001) },
    { stream: () => Readable.from([randomBytes(60_000), randomBytes(40_001)]) },
  ]) {
    for (const forChannel of [false, true]) {
      await expect(files.for(WORK, forChannel).upload(session(), 'image', { content })).rejects.toMatchObject(
        {
          code: 'PAYLOAD_TOO_LARGE',
          message: 'the media is larger than 100000 bytes',
        },
      );
    }
  }
  expect(await world.db.selectFrom('blobs').selectAll().execute()).toEqual([]);
  expect(await staged()).toEqual([]);
});
