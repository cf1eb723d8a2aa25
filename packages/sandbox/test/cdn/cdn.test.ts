import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cdn, createCdn } from '../../src/cdn/cdn.ts';

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: Buffer;
  /** The connection ended before the promised length. */
  aborted: boolean;
}

let cdn: Cdn;
beforeAll(async () => {
  cdn = await createCdn({ authToken: () => 'the-token' });
});
afterAll(() => cdn.stop());

function call(
  method: string,
  path: string,
  options: { body?: Buffer; headers?: Record<string, string>; ca?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${cdn.url}${path}`,
      { method, headers: options.headers ?? {}, ca: options.ca ?? cdn.caPem, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        const finish = (aborted: boolean): void =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            aborted,
          });
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', () => finish(true));
        response.on('end', () => finish(false));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

async function upload(bytes: Buffer, auth = 'the-token', type = 'image'): Promise<Answer> {
  const token = createHash('sha256').update(bytes).digest('base64url');
  return call('POST', `/mms/${type}/${token}?auth=${auth}&token=${token}`, { body: bytes });
}

async function stored(bytes: Buffer): Promise<string> {
  const answer = JSON.parse((await upload(bytes)).body.toString()) as { direct_path: string };
  return answer.direct_path;
}

describe('the CDN', () => {
  test('stores an upload and gives it back, only to clients that trust its CA', async () => {
    const bytes = randomBytes(200_000);
    const answer = await upload(bytes);
    expect(answer.status).toBe(200);
    const body = JSON.parse(answer.body.toString()) as Record<string, string>;
    expect(body.direct_path).toMatch(
      /^\/v\/t62\.7118-24\/[0-9_]+_n\.enc\?ccb=11-4&oh=[^&]+&oe=[0-9A-F]+&_nc_sid=/,
    );
    expect(body.url).toBe(`${cdn.url}${body.direct_path}&mms3=true`);
    const download = await call('GET', `${body.direct_path}&hash=abc&mms-type=image`);
    expect(download.status).toBe(200);
    expect(download.body.equals(bytes)).toBe(true);
    await expect(call('GET', '/', { ca: '' })).rejects.toThrow(/self-signed|unable to/);
  });

  test('refuses an upload without the token, with a wrong one, or under a wrong hash', async () => {
    const bytes = randomBytes(100);
    expect((await upload(bytes, 'stale')).status).toBe(401);
    const token = createHash('sha256').update(bytes).digest('base64url');
    expect((await call('POST', `/mms/image/${token}`, { body: bytes })).status).toBe(401);
    const other = createHash('sha256').update('other').digest('base64url');
    expect((await call('POST', `/mms/image/${other}?auth=the-token`, { body: bytes })).status).toBe(400);
    cdn.failNextUpload(503);
    expect((await upload(bytes)).status).toBe(503);
    expect((await upload(bytes)).status).toBe(200);
  });

  test('gives every upload its own path, also for the same bytes', async () => {
    const bytes = randomBytes(64);
    expect(await stored(bytes)).not.toBe(await stored(bytes));
  });

  test.each([
    ['bytes=0-9', 206, 0, 10],
    ['bytes=90-', 206, 90, 100],
    ['bytes=-5', 206, 95, 100],
    ['bytes=50-5000', 206, 50, 100],
    ['bytes=100-', 416, 0, 0],
    ['bytes=0-1,5-6', 200, 0, 100],
  ])('answers Range %s with %i', async (range, status, start, end) => {
    const bytes = randomBytes(100);
    const answer = await call('GET', await stored(bytes), { headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.body.equals(bytes.subarray(start, end))).toBe(true);
    if (status === 206) expect(answer.headers['content-range']).toBe(`bytes ${start}-${end - 1}/100`);
    if (status === 416) expect(answer.headers['content-range']).toBe('bytes */100');
  });

  test('expires, corrupts, truncates, drops and restores an object', async () => {
    const bytes = randomBytes(300_000);
    const path = await stored(bytes);
    for (const status of [403, 404, 410] as const) {
      cdn.expire(path, status);
      expect((await call('GET', path)).status).toBe(status);
    }
    cdn.restore(path);
    cdn.corrupt(path);
    const corrupt = await call('GET', path);
    expect(corrupt.body.length).toBe(bytes.length);
    expect(corrupt.body.equals(bytes)).toBe(false);
    cdn.restore(path);
    cdn.truncate(path, 1000);
    expect((await call('GET', path)).body.equals(bytes.subarray(0, 1000))).toBe(true);
    cdn.restore(path);
    cdn.dropAfter(path, 100_000);
    const dropped = await call('GET', path);
    expect(dropped.aborted).toBe(true);
    expect(dropped.body.equals(bytes.subarray(0, 100_000))).toBe(true);
    expect((await call('GET', path)).body.equals(bytes)).toBe(true);
    cdn.remove(path);
    expect((await call('GET', path)).status).toBe(404);
    expect(() => cdn.expire(path)).toThrow(/no object/);
  });

  test('expireAll spares later uploads', async () => {
    const before = await stored(randomBytes(10));
    cdn.expireAll(410);
    const after = await stored(randomBytes(10));
    expect((await call('GET', before)).status).toBe(410);
    expect((await call('GET', after)).status).toBe(200);
  });

  test('logs what it was asked, without upload tokens', async () => {
    const path = await stored(randomBytes(50));
    cdn.clearLog();
    await upload(randomBytes(7));
    await call('GET', path, { headers: { range: 'bytes=0-3' } });
    await call('GET', '/v/nothing_here');
    expect(cdn.log.map(({ method, status, range, bytes }) => ({ method, status, range, bytes }))).toEqual([
      { method: 'POST', status: 200, range: undefined, bytes: 7 },
      { method: 'GET', status: 206, range: 'bytes=0-3', bytes: 4 },
      { method: 'GET', status: 404, range: undefined, bytes: 0 },
    ]);
    expect(JSON.stringify(cdn.log)).not.toContain('the-token');
  });
});
