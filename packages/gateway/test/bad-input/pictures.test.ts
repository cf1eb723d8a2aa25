/** Pictures made to cost more than they weigh. */
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { descendants, runs } from '../end-to-end/child-processes.ts';
import { until } from '../end-to-end/harness.ts';
import { LinkedProcess } from '../end-to-end/linked-process.ts';
import { jpeg, webp } from '../end-to-end/samples.ts';
import { expectRefused, LinkedShop } from './linked-shop.ts';

let linked: LinkedShop;
beforeAll(async () => {
  linked = await LinkedShop.create();
});
afterAll(() => linked?.world.destroy());

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const send = (kind: string, bytes: Uint8Array) =>
  linked.api.post(`/send/${kind}`, { number: linked.contact.number, [kind]: base64(bytes) });

/** Sends an animation that takes seconds to convert. */
async function sticker(url: string, token: string, number: string, signal: AbortSignal): Promise<number> {
  const response = await fetch(`${url}/send/sticker`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ number, sticker: base64(tinyGif(300)) }),
    signal,
  });
  return response.status;
}

/** An animation of one pixel: 23 bytes a frame, of which a sticker makes 512 × 512 pixels each. */
function tinyGif(frames: number): Buffer {
  const screen = Buffer.from('47494638396101000100800000000000ffffff', 'hex');
  const loop = Buffer.from('21ff0b4e45545343415045322e300301000000', 'hex');
  const frame = (index: number) =>
    Buffer.from(`21f90400040000002c0000000001000100000202${index % 2 === 0 ? '44' : '4c'}0100`, 'hex');
  return Buffer.concat([
    screen,
    loop,
    ...Array.from({ length: frames }, (_, i) => frame(i)),
    Buffer.from(';'),
  ]);
}

/** One bit a pixel, all of them alike. */
function blankPng(side: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const named = Buffer.concat([Buffer.from(type), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.writeUInt8(1, 8);
  const lines = deflateSync(Buffer.alloc(side * (Math.ceil(side / 8) + 1)));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const end = chunk('IEND', Buffer.alloc(0));
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', lines), end]);
}

test.each([
  ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>'), 'JPEG'],
  ['a PDF', Buffer.from('%PDF-1.4\n%âãÏÓ\n1 0 obj\n'), 'JPEG'],
  ['a text', Buffer.from('no picture at all'), 'JPEG'],
  ['4,000 frames', tinyGif(4000), '300 frames'],
])('%s is no sticker', async (_name, bytes, text) => {
  const answer = await send('sticker', bytes);
  expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'sticker' });
  expect(answer.body.error).toContain(text);
});

test.each(['tiff', 'avif'] as const)('a %s is shown to no decoder', async (format) => {
  const bytes = await sharp(await jpeg())
    .toFormat(format)
    .toBuffer();
  expectRefused(await send('image', bytes), { status: 400, code: 'INVALID_MEDIA', field: 'image' });
});

test('a PNG that is small on the wire and a quarter of a gigapixel in memory is refused', async () => {
  const bytes = blankPng(16_000);
  expect(bytes.length).toBeLessThan(2 ** 20);
  const answer = await send('image', bytes);
  expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'image' });
  expect(answer.body.error).toContain('megapixels');
});

test('an SVG that calls itself a PNG is not drawn', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>');
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), svg]);
  expectRefused(await send('image', png), { status: 400, code: 'INVALID_MEDIA', field: 'image' });
});

test('many costly pictures of one tenant stop neither writes nor the pictures of another', async () => {
  const { world, contact } = linked;
  const other = await world.tenant('bystander');
  const phone = await world.sandbox.createPhone({ number: '5511999994009', name: 'Bystander' });
  await world.linkByQr(other, phone);
  const over = new AbortController();
  let answered = 0;
  const attack = Array.from({ length: 8 }, () =>
    sticker(world.gateway.url, linked.token, contact.number, over.signal).then(() => {
      answered += 1;
    }),
  );
  await until('a picture is being read', async () => {
    return (await descendants(process.pid, 'picture-process')).length > 0;
  });
  // Each waits for the database's log to be on the disk.
  for (let index = 0; index < 5; index += 1) {
    const device = await world.as(other).post('/devices', { name: `bystander ${index}` });
    expect(device.status).toBe(201);
  }
  expect(answered).toBe(0);
  const image = { number: contact.number, image: base64(await jpeg()) };
  expect((await world.as(other).post('/send/image', image)).status).toBe(200);
  expect(answered).toBeLessThan(attack.length);
  over.abort();
  await Promise.allSettled(attack);
  expect((await send('sticker', await webp())).status).toBe(200);
});

test('a picture that takes too long is refused, and the next one is read', async () => {
  const slow = await LinkedShop.create({ WUTS_PICTURE_TIMEOUT: '1ms' });
  try {
    const answer = await slow.api.post('/send/sticker', {
      number: slow.contact.number,
      sticker: base64(tinyGif(300)),
    });
    expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'sticker' });
    expect(answer.body.error).toContain('takes too long');
    await slow.expectNothingSent();
  } finally {
    await slow.world.destroy();
  }
});

test('neither a client that leaves nor a gateway that is killed leaves a decoder at work', async () => {
  const gateway = await LinkedProcess.start();
  const { token, url } = gateway;
  const { number } = gateway.contact;
  try {
    const reading = (): Promise<number> =>
      until('the picture is being read', async () => {
        return (await descendants(gateway.pid, 'picture-process'))[0];
      });
    const leaving = new AbortController();
    const left = sticker(url, token, number, leaving.signal).catch(() => 'cut off');
    const first = await reading();
    leaving.abort();
    expect(await left).toBe('cut off');
    await until('nobody reads it any more', async () => !(await runs(first)));

    const never = new AbortController().signal;
    const killed = sticker(url, token, number, never).catch(() => 'cut off');
    const second = await reading();
    await gateway.kill();
    expect(await killed).toBe('cut off');
    await until('its process is gone', async () => !(await runs(second)));
  } finally {
    await gateway.destroy();
  }
});
