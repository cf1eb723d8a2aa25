/** Stickers and files that come as parts of a request, as the receiving phone has them. */
import { request as httpRequest } from 'node:http';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Json, until } from '../harness.ts';
import { jpeg, pdf, sha256 } from '../samples.ts';
import { MediaPair } from './media-pair.ts';

let pair: MediaPair;

beforeAll(async () => {
  pair = await MediaPair.create();
});
afterAll(() => pair?.destroy());

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Twelve pictures that differ. */
function gif(): Promise<Buffer> {
  const [width, height, pages] = [160, 90, 12];
  const pixels = Buffer.alloc(width * height * pages * 3, 255);
  for (let page = 0; page < pages; page += 1) {
    const start = page * width * height * 3;
    pixels.fill(page * 20, start, start + (width * height * 3) / 2);
  }
  const raw = { width, height: height * pages, channels: 3 as const, pageHeight: height };
  return sharp(pixels, { raw }).gif().toBuffer();
}

describe('stickers', () => {
  test('an animated WebP stays as it is and is said to be one', async () => {
    const animated = await sharp(await gif(), { animated: true })
      .webp()
      .toBuffer();
    const { message, bytes } = await pair.sent('sticker', { sticker: base64(animated) });
    expect(sha256(bytes)).toBe(sha256(animated));
    expect(message.stickerMessage.isAnimated).toBe(true);
  });

  test('a GIF becomes an animated one, a photo a still one', async () => {
    const moving = await pair.sent('sticker', { sticker: base64(await gif()) });
    const facts = await sharp(moving.bytes, { animated: true }).metadata();
    expect([facts.format, facts.width, facts.pageHeight]).toEqual(['webp', 512, 512]);
    expect(facts.pages).toBeGreaterThan(10);
    expect(moving.message.stickerMessage.isAnimated).toBe(true);
    expect(moving.answer.body).toMatchObject({ message: 'Sticker sent successfully', is_animated: true });
    const still = await pair.sent('sticker', { sticker: base64(await jpeg(800, 300)) });
    expect(still.message.stickerMessage).toMatchObject({ width: 512, height: 512, isAnimated: false });
    expect(still.bytes.length).toBeLessThan(500 * 1024);
  });

  test('a WebP of more than 500 KB is refused', async () => {
    const noise = {
      create: { width: 1200, height: 1200, channels: 3, noise: { type: 'gaussian', mean: 128, sigma: 60 } },
    };
    const large = await sharp({ create: { ...noise.create, background: '#000' } } as Json)
      .webp({ lossless: true })
      .toBuffer();
    expect(large.length).toBeGreaterThan(500 * 1024);
    const answer = await pair.api.post('/send/sticker', { to: pair.number, sticker: base64(large) });
    expect([answer.status, answer.body.error_code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });
});

describe('multipart', () => {
  const post = async (
    kind: string,
    body: FormData | string,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const written = typeof body === 'string' ? { 'content-type': 'multipart/form-data; boundary=x' } : {};
    const response = await fetch(`${pair.world.gateway.url}/send/${kind}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${pair.token}`, ...written, ...headers },
      body,
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes, body: JSON.parse(bytes.toString()) };
  };
  const form = (fields: Record<string, string>, file?: [string, Uint8Array, string, string]): FormData => {
    const made = new FormData();
    for (const [name, value] of Object.entries(fields)) made.set(name, value);
    if (file) made.set(file[0], new Blob([Buffer.from(file[1])], { type: file[2] }), file[3]);
    return made;
  };

  test.each([
    ['list.csv', 'text/csv'],
    ['app.apk', 'application/vnd.android.package-archive'],
  ])('a document without a type of its own, %s, is what its name says', async (name, type) => {
    const bytes = name.endsWith('.csv') ? Buffer.from('a;b') : Buffer.from('504b0506'.padEnd(44, '0'), 'hex');
    const answer = await post('document', form({ number: pair.number }, ['document', bytes, '', name]));
    expect((await pair.received(answer)).message.documentMessage).toMatchObject({
      mimetype: type,
      fileName: name,
    });
  });

  test('a document, streamed, with its name and type', async () => {
    const bytes = pdf(300_000);
    const answer = await post(
      'document',
      form({ number: pair.number, caption: 'For you' }, ['document', bytes, 'application/pdf', 'preço.pdf']),
    );
    const got = await pair.received(answer);
    expect(sha256(got.bytes)).toBe(sha256(bytes));
    const { documentMessage } = got.message.documentWithCaptionMessage.message;
    expect(documentMessage).toMatchObject({
      fileName: 'preço.pdf',
      mimetype: 'application/pdf',
      caption: 'For you',
    });
    await until('nothing is left behind', async () => (await pair.leftovers()).length === 0);
  });

  test('the same request again answers as the first time', async () => {
    const bytes = await jpeg();
    const headers = { 'idempotency-key': 'multipart-1' };
    const again = () =>
      post(
        'image',
        form({ to: pair.number, viewOnce: 'true' }, ['file', bytes, 'image/jpeg', 'a.jpg']),
        headers,
      );
    const first = await again();
    const second = await again();
    expect(first.status).toBe(200);
    expect(second.body.message_id).toBe(first.body.message_id);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    const got = await pair.contact.waitForMessage(({ id }) => id === first.body.message_id);
    expect(got.message.viewOnceMessage).toBeTruthy();
    const other = await post(
      'image',
      form({ to: pair.number }, ['file', await jpeg(80, 80), 'image/jpeg', 'a.jpg']),
      headers,
    );
    expect([other.status, other.body.error_code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  });

  test('refuses what does not fit', async () => {
    const bytes = await jpeg();
    const file: [string, Uint8Array, string, string] = ['image', bytes, 'image/jpeg', 'a.jpg'];
    const cases: [string, FormData, string, string][] = [
      ['image', form({ number: pair.number }), 'VALIDATION_ERROR', 'image'],
      [
        'image',
        form({ number: pair.number, image_url: 'https://example.com/x.jpg' }, file),
        'VALIDATION_ERROR',
        'image',
      ],
      [
        'image',
        form({ number: pair.number }, ['picture', bytes, 'image/jpeg', 'a.jpg']),
        'VALIDATION_ERROR',
        'picture',
      ],
      ['image', form({ number: pair.number, viewOnce: 'perhaps' }, file), 'VALIDATION_ERROR', 'viewOnce'],
      ['image', form({ number: pair.number, quoted: '{' }, file), 'VALIDATION_ERROR', 'quoted'],
      ['image', form({ number: '12' }, file), 'INVALID_RECIPIENT', 'number'],
      [
        'image',
        form({ number: pair.number }, ['image', Buffer.from('nothing'), 'image/jpeg', 'a.jpg']),
        'INVALID_MEDIA',
        'image',
      ],
    ];
    for (const [kind, body, code, field] of cases) {
      const answer = await post(kind, body);
      expect([answer.status, answer.body.error_code]).toEqual([400, code]);
      expect(answer.body.validation[0].field).toBe(field);
    }
    expect((await post('text', form({ number: pair.number, text: 'x' }))).status).toBe(415);
    await until('nothing is left behind', async () => (await pair.leftovers()).length === 0);
  });

  /** A body as text: what generated clients write, which FormData does not. */
  const parts = (...each: [headers: string, value: string][]): string => {
    const written = each.map(
      ([head, value]) => `--x\r\ncontent-disposition: form-data; ${head}\r\n\r\n${value}\r\n`,
    );
    return `${written.join('')}--x--\r\n`;
  };
  const FILE: [string, string] = ['name="document"; filename="a.txt"', 'hello'];

  test.each<[string, ...[string, string][]]>([
    ['a part for each', ['name="mentioned"', '5511999999101'], ['name="mentioned"', '5511999999102']],
    ['named as PHP does', ['name="mentioned[]"', '5511999999101'], ['name="mentioned[]"', '5511999999102']],
    ['as JSON in one', ['name="mentioned"', '["5511999999101", "5511999999102"]']],
    [
      'as JSON that says so',
      ['name="mentioned"\r\ncontent-type: application/json', '["5511999999101", "5511999999102"]'],
    ],
  ])('takes a list, %s', async (_how, ...list) => {
    const answer = await post('document', parts(['name="number"', pair.number], FILE, ...list));
    expect(answer.body.metadata?.mentions_processed, JSON.stringify(answer.body)).toBe(2);
  });

  test('takes an object as JSON, whether its part says so or not', async () => {
    const quoted = JSON.stringify({ message_id: '3EB0F8A1B2C3D4E5F6', body: 'earlier' });
    for (const type of ['', 'application/json; charset=utf-8', 'application/x-json', 'text/plain']) {
      const head = `name="quoted"${type && `\r\ncontent-type: ${type}`}`;
      const body = parts(['name="number"', pair.number], [head, quoted], FILE);
      const got = await pair.received(await post('document', body));
      expect(got.message.documentMessage.contextInfo.quotedMessage).toEqual({ conversation: 'earlier' });
    }
  });

  test('a file without a name is one when its type is that of a file', async () => {
    const body = parts(
      ['name="number"\r\ncontent-type: text/plain; charset=utf-8', pair.number],
      ['name="document"\r\ncontent-type: application/pdf', '%PDF-1.4\n\0\u0001'],
    );
    const got = await pair.received(await post('document', body));
    expect(got.message.documentMessage).toMatchObject({ fileName: 'document', mimetype: 'application/pdf' });
    expect(got.bytes.toString()).toBe('%PDF-1.4\n\0\u0001');
  });

  test.each([
    ['document', `${FILE[0]}\r\ncontent-transfer-encoding: base64`, 'aGVsbG8='],
    ['caption', 'name="caption"\r\ncontent-transfer-encoding: Quoted-Printable', 'a=3Db'],
  ])('%s in an encoding of its own is refused, and not sent as it stands', async (field, head, value) => {
    const others: [string, string][] = field === 'document' ? [] : [FILE];
    const answer = await post('document', parts(['name="number"', pair.number], [head, value], ...others));
    expect([answer.status, answer.body.validation?.[0].field]).toEqual([400, field]);
  });

  test('a caption that begins like a list is a caption', async () => {
    const picture = (await jpeg()).toString('base64');
    const item = { type: 'image', base64: picture };
    const body = parts(
      ['name="number"', pair.number],
      ['name="media"', JSON.stringify([item, item])],
      ['name="captions"', '[new] the front'],
    );
    const answer = await post('album', body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const [{ message_id: front }] = answer.body.items;
    const got = await pair.contact.waitForMessage(({ id }) => id === front);
    expect(JSON.stringify(got.message)).toContain('[new] the front');
  });

  test('refuses one member with two values, and takes an empty one for none', async () => {
    const twice = parts(['name="number"', pair.number], ['name="number"', '5511999999101'], FILE);
    const refused = await post('document', twice);
    expect([refused.status, refused.body.validation?.[0].field]).toEqual([400, 'number']);
    const device = parts(['name="number"', pair.number], ['name="device_id"', 'another'], FILE);
    const differing = await post('document?device_id=one', device);
    expect([differing.status, differing.body.validation?.[0].field]).toEqual([400, 'device_id']);
    const empty = ['number', 'file_name', 'document', 'quoted', 'mentioned'].map((name): [string, string] => [
      `name="${name}"`,
      '',
    ]);
    const unknown: [string, string][] = [
      ['name="nobody"', 'knows'],
      ['name="nobody"', 'this'],
    ];
    const got = await pair.received(
      await post('document', parts(...empty, ...unknown, ['name="number"', pair.number], FILE, ...empty)),
    );
    expect(got.message.documentMessage.fileName).toBe('a.txt');
  });

  test('a token that was not uploaded is no file', async () => {
    const image = 'wuts-upload:0196f0c1-7d3e-7c1a-9a43-3f2b8a4c5d6e';
    const answer = await pair.api.post('/send/image', { number: pair.number, image });
    expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
  });

  test('a connection that breaks off leaves nothing behind and sends nothing', async () => {
    const before = pair.contact.inbox.length;
    const request = httpRequest(`${pair.world.gateway.url}/send/document`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${pair.token}`,
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': '1000000',
      },
    });
    request.on('error', () => undefined);
    request.write(
      `--x\r\ncontent-disposition: form-data; name="document"; filename="a"\r\n\r\n${'a'.repeat(100_000)}`,
    );
    await until('the file is being received', async () => (await pair.leftovers()).length > 0);
    request.destroy();
    await until('it is gone', async () => (await pair.leftovers()).length === 0);
    expect(pair.contact.inbox.length).toBe(before);
  });
});
