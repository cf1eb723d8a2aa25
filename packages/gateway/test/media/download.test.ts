import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, ManualClock, systemClock } from '../../src/clock.ts';
import {
  type DownloadRequest,
  type DownloadResult,
  downloadMedia,
} from '../../src/media/download/download.ts';
import { MediaWorld, sha256, type TestMedia } from './media-world.ts';
import { oddHost } from './odd-host.ts';
import { readAll } from './received.ts';

let odd: Awaited<ReturnType<typeof oddHost>>;
let world: MediaWorld;
let media: TestMedia;
const bytes = randomBytes(400_000);
/** The pauses that were asked for, in milliseconds. */
let pauses: number[];
/** Waits for nothing: the rounds follow each other at once. */
const HURRIED: Clock = {
  ...systemClock,
  after: (ms, run) => {
    pauses.push(ms);
    return systemClock.after(0, run);
  },
};

beforeEach(async () => {
  odd = await oddHost((_request, response) => response.writeHead(500).end());
  world = await MediaWorld.create({}, odd.caPem);
  media = await world.upload(bytes);
  world.cdn.clearLog();
  pauses = [];
});
afterEach(async () => {
  await world.close();
  await odd.stop();
});

const path = () => media.descriptor.directPath ?? '';
const ciphertext = () => world.cdn.object(path())?.bytes ?? Buffer.alloc(0);

async function download(
  hosts: string[],
  more: Partial<DownloadRequest> = {},
): Promise<{ result: DownloadResult; plain: Buffer }> {
  const staged = await world.media.cache.of('nobody').stage();
  try {
    const result = await downloadMedia({
      http: world.http,
      clock: HURRIED,
      hosts: hosts.map((host) => ({ host, route: null })),
      directPath: path(),
      promise: media.descriptor,
      staged,
      maxBytes: 1_000_000,
      timeoutMs: 60_000,
      ...more,
    });
    return { result, plain: await readAll(await staged.reread()) };
  } finally {
    await staged.discard();
  }
}

const ok = { outcome: 'ok', media: { sha256: sha256(bytes), size: bytes.length } };

describe('a broken connection', () => {
  test('is resumed from the byte that was reached', async () => {
    world.cdn.dropAfter(path(), 150_000);
    const { result, plain } = await download([world.cdn.hostname]);
    expect(result).toEqual(ok);
    expect(plain.equals(bytes)).toBe(true);
    const [first, second, ...others] = world.downloads();
    expect([first?.status, second?.status, others]).toEqual([200, 206, []]);
    expect(Number(/^bytes=(\d+)-$/.exec(second?.range ?? '')?.[1])).toBeGreaterThan(100_000);
  });

  test('is resumed on another host when the first is gone', async () => {
    odd.setHandler((_request, response) => {
      response.writeHead(200, { 'content-length': ciphertext().length });
      response.write(ciphertext().subarray(0, 100_000), () => response.destroy());
      odd.setHandler((_again, later) => later.writeHead(503).end());
    });
    const { result, plain } = await download([odd.hostname, world.cdn.hostname]);
    expect(result).toEqual(ok);
    expect(plain.equals(bytes)).toBe(true);
    expect(world.downloads()).toEqual([{ status: 206, range: expect.stringMatching(/^bytes=\d+-$/) }]);
  });

  test('continues right when the host ignores the range', async () => {
    let answers = 0;
    odd.setHandler((_request, response) => {
      response.writeHead(200, { 'content-length': ciphertext().length });
      answers += 1;
      if (answers === 1) response.write(ciphertext().subarray(0, 100_000), () => response.destroy());
      else response.end(ciphertext());
    });
    // The whole is no more than allowed, though a part comes twice.
    const { result, plain } = await download([odd.hostname], { maxBytes: bytes.length });
    expect(result).toEqual(ok);
    expect(plain.equals(bytes)).toBe(true);
    expect(answers).toBe(2);
  });

  test('continues right when the host begins sooner than asked', async () => {
    odd.setHandler((_request, response) => {
      response.writeHead(200).write(ciphertext().subarray(0, 100_000), () => response.destroy());
      odd.setHandler((_again, later) => {
        later.writeHead(206, { 'content-range': 'bytes 50-400025/400026' }).end(ciphertext().subarray(50));
      });
    });
    const { result, plain } = await download([odd.hostname]);
    expect(result).toEqual(ok);
    expect(plain.equals(bytes)).toBe(true);
  });

  test('of a file that is not encrypted is resumed as well, and asked for by its path alone', async () => {
    const directPath = await world.put(bytes);
    const fileSha256 = Buffer.from(sha256(bytes), 'hex');
    const promise = { ...media.descriptor, mediaKey: new Uint8Array(0), fileSha256 };
    odd.setHandler((_request, response) => {
      response.writeHead(200).write(bytes.subarray(0, 100_000), () => response.destroy());
      odd.setHandler((again, later) => serveRange(again, later, bytes));
    });
    const { result, plain } = await download([odd.hostname], { directPath, promise });
    expect(result).toEqual(ok);
    expect(plain.equals(bytes)).toBe(true);
    expect(odd.asked).toEqual([`GET ${directPath}`, `GET ${directPath}`]);
    odd.setHandler((_request, response) => response.writeHead(403).end());
    const refused = await download([odd.hostname], { directPath, promise });
    expect(refused.result).toEqual({ outcome: 'expired', detail: 'HTTP 403' });
    expect(odd.asked).toHaveLength(3);
  });

  test('that brought wrong bytes is started over once', async () => {
    let answers = 0;
    odd.setHandler((_request, response) => {
      answers += 1;
      if (answers === 1) {
        response.writeHead(200, { 'content-length': ciphertext().length });
        response.write(Buffer.alloc(100_000), () => response.destroy());
      } else serveRange(_request, response, ciphertext());
    });
    const { result } = await download([odd.hostname]);
    expect(result).toEqual(ok);
    expect(answers).toBe(3);
  });

  test('behind the last byte has brought everything', async () => {
    odd.setHandler((_request, response) => {
      response.writeHead(200).write(ciphertext(), () => response.destroy());
      odd.setHandler((_again, later) => later.writeHead(416).end());
    });
    const { result, plain } = await download([odd.hostname]);
    expect(result).toEqual(ok);
    expect(plain.equals(bytes)).toBe(true);
    expect(odd.asked).toHaveLength(2);
  });

  test('with a little progress each time is resumed five times in each of three rounds', async () => {
    odd.setHandler((request, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, start > 0 ? { 'content-range': `bytes ${start}-/*` } : {});
      response.write(ciphertext().subarray(start, start + 100), () => response.destroy());
    });
    const { result } = await download([odd.hostname]);
    expect(result).toMatchObject({ outcome: 'unreachable' });
    expect(odd.asked).toHaveLength(18);
  });

  test.each([
    ['ahead of what we have', { 'content-range': 'bytes 1-399999/400000' }],
    ['that is not told', {}],
    ['in other words', { 'content-range': 'from bytes 0-' }],
  ])('a range %s is none', async (_what, headers) => {
    odd.setHandler((_request, response) => response.writeHead(206, headers).end(ciphertext()));
    const { result } = await download([odd.hostname]);
    expect(result).toEqual({ outcome: 'unreachable', detail: 'a wrong range was answered' });
  });

  test('again and again without progress is given up', async () => {
    odd.setHandler((request) => request.socket.destroy());
    const { result } = await download([odd.hostname]);
    expect(result).toEqual({
      outcome: 'unreachable',
      detail: expect.stringMatching(/^connection failed \([A-Z_]+\)$/),
    });
    expect(odd.asked).toHaveLength(3);
    expect(pauses).toEqual([500, 1000]);
  });
});

describe('hosts', () => {
  test.each([
    [404, { outcome: 'expired', detail: 'HTTP 404' }, 1],
    [410, { outcome: 'expired', detail: 'HTTP 410' }, 1],
    // With the parameters of the client and without.
    [403, { outcome: 'expired', detail: 'HTTP 403' }, 2],
    [503, { outcome: 'unreachable', detail: 'HTTP 503' }, 3],
    [416, { outcome: 'unreachable', detail: 'HTTP 416' }, 3],
    [204, { outcome: 'unreachable', detail: 'HTTP 204' }, 3],
  ])('that answer %i', async (status, expected, asked) => {
    odd.setHandler((_request, response) => response.writeHead(status).end());
    expect((await download([odd.hostname])).result).toEqual(expected);
    expect(odd.asked).toHaveLength(asked);
  });

  test('an overloaded one is passed over, a corrupt one too', async () => {
    expect((await download([odd.hostname, world.cdn.hostname])).result).toEqual(ok);
    odd.setHandler((_request, response) => response.writeHead(200).end(randomBytes(500)));
    expect((await download([odd.hostname, world.cdn.hostname])).result).toEqual(ok);
    expect(pauses).toEqual([]);
    odd.asked.length = 0;
    const alone = await download([odd.hostname]);
    expect(alone.result).toEqual({ outcome: 'corrupt', check: 'ciphertext_hash' });
    expect([odd.asked.length, pauses]).toEqual([1, []]);
  });

  /** The same host under another name. */
  const again = () => odd.hostname.replace('127.0.0.1', 'localhost');
  const isAgain = (request: IncomingMessage) => request.headers.host === again();

  test('a corrupt one is not asked again while another one may still have the file', async () => {
    odd.setHandler((request, response) =>
      isAgain(request) ? response.writeHead(503).end() : response.end(randomBytes(500)),
    );
    const { result } = await download([odd.hostname, again()]);
    expect(result).toEqual({ outcome: 'corrupt', check: 'ciphertext_hash' });
    expect(odd.asked).toHaveLength(4);
  });

  test('what one said of the file stands when the time is over', async () => {
    const ending = new AbortController();
    odd.setHandler((request, response) => {
      if (isAgain(request)) ending.abort();
      else response.end(randomBytes(500));
    });
    const { result } = await download([odd.hostname, again()], { signal: ending.signal });
    expect(result).toEqual({ outcome: 'corrupt', check: 'ciphertext_hash' });
  });

  test('a pause ends with the time', async () => {
    const ending = new AbortController();
    const clock = new ManualClock();
    const after = clock.after.bind(clock);
    clock.after = (ms, run) => {
      queueMicrotask(() => ending.abort());
      return after(ms, run);
    };
    const { result } = await download([odd.hostname], { signal: ending.signal, clock });
    expect(result).toEqual({ outcome: 'unreachable', detail: 'it took too long' });
    expect(odd.asked).toHaveLength(1);
  });

  test.each([
    ['plaintext_hash', { fileSha256: randomBytes(32) }],
    ['length', { fileSha256: null, fileLength: 1 }],
  ])('what the sender himself got wrong is asked of one alone: %s', async (check, wrong) => {
    odd.setHandler((request, response) => serveRange(request, response, ciphertext()));
    const promise = { ...media.descriptor, ...wrong };
    const { result } = await download([odd.hostname, world.cdn.hostname], { promise });
    expect(result).toEqual({ outcome: 'corrupt', check });
    expect([odd.asked.length, world.downloads(), pauses]).toEqual([1, [], []]);
  });

  test('a 403 to the client’s parameters is tried without them', async () => {
    odd.setHandler((request, response) => {
      if (request.url?.includes('__wa-mms')) response.writeHead(403).end();
      else response.writeHead(200).end(ciphertext());
    });
    expect((await download([odd.hostname])).result).toEqual(ok);
    const hash = Buffer.from(media.descriptor.fileEncSha256 ?? []).toString('base64url');
    expect(odd.asked).toEqual([`GET ${path()}&hash=${hash}=&mms-type=image&__wa-mms=`, `GET ${path()}`]);
    odd.setHandler((_request, response) => response.writeHead(403).end());
    expect((await download([odd.hostname])).result).toMatchObject({ outcome: 'expired' });
  });

  test('a redirect is not followed', async () => {
    const elsewhere = `https://${world.cdn.hostname}${path()}`;
    odd.setHandler((_request, response) => response.writeHead(302, { location: elsewhere }).end());
    expect((await download([odd.hostname])).result).toMatchObject({ outcome: 'unreachable' });
    expect(world.downloads()).toEqual([]);
  });

  test.each([
    '@evil.example/v/x',
    '//evil.example/v/x',
    'https://evil.example/v/x',
    '/\\evil.example/x',
    'v/x',
    '.evil.example/x',
    ':444/x',
    '',
  ])('a direct path cannot name another: %s', async (directPath) => {
    const { result } = await download([world.cdn.hostname], { directPath });
    expect(result).toMatchObject({ outcome: 'expired' });
    for (const { status } of world.downloads()) expect(status).toBe(404);
  });

  test('only those that the server named are allowed, and no text that is not a host', () => {
    const hostsOf = (hosts: string[]) =>
      world.http.allowedHosts({ auth: '', expiresAt: 0, route: null, hosts }).map(({ host }) => host);
    const named = ['mmg.example:8443', '[::1]:1', 'evil.example/@good', 'a@b', 'x?y', '', 'white space'];
    expect(hostsOf(named)).toEqual(['mmg.example:8443', '[::1]:1']);
    expect(hostsOf([])).toEqual([]);
  });
});

describe('limits', () => {
  test('too large by announcement, and too large by stream', async () => {
    expect((await download([world.cdn.hostname], { maxBytes: 1000 })).result).toEqual({
      outcome: 'too_large',
    });
    let closed: Promise<unknown> = Promise.resolve();
    odd.setHandler((_request, response) => {
      closed = once(response, 'close');
      const feed = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', feed);
      };
      feed();
    });
    expect((await download([odd.hostname])).result).toEqual({ outcome: 'too_large' });
    await closed;
  });

  /** The most that is allowed of encrypted bytes. */
  const MOST = 1_000_026;
  test.each([
    ['announced', { 'content-length': MOST + 1 }, 0],
    ['sent', {}, MOST + 1],
  ])('a byte too many is enough, without waiting for more: %s', async (_how, headers, sent) => {
    odd.setHandler((_request, response) => {
      response.writeHead(200, headers).flushHeaders();
      response.write(Buffer.alloc(sent));
    });
    expect((await download([odd.hostname])).result).toEqual({ outcome: 'too_large' });
  });

  test('what is announced counts with what is there', async () => {
    odd.setHandler((_request, response) => {
      response.writeHead(200).write(ciphertext().subarray(0, 100_000), () => response.destroy());
      odd.setHandler((again, later) => {
        const start = Number(/\d+/.exec(again.headers.range ?? '')?.[0]);
        later.writeHead(206, { 'content-range': `bytes ${start}-/*`, 'content-length': MOST + 1 - start });
        later.flushHeaders();
      });
    });
    expect((await download([odd.hostname])).result).toEqual({ outcome: 'too_large' });
  });

  // With the second, only the padding is left of the room that the encryption is granted.
  test.each([400_000, 400_005])('%i bytes are not too large for themselves', async (size) => {
    media = await world.upload(randomBytes(size));
    expect((await download([world.cdn.hostname], { maxBytes: size })).result).toMatchObject({
      outcome: 'ok',
      media: { size },
    });
    expect((await download([world.cdn.hostname], { maxBytes: size - 1 })).result).toEqual({
      outcome: 'too_large',
    });
  });

  test('a trickle ends with the time limit', async () => {
    world.cdn.slow(path(), 1000);
    const { result } = await download([world.cdn.hostname], { timeoutMs: 500 });
    expect(result).toEqual({ outcome: 'unreachable', detail: 'it took too long' });
  });

  test('without a host nothing is asked', async () => {
    expect((await download([])).result).toEqual({
      outcome: 'unreachable',
      detail: 'no media host is known',
    });
    expect(pauses).toEqual([]);
  });
});

function serveRange(request: IncomingMessage, response: ServerResponse, whole: Buffer): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(start > 0 ? 206 : 200, {
    ...(start > 0 ? { 'content-range': `bytes ${start}-${whole.length - 1}/${whole.length}` } : {}),
    'content-length': whole.length - start,
  });
  response.end(whole.subarray(start));
}
