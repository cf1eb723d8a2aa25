import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../../src/clock.ts';
import { type Answer, type Api, until, type World } from '../harness.ts';
import { jpeg, mp4, oggOpus, pdf, sha256, webp } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
const clock = new AdvancingClock();

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({ tenant: 'media', clock }));
});
afterAll(() => world.destroy());
beforeEach(() => {
  shop.mediaRetry = 'reupload';
  world.sandbox.cdn.clearLog();
});

/** Sends a picture from the contact and waits until it is in the warm cache. */
async function receivedPicture(): Promise<{ id: string; bytes: Buffer; directPath: string }> {
  const bytes = await jpeg();
  const sent = await contact.sendImage(shop.number, { bytes, mimeType: 'image/jpeg' });
  await downloaded(sent.id, bytes);
  const uploaded = world.sandbox.cdn.objects().at(-1);
  world.sandbox.cdn.clearLog();
  return { id: sent.id, bytes, directPath: uploaded?.path ?? 'nothing was uploaded' };
}

/** Waits until the message's media answers 200 and checks the bytes. */
async function downloaded(id: string, bytes: Buffer): Promise<Answer> {
  const answer = await until(`media of ${id} answers`, async () => {
    const got = await api.get(`/messages/${id}/media`);
    return got.status === 200 && got;
  });
  expect(sha256(answer.bytes)).toBe(sha256(bytes));
  return answer;
}

/** A file stays while an answer is still being written: the client may have all of it a moment earlier. */
const emptyCache = () =>
  until('the cache is empty', async () => (await world.gateway.parts.media.emptyCache()) === 0);

const downloads = () => world.sandbox.cdn.log.filter((entry) => entry.method === 'GET');

describe('every kind of media gives back its exact bytes, from the warm cache', () => {
  const kinds: [string, () => Promise<Buffer>, (bytes: Buffer) => Promise<{ id: string }>, string][] = [
    ['image', jpeg, (bytes) => contact.sendImage(shop.number, { bytes, caption: 'look' }), 'image/jpeg'],
    ['video', async () => mp4(), (bytes) => contact.sendVideo(shop.number, { bytes }), 'video/mp4'],
    [
      'voice note',
      async () => oggOpus(),
      (bytes) => contact.sendVoice(shop.number, { bytes }),
      'audio/ogg; codecs=opus',
    ],
    [
      'document',
      async () => pdf(),
      (bytes) =>
        contact.sendDocument(shop.number, { bytes, mimeType: 'application/pdf', fileName: 'preço 1.pdf' }),
      'application/pdf',
    ],
    ['sticker', webp, (bytes) => contact.sendSticker(shop.number, { bytes }), 'image/webp'],
  ];
  test.each(kinds)('%s', async (_kind, make, send, mimeType) => {
    const bytes = await make();
    const { id } = await send(bytes);
    await downloaded(id, bytes);
    world.sandbox.cdn.clearLog();
    const again = await downloaded(id, bytes);
    expect(downloads()).toEqual([]);
    expect(again.headers.get('content-type')).toBe(mimeType);
    expect(again.headers.get('content-length')).toBe(String(bytes.length));
    expect(again.headers.get('etag')).toContain(sha256(bytes));
    expect(again.headers.get('x-content-type-options')).toBe('nosniff');
    expect(again.headers.get('content-disposition')).toMatch(/^attachment/);
  });

  test('a document that is a web page is never served as one', async () => {
    const bytes = Buffer.from('<html><script>alert(1)</script></html>');
    const sent = await contact.sendDocument(shop.number, {
      bytes,
      mimeType: 'text/html',
      fileName: 'a.html',
    });
    const answer = await downloaded(sent.id, bytes);
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
  });

  test('HEAD, Range and If-None-Match work as HTTP says', async () => {
    const { id, bytes } = await receivedPicture();
    const head = await api.call('HEAD', `/messages/${id}/media`);
    expect([head.status, head.bytes.length, head.headers.get('content-length')]).toEqual([
      200,
      0,
      String(bytes.length),
    ]);
    const part = await api.get(`/messages/${id}/media`, { range: 'bytes=10-19' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${bytes.length}`);
    expect(part.bytes.equals(bytes.subarray(10, 20))).toBe(true);
    const outside = await api.get(`/messages/${id}/media`, { range: `bytes=${bytes.length}-` });
    expect(outside.status).toBe(416);
    const etag = head.headers.get('etag') ?? '';
    expect((await api.get(`/messages/${id}/media`, { 'if-none-match': etag })).status).toBe(304);
  });

  test('a text message carries no media', async () => {
    const sent = await contact.sendText(shop.number, 'no media here');
    const answer = await until('the text is stored', async () => {
      const got = await api.get(`/messages/${sent.id}/media`);
      return got.body?.error_code === 'MEDIA_NOT_FOUND' && got;
    });
    expect(answer.status).toBe(404);
  });
});

describe('the cache is emptied', () => {
  test('the same bytes come again from the CDN, and ten requests at once make one download', async () => {
    const { id, bytes } = await receivedPicture();
    await emptyCache();
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.get(`/messages/${id}/media`)));
    for (const answer of answers) expect(sha256(answer.bytes)).toBe(sha256(bytes));
    expect(downloads()).toHaveLength(1);
  });
});

describe('the CDN copy has expired', () => {
  test.each([
    404, 410, 403,
  ] as const)('%i: 202 retry_requested, the phone uploads again, the next call has the bytes', async (status) => {
    const { id, bytes, directPath } = await receivedPicture();
    await emptyCache();
    world.sandbox.cdn.expire(directPath, status);
    const first = await api.get(`/messages/${id}/media`);
    expect(first.status).toBe(202);
    expect(Object.entries(first.body).slice(0, 2)).toEqual([
      ['success', false],
      ['status', 'retry_requested'],
    ]);
    expect(Number(first.headers.get('retry-after'))).toBeGreaterThan(0);
    await downloaded(id, bytes);
  });

  test('with ?wait=60 one call does', async () => {
    const { id, bytes, directPath } = await receivedPicture();
    await emptyCache();
    world.sandbox.cdn.expire(directPath, 404);
    const answer = await api.get(`/messages/${id}/media?wait=60`);
    expect(answer.status).toBe(200);
    expect(sha256(answer.bytes)).toBe(sha256(bytes));
  });

  test.each([
    'lid',
    'pn',
  ] as const)('the phone is asked by the name the message had: %s', async (addressing) => {
    const bytes = await jpeg();
    const { id } = await contact.sendImage(shop.number, { bytes, mimeType: 'image/jpeg' }, { addressing });
    await downloaded(id, bytes);
    await emptyCache();
    world.sandbox.cdn.expireAll(404);
    await api.get(`/messages/${id}/media?wait=60`);
    const request = shop.mediaRetryRequests.find(({ messageId }) => messageId === id);
    expect(request?.address).toBe(addressing === 'lid' ? contact.lid : contact.jid);
  });

  test('a phone that no longer has it: 410, remembered without asking again', async () => {
    const { id, directPath } = await receivedPicture();
    await emptyCache();
    world.sandbox.cdn.expire(directPath, 404);
    shop.mediaRetry = 'not_found';
    const gone = await api.get(`/messages/${id}/media?wait=60`);
    expect([gone.status, gone.body.error_code]).toEqual([410, 'MEDIA_GONE']);
    const asked = shop.mediaRetryRequests.length;
    expect((await api.get(`/messages/${id}/media`)).status).toBe(410);
    expect(shop.mediaRetryRequests).toHaveLength(asked);
  });

  test('a silent phone: 202 again without a second request, until it expires', async () => {
    const { id, directPath, bytes } = await receivedPicture();
    await emptyCache();
    world.sandbox.cdn.expire(directPath, 404);
    shop.mediaRetry = 'silent';
    const requests = () => shop.mediaRetryRequests.filter((request) => request.messageId === id).length;
    expect((await api.get(`/messages/${id}/media`)).status).toBe(202);
    await until('the phone was asked', async () => requests() === 1);
    expect((await api.get(`/messages/${id}/media`)).status).toBe(202);
    expect(requests()).toBe(1);
    clock.advance(world.gateway.config.media.retryExpiryMs + 1000);
    shop.mediaRetry = 'reupload';
    const answer = await api.get(`/messages/${id}/media?wait=60`);
    expect(sha256(answer.bytes)).toBe(sha256(bytes));
    expect(requests()).toBe(2);
  });

  test('a phone that answers with an error may be asked again', async () => {
    const { id, directPath, bytes } = await receivedPicture();
    await emptyCache();
    world.sandbox.cdn.expire(directPath, 404);
    shop.mediaRetry = 'general_error';
    const failed = await api.get(`/messages/${id}/media?wait=60`);
    expect([202, 502]).toContain(failed.status);
    shop.mediaRetry = 'reupload';
    await downloaded(id, bytes);
  });

  test.each(['corrupt', 'truncate'] as const)('a CDN copy that is %sed is never served', async (fault) => {
    const { id, bytes, directPath } = await receivedPicture();
    await emptyCache();
    if (fault === 'corrupt') world.sandbox.cdn.corrupt(directPath);
    else world.sandbox.cdn.truncate(directPath, 100);
    shop.mediaRetry = 'silent';
    const broken = await api.get(`/messages/${id}/media`);
    expect(broken.status).toBe(202);
    shop.mediaRetry = 'reupload';
    world.sandbox.cdn.restore(directPath);
    clock.advance(world.gateway.config.media.retryExpiryMs + 1000);
    await downloaded(id, bytes);
  });

  test('device offline and nothing cached: 503', async () => {
    const { id, bytes } = await receivedPicture();
    await emptyCache();
    await api.post('/disconnect');
    const answer = await api.get(`/messages/${id}/media`);
    expect([answer.status, answer.body.error_code]).toEqual([503, 'DEVICE_NOT_READY']);
    await api.post('/connect');
    await downloaded(id, bytes);
  });

  test('the host named by the sender in the message is never contacted', async () => {
    const bytes = await jpeg();
    const sent = await contact.sendImage(shop.number, { bytes, url: 'https://127.0.0.1:9/evil.enc' });
    await downloaded(sent.id, bytes);
  });
});
