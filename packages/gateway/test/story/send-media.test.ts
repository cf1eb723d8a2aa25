/** Files made fit for WhatsApp, as the receiving phone has them; ffmpeg makes the samples and reads the results. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Phone } from '@wuts/sandbox';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Answer, type Api, type Json, until, World } from './harness.ts';
import { jpeg, pdf, sha256 } from './samples.ts';

const run = promisify(execFile);

let world: World;
let api: Api;
let token: string;
let folder: string;
let shop: Phone;
let contact: Phone;
let number: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wuts-samples-'));
  // A temporary folder of its own: others that run at the same time leave theirs in the common one.
  vi.stubEnv('TMPDIR', folder);
  world = await World.create();
  token = await world.tenant('media-out');
  shop = await world.sandbox.createPhone({ number: '5511999999101', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999999102', name: 'Contact' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  number = contact.number;
});
afterAll(async () => {
  await world?.destroy();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** A sample that ffmpeg makes; three seconds that grow louder. */
async function sample(name: string, ...args: string[]): Promise<Buffer> {
  const path = join(folder, name);
  const tone = ['-f', 'lavfi', '-i', 'aevalsrc=0.3*t*sin(880*PI*t):d=3'];
  const picture = ['-f', 'lavfi', '-i', 'testsrc=size=161x91:rate=10:duration=3'];
  await run('ffmpeg', ['-y', '-loglevel', 'error', ...tone, ...picture, ...args, path]);
  return readFile(path);
}
const mp3 = () => sample('tone.mp3', '-map', '0:a');
const webm = () => sample('clip.webm', '-c:v', 'libvpx', '-c:a', 'libopus', '-shortest');
const h264 = () =>
  sample('clip.mp4', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-vf', 'scale=160:90', '-c:a', 'aac');
const gif = () => sample('clip.gif', '-map', '1:v');

async function probed(bytes: Uint8Array): Promise<Json> {
  const path = join(folder, 'received');
  await writeFile(path, bytes);
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-print_format',
    'json',
    '-show_format',
    '-show_streams',
    path,
  ]);
  return JSON.parse(stdout);
}

/** Sends and gives the answer, the message as the phone has it, and the file as the phone decrypts it. */
async function sent(kind: string, body: object): Promise<{ answer: Answer; message: Json; bytes: Buffer }> {
  const answer = await api.post(`/send/${kind}`, { number, ...body });
  return received(answer);
}

async function received(answer: Answer): Promise<{ answer: Answer; message: Json; bytes: Buffer }> {
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const got = await contact.waitForMessage(({ id }) => id === answer.body.message_id);
  return { answer, message: got.message, bytes: Buffer.from(await contact.downloadMedia(got)) };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const codecs = (facts: Json): string[] => facts.streams.map((each: Json) => each.codec_name).sort();

/** What the gateway leaves behind in the temporary folder. */
const leftovers = async () =>
  (await readdir(tmpdir())).filter((name) => /^wuts-(?:convert|probe|upload|media)-/.test(name));

describe('audio', () => {
  test('a voice note: Opus, one channel, measured, with its bars', async () => {
    const { answer, message, bytes } = await sent('audio', { audio: base64(await mp3()), ptt: true });
    const facts = await probed(bytes);
    expect(codecs(facts)).toEqual(['opus']);
    expect(facts.streams[0].channels).toBe(1);
    expect(message.audioMessage).toMatchObject({ ptt: true, seconds: 3, mimetype: 'audio/ogg; codecs=opus' });
    const bars = [...message.audioMessage.waveform];
    expect(bars).toHaveLength(64);
    expect(Math.max(...bars)).toBe(100);
    // The sample grows louder.
    expect(bars[60]).toBeGreaterThan((bars[5] ?? 0) + 40);
    expect(answer.body.metadata).toMatchObject({
      audio_format: 'audio/ogg; codecs=opus',
      audio_size_bytes: bytes.length,
      audio_duration_seconds: 3,
      original_format: 'audio/mpeg',
      conversion_applied: true,
      waveform_generated: true,
      ptt_enabled: true,
      conversion_time_ms: expect.any(Number),
    });
  });

  test('plain audio becomes Opus too, or stays as it is when asked', async () => {
    const bytes = await mp3();
    const made = await sent('audio', { audio: base64(bytes) });
    expect(codecs(await probed(made.bytes))).toEqual(['opus']);
    expect(made.message.audioMessage.ptt).toBe(false);
    const kept = await sent('audio', { audio: base64(bytes), convert: false });
    expect(sha256(kept.bytes)).toBe(sha256(bytes));
    expect(kept.answer.body.metadata).toMatchObject({
      conversion_applied: false,
      audio_format: 'audio/mpeg',
      audio_duration_seconds: 3,
    });
  });

  test('a voice note of something damaged: 400, and nothing is left behind', async () => {
    const before = contact.inbox.length;
    const damaged = Buffer.concat([Buffer.from('fffb9000', 'hex'), Buffer.alloc(500)]);
    const answer = await api.post('/send/audio', { number, audio: base64(damaged), ptt: true });
    expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
    expect(answer.body.validation[0].field).toBe('audio');
    expect(contact.inbox.length).toBe(before);
    await until('nothing is left behind', async () => (await leftovers()).length === 0);
  });
});

describe('video', () => {
  test('becomes MP4 when asked, measured, with a picture of itself', async () => {
    const { answer, message, bytes } = await sent('video', {
      video: base64(await webm()),
      convertToMP4: true,
    });
    const facts = await probed(bytes);
    expect(codecs(facts)).toEqual(['aac', 'h264']);
    expect(facts.format.format_name).toContain('mp4');
    // Even numbers: H.264 of phones has no odd ones.
    expect(message.videoMessage).toMatchObject({ seconds: 3, width: 160, height: 90, mimetype: 'video/mp4' });
    expect((await sharp(message.videoMessage.jpegThumbnail).metadata()).width).toBe(72);
    expect(answer.body.metadata).toMatchObject({
      was_converted: true,
      video_format: 'video/mp4',
      video_size_bytes: bytes.length,
      video_duration_seconds: 3,
      has_custom_thumbnail: false,
      thumbnail_generated: true,
    });
  });

  test('stays as it is otherwise, and when it plays everywhere already', async () => {
    const other = await webm();
    const kept = await sent('video', { video: base64(other), generateThumbnail: false });
    expect(sha256(kept.bytes)).toBe(sha256(other));
    expect(kept.message.videoMessage.jpegThumbnail?.length ?? 0).toBe(0);
    expect(kept.message.videoMessage).toMatchObject({ width: 161, height: 91, mimetype: 'video/webm' });
    const mp4 = await h264();
    const same = await sent('video', { video: base64(mp4), convertToMP4: true });
    expect(sha256(same.bytes)).toBe(sha256(mp4));
    expect(same.answer.body.metadata.was_converted).toBe(false);
  });

  test('a GIF becomes a video in a loop, a given picture is shown', async () => {
    const thumbnail = base64(await jpeg(400, 200));
    const { answer, message, bytes } = await sent('video', {
      video: base64(await gif()),
      convert_to_mp4: true,
      thumbnail,
    });
    expect(codecs(await probed(bytes))).toEqual(['h264']);
    expect(message.videoMessage.gifPlayback).toBe(true);
    const shown = await sharp(message.videoMessage.jpegThumbnail).metadata();
    expect([shown.width, shown.height]).toEqual([72, 36]);
    expect(answer.body.metadata.has_custom_thumbnail).toBe(true);
  });

  test('a playlist cannot make ffmpeg open other files', async () => {
    const secret = join(folder, 'secret.mp4');
    await writeFile(secret, await h264());
    const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://${secret}\n#EXT-X-ENDLIST\n`;
    for (const text of [playlist, `ffconcat version 1.0\nfile ${secret}\n`]) {
      const video = `data:video/mp4;base64,${base64(Buffer.from(text))}`;
      const answer = await api.post('/send/video', { number, video, convertToMP4: true });
      // Not readable: it goes as the bytes that it is, or not at all.
      if (answer.status === 200) {
        const { bytes } = await received(answer);
        expect(bytes.toString()).toBe(text);
      } else expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
    }
  });
});

describe('stickers', () => {
  test('an animated WebP stays as it is and is said to be one', async () => {
    const animated = await sharp(await gif(), { animated: true })
      .webp()
      .toBuffer();
    const { message, bytes } = await sent('sticker', { sticker: base64(animated) });
    expect(sha256(bytes)).toBe(sha256(animated));
    expect(message.stickerMessage.isAnimated).toBe(true);
  });

  test('a GIF becomes an animated one, a photo a still one', async () => {
    const moving = await sent('sticker', { sticker: base64(await gif()) });
    const facts = await sharp(moving.bytes, { animated: true }).metadata();
    expect([facts.format, facts.width, facts.pageHeight]).toEqual(['webp', 512, 512]);
    expect(facts.pages).toBeGreaterThan(10);
    expect(moving.message.stickerMessage.isAnimated).toBe(true);
    expect(moving.answer.body).toMatchObject({ message: 'Sticker sent successfully', is_animated: true });
    const still = await sent('sticker', { sticker: base64(await jpeg(800, 300)) });
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
    const answer = await api.post('/send/sticker', { to: number, sticker: base64(large) });
    expect([answer.status, answer.body.error_code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });
});

describe('multipart', () => {
  const post = async (
    kind: string,
    form: FormData,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${world.gateway.url}/send/${kind}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, ...headers },
      body: form,
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
    const answer = await post('document', form({ number }, ['document', bytes, '', name]));
    expect((await received(answer)).message.documentMessage).toMatchObject({
      mimetype: type,
      fileName: name,
    });
  });

  test('a document, streamed, with its name and type', async () => {
    const bytes = pdf(300_000);
    const answer = await post(
      'document',
      form({ number, caption: 'For you' }, ['document', bytes, 'application/pdf', 'preço.pdf']),
    );
    const got = await received(answer);
    expect(sha256(got.bytes)).toBe(sha256(bytes));
    const { documentMessage } = got.message.documentWithCaptionMessage.message;
    expect(documentMessage).toMatchObject({
      fileName: 'preço.pdf',
      mimetype: 'application/pdf',
      caption: 'For you',
    });
    await until('nothing is left behind', async () => (await leftovers()).length === 0);
  });

  test('the same request again answers as the first time', async () => {
    const bytes = await jpeg();
    const headers = { 'idempotency-key': 'multipart-1' };
    const again = () =>
      post('image', form({ to: number, viewOnce: 'true' }, ['file', bytes, 'image/jpeg', 'a.jpg']), headers);
    const first = await again();
    const second = await again();
    expect(first.status).toBe(200);
    expect(second.body.message_id).toBe(first.body.message_id);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    const got = await contact.waitForMessage(({ id }) => id === first.body.message_id);
    expect(got.message.viewOnceMessage).toBeTruthy();
    const other = await post(
      'image',
      form({ to: number }, ['file', await jpeg(80, 80), 'image/jpeg', 'a.jpg']),
      headers,
    );
    expect([other.status, other.body.error_code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  });

  test('refuses what does not fit', async () => {
    const bytes = await jpeg();
    const file: [string, Uint8Array, string, string] = ['image', bytes, 'image/jpeg', 'a.jpg'];
    const cases: [string, FormData, string, string][] = [
      ['image', form({ number }), 'VALIDATION_ERROR', 'image'],
      ['image', form({ number, image_url: 'https://example.com/x.jpg' }, file), 'VALIDATION_ERROR', 'image'],
      ['image', form({ number }, ['picture', bytes, 'image/jpeg', 'a.jpg']), 'VALIDATION_ERROR', 'picture'],
      ['image', form({ number, viewOnce: 'perhaps' }, file), 'VALIDATION_ERROR', 'viewOnce'],
      ['image', form({ number, quoted: '{' }, file), 'VALIDATION_ERROR', 'quoted'],
      ['image', form({ number: '12' }, file), 'INVALID_RECIPIENT', 'number'],
      [
        'image',
        form({ number }, ['image', Buffer.from('nothing'), 'image/jpeg', 'a.jpg']),
        'INVALID_MEDIA',
        'image',
      ],
    ];
    for (const [kind, body, code, field] of cases) {
      const answer = await post(kind, body);
      expect([answer.status, answer.body.error_code]).toEqual([400, code]);
      expect(answer.body.validation[0].field).toBe(field);
    }
    expect((await post('text', form({ number, text: 'x' }))).status).toBe(415);
    await until('nothing is left behind', async () => (await leftovers()).length === 0);
  });

  test('a token that was not uploaded is no file', async () => {
    const image = 'wuts-upload:0196f0c1-7d3e-7c1a-9a43-3f2b8a4c5d6e';
    const answer = await api.post('/send/image', { number, image });
    expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
  });

  test('a connection that breaks off leaves nothing behind and sends nothing', async () => {
    const before = contact.inbox.length;
    const request = httpRequest(`${world.gateway.url}/send/document`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': '1000000',
      },
    });
    request.on('error', () => undefined);
    request.write(
      `--x\r\ncontent-disposition: form-data; name="document"; filename="a"\r\n\r\n${'a'.repeat(100_000)}`,
    );
    await until('the file is being received', async () => (await leftovers()).length > 0);
    request.destroy();
    await until('it is gone', async () => (await leftovers()).length === 0);
    expect(contact.inbox.length).toBe(before);
  });
});
