import { afterAll, afterEach, beforeAll, describe, test } from 'vitest';
import { jpeg, mp4, webp } from '../end-to-end/samples.ts';
import { expectRefused, LinkedShop } from './linked-shop.ts';

let linked: LinkedShop;
beforeAll(async () => {
  linked = await LinkedShop.create({ WUTS_MEDIA_MAX_BYTES: '1MiB' });
});
afterAll(() => linked.world.destroy());
afterEach(() => linked.expectNothingSent());

const send = (kind: string, body: Record<string, unknown>) =>
  linked.api.post(`/send/${kind}`, { number: linked.contact.number, ...body });

const KINDS = ['image', 'video', 'audio', 'document', 'sticker'];

describe.each(KINDS)('/send/%s', (kind) => {
  test(`both ${kind} and ${kind}_url: 400 names both`, async () => {
    const answer = await send(kind, {
      [kind]: 'aGk=',
      [`${kind}_url`]: 'https://example.com/a',
      file_name: 'a',
    });
    for (const field of [kind, `${kind}_url`]) {
      expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field });
    }
  });

  test.each([
    ['left out', {}],
    ['empty', { [kind]: '', [`${kind}_url`]: '' }],
    ['null', { [kind]: null, [`${kind}_url`]: null }],
  ])('neither, %s: 400 names both', async (_what, body) => {
    const answer = await send(kind, body);
    for (const field of [kind, `${kind}_url`]) {
      expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field });
    }
  });

  test.each([
    ['words', 'this is not base64!'],
    ['a lone digit', 'aGkaa'],
    ['padding within', 'aGk=aGk='],
    ['both alphabets', 'ab+_'],
    ['a URL', 'https://example.com/a.jpg'],
    ['a data URI of words', 'data:image/jpeg;base64,hello world!'],
    ['a data URI that is not base64', 'data:text/plain,hello'],
    ['a data URI without bytes', 'data:image/jpeg;base64,'],
    ['spaces', '    '],
    // What programs write for a file that they do not have: as base64 a file of three bytes (evolution-api issue 2399).
    ['null', 'null'],
    ['none', 'None'],
    ['no number', 'NaN'],
    ['nothing', 'undefined'],
    ['a data URI of null', 'data:application/pdf;base64,null'],
  ])('base64 that is none, %s: 400', async (_what, text) => {
    const answer = await send(kind, { [kind]: text });
    expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: kind });
  });

  test('a file over the limit in a body below it: 413', async () => {
    const answer = await send(kind, { [kind]: Buffer.alloc(1024 * 1024 + 1).toString('base64') });
    expectRefused(answer, { status: 413, code: 'PAYLOAD_TOO_LARGE', field: kind });
  });
});

describe('bytes that are not what they are sent as', () => {
  const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  const cases: [string, string, () => Promise<Buffer> | Buffer][] = [
    ['image', 'a text', () => Buffer.from('hello')],
    ['image', 'an SVG', () => SVG],
    ['image', 'a video', () => mp4(100)],
    ['image', 'half a JPEG', async () => (await jpeg()).subarray(0, 300)],
    ['sticker', 'a text', () => Buffer.from('hello')],
    ['sticker', 'half a WebP header', async () => (await webp()).subarray(0, 20)],
    ['video', 'a text', () => Buffer.from('hello, this is a text')],
    ['video', 'a JPEG', () => jpeg()],
    ['audio', 'a text', () => Buffer.from('hello, this is a text')],
    ['audio', 'a JPEG', () => jpeg()],
  ];
  test.each(cases)('%s from %s: 400', async (kind, _what, make) => {
    const answer = await send(kind, { [kind]: (await make()).toString('base64') });
    expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: kind });
  });

  test('a picture for a sticker of more than 16 MB: 413', async () => {
    const answer = await send('sticker', { sticker: Buffer.alloc(16 * 1024 ** 2 + 1).toString('base64') });
    expectRefused(answer, { status: 413, code: 'PAYLOAD_TOO_LARGE' });
  });

  test('a voice note that is no Ogg/Opus: 400', async () => {
    const answer = await send('audio', { audio: mp4(100).toString('base64'), ptt: true });
    expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'audio' });
  });
});

describe('what goes with the file', () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ['image', { image: 'aGk=', caption: 'x'.repeat(1025) }, 'caption'],
    ['image', { image: 'aGk=', caption: 'a\u0000b' }, 'caption'],
    ['image', { image: 'aGk=', viewOnce: 'yes' }, 'viewOnce'],
    ['video', { video: 'aGk=', seconds: -1 }, 'seconds'],
    ['video', { video: 'aGk=', seconds: 1.5 }, 'seconds'],
    ['video', { video: 'aGk=', seconds: 2 ** 40 }, 'seconds'],
    ['audio', { audio: 'aGk=', ptt: 1 }, 'ptt'],
    ['document', { document_url: 'https://example.com/a' }, 'file_name'],
    ['document', { document: 'aGk=', file_name: 'x'.repeat(256) }, 'file_name'],
    ['document', { document: 'aGk=', mime_type: 'text' }, 'mime_type'],
    ['document', { document: 'aGk=', mime_type: 'text/html\r\nx: y' }, 'mime_type'],
    ['sticker', { sticker: 'aGk=', is_animated: 'no' }, 'is_animated'],
  ];
  test.each(cases)('%s %j: 400', async (kind, body, field) => {
    expectRefused(await send(kind, body), { status: 400, code: 'VALIDATION_ERROR', field });
  });
});
