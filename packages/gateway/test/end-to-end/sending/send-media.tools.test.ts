/** Files made fit for WhatsApp by ffmpeg, as the receiving phone has them; ffmpeg makes the samples and reads the results. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, until } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';
import { MediaPair } from './media-pair.ts';
import { readOggOpus } from './ogg-opus-reader.ts';

const run = promisify(execFile);

let pair: MediaPair;

beforeAll(async () => {
  pair = await MediaPair.create();
});
afterAll(() => pair?.destroy());

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const codecs = (facts: Json): string[] => facts.streams.map((each: Json) => each.codec_name).sort();

/** A sample that ffmpeg makes; three seconds that grow louder. */
async function sample(name: string, ...args: string[]): Promise<Buffer> {
  const path = join(pair.folder, name);
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
  const path = join(pair.folder, 'received');
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

describe('audio', () => {
  test('a voice note: Opus, one channel, measured, with its bars', async () => {
    const { answer, message, bytes } = await pair.sent('audio', { audio: base64(await mp3()), ptt: true });
    const facts = await probed(bytes);
    expect(codecs(facts)).toEqual(['opus']);
    expect(readOggOpus(bytes)).toMatchObject({ channels: 1, inputRate: 16_000 });
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
    const made = await pair.sent('audio', { audio: base64(bytes) });
    expect(codecs(await probed(made.bytes))).toEqual(['opus']);
    expect(made.message.audioMessage.ptt).toBe(false);
    const kept = await pair.sent('audio', { audio: base64(bytes), convert: false });
    expect(sha256(kept.bytes)).toBe(sha256(bytes));
    expect(kept.answer.body.metadata).toMatchObject({
      conversion_applied: false,
      audio_format: 'audio/mpeg',
      audio_duration_seconds: 3,
    });
  });

  test('a voice note of something damaged: 400, and nothing is left behind', async () => {
    const before = pair.contact.inbox.length;
    const damaged = Buffer.concat([Buffer.from('fffb9000', 'hex'), Buffer.alloc(500)]);
    const answer = await pair.api.post('/send/audio', {
      number: pair.number,
      audio: base64(damaged),
      ptt: true,
    });
    expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
    expect(answer.body.validation[0].field).toBe('audio');
    expect(pair.contact.inbox.length).toBe(before);
    await until('nothing is left behind', async () => (await pair.leftovers()).length === 0);
  });
});

describe('video', () => {
  test('becomes MP4 when asked, measured, with a picture of itself', async () => {
    const { answer, message, bytes } = await pair.sent('video', {
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
    const kept = await pair.sent('video', { video: base64(other), generateThumbnail: false });
    expect(sha256(kept.bytes)).toBe(sha256(other));
    expect(kept.message.videoMessage.jpegThumbnail?.length ?? 0).toBe(0);
    expect(kept.message.videoMessage).toMatchObject({ width: 161, height: 91, mimetype: 'video/webm' });
    const mp4 = await h264();
    const same = await pair.sent('video', { video: base64(mp4), convertToMP4: true });
    expect(sha256(same.bytes)).toBe(sha256(mp4));
    expect(same.answer.body.metadata.was_converted).toBe(false);
  });

  test('a GIF becomes a video in a loop, a given picture is shown', async () => {
    const thumbnail = base64(await jpeg(400, 200));
    const { answer, message, bytes } = await pair.sent('video', {
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
    const secret = join(pair.folder, 'secret.mp4');
    await writeFile(secret, await h264());
    const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://${secret}\n#EXT-X-ENDLIST\n`;
    for (const text of [playlist, `ffconcat version 1.0\nfile ${secret}\n`]) {
      const video = `data:video/mp4;base64,${base64(Buffer.from(text))}`;
      const answer = await pair.api.post('/send/video', { number: pair.number, video, convertToMP4: true });
      // Not readable: it goes as the bytes that it is, or not at all.
      if (answer.status === 200) {
        const { bytes } = await pair.received(answer);
        expect(bytes.toString()).toBe(text);
      } else expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
    }
  });
});
