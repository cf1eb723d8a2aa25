/** Sound as a voice note on a machine without ffmpeg, as the receiving phone has it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Json, World } from '../harness.ts';
import { heard, readOggOpus } from './ogg-opus-reader.ts';
import { wav } from './wav.ts';

/** Two seconds of 440 Hz that grow louder, as files of other programs. */
const SOUNDS = join(import.meta.dirname, '../../sounds');

let world: World;
let contact: Phone;
let post: (kind: string, body: object) => Promise<Answer>;

beforeAll(async () => {
  world = await World.create({
    settings: { WUTS_FFMPEG_PATH: '/nonexistent/ffmpeg', WUTS_FFMPEG_MAX_DURATION: '3s' },
  });
  const token = await world.tenant('bare');
  const phone = await world.sandbox.createPhone({ number: '5511999999201', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999999202', name: 'Friend' });
  await world.linkByQr(token, phone);
  const api = world.as(token);
  post = (kind, body) => api.post(`/send/${kind}`, { number: contact.number, ...body });
});
afterAll(() => world?.destroy());

const file = (name: string): Promise<Buffer> => readFile(join(SOUNDS, name));

async function sent(audio: Buffer, body: object): Promise<{ answer: Answer; audio: Json; bytes: Buffer }> {
  const answer = await post('audio', { audio: audio.toString('base64'), ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const got = await contact.waitForMessage(({ id }) => id === answer.body.message_id);
  const bytes = Buffer.from(await contact.downloadMedia(got));
  return { answer, audio: got.message.audioMessage, bytes };
}

async function expectVoiceNote(audio: Buffer): Promise<void> {
  const note = await sent(audio, { ptt: true });
  expect(note.audio).toMatchObject({ ptt: true, seconds: 2, mimetype: 'audio/ogg; codecs=opus' });
  const bars = [...note.audio.waveform];
  expect(bars).toHaveLength(64);
  expect(Math.max(...bars)).toBe(100);
  expect(bars[58]).toBeGreaterThan((bars[5] ?? 0) + 40);
  expect(note.answer.body.metadata).toMatchObject({
    audio_duration_seconds: 2,
    conversion_applied: true,
    waveform_generated: true,
  });
  const opus = readOggOpus(note.bytes);
  expect(opus).toMatchObject({ channels: 1, inputRate: 16_000 });
  // Encoders of MP3 and AAC add up to a tenth of a second.
  expect(opus.samples / 48_000).toBeGreaterThan(1.95);
  expect(opus.samples / 48_000).toBeLessThan(2.15);
  const samples = await heard(opus);
  expect(samples).toHaveLength(opus.samples);
  expect(pitch(samples.subarray(48_000, 72_000))).toBeCloseTo(440, -1);
  expect(loudness(samples.subarray(72_000, 84_000))).toBeGreaterThan(
    2 * loudness(samples.subarray(12_000, 24_000)),
  );
}

/** Hz, by how often it rises through zero. */
function pitch(samples: Float32Array): number {
  let rises = 0;
  samples.forEach((sample, at) => {
    if (at > 0 && sample >= 0 && (samples[at - 1] ?? 0) < 0) rises += 1;
  });
  return (rises * 48_000) / samples.length;
}

function loudness(samples: Float32Array): number {
  return samples.reduce((sum, each) => sum + Math.abs(each), 0) / samples.length;
}

describe('a voice note of', () => {
  test.each([
    'stereo.mp3',
    'variable-rate.mp3',
    'index-at-end.m4a',
    // As Safari's MediaRecorder writes it.
    'fragmented.mp4',
    'stream.aac',
    'vorbis.ogg',
    'lossless.flac',
    // As Chrome's MediaRecorder writes it: without a length.
    'recorder.webm',
    'stereo-opus.ogg',
  ])('%s', async (name) => {
    await expectVoiceNote(await file(name));
  });

  test.each([
    { rate: 8000, channels: 1, coding: 'muLaw' },
    { rate: 8000, channels: 1, coding: 'aLaw' },
    { rate: 8000, channels: 1, coding: 'u8' },
    { rate: 44_100, channels: 2, coding: 's16' },
    { rate: 48_000, channels: 2, coding: 's24' },
    { rate: 48_000, channels: 1, coding: 's32' },
    { rate: 22_050, channels: 6, coding: 'f32' },
  ] as const)('WAV: $channels × $rate Hz, $coding', async (shape) => {
    await expectVoiceNote(wav({ seconds: 2, ...shape }));
  });
});

describe('without ffmpeg', () => {
  test('plain audio becomes Opus in stereo, or stays as it is when asked', async () => {
    const mp3 = await file('stereo.mp3');
    const made = await sent(mp3, {});
    expect(made.audio).toMatchObject({ ptt: false, seconds: 2, mimetype: 'audio/ogg; codecs=opus' });
    expect(readOggOpus(made.bytes).channels).toBe(2);
    const kept = await sent(mp3, { convert: false });
    expect(kept.bytes.equals(mp3)).toBe(true);
    expect(kept.audio).toMatchObject({ seconds: 2, mimetype: 'audio/mpeg' });
  });

  test('Ogg/Opus in mono stays as it is and gets its bars; in stereo it stays when it is no voice note', async () => {
    const mono = await file('mono-opus.ogg');
    const note = await sent(mono, { ptt: true });
    expect(note.bytes.equals(mono)).toBe(true);
    expect(Math.max(...note.audio.waveform)).toBe(100);
    const stereo = await file('stereo-opus.ogg');
    expect((await sent(stereo, {})).bytes.equals(stereo)).toBe(true);
  });

  test('a file that was written while it was made does not know its length', async () => {
    const streamed = wav({ seconds: 2, rate: 24_000, channels: 1, coding: 's16' });
    streamed.fill(0xff, 4, 8).fill(0xff, 40, 44);
    await expectVoiceNote(streamed);
  });

  test('an index that claims billions of frames is refused', async () => {
    const m4a = await file('index-at-end.m4a');
    const sizes = m4a.indexOf('stsz');
    m4a.writeUInt32BE(1, sizes + 8);
    m4a.writeUInt32BE(0xffff_ffff, sizes + 12);
    m4a.writeUInt32BE(0xffff_ffff, m4a.indexOf('stsc') + 16);
    const answer = await post('audio', { audio: m4a.toString('base64'), ptt: true });
    expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_MEDIA']);
  });

  test('damaged, empty and too long sound is refused with the reason', async () => {
    const m4a = await file('index-at-end.m4a');
    const refused: [Buffer, string][] = [
      [wav({ seconds: 0, rate: 8000, channels: 1, coding: 's16' }), 'there is no sound in it'],
      [m4a.subarray(0, m4a.length / 2), 'its index is missing'],
      [
        Buffer.concat([(await file('stereo.mp3')).subarray(0, 200), Buffer.alloc(9000, 7)]),
        'cannot be converted',
      ],
      [wav({ seconds: 4, rate: 8000, channels: 1, coding: 's16' }), 'longer than 3 seconds'],
    ];
    for (const [audio, reason] of refused) {
      const { status, body } = await post('audio', { audio: audio.toString('base64'), ptt: true });
      expect([status, body.error_code, body.error]).toEqual([
        400,
        'INVALID_MEDIA',
        expect.stringContaining(reason),
      ]);
    }
  });

  test('what only ffmpeg can do says so', async () => {
    const amr = Buffer.concat([Buffer.from('#!AMR\n'), Buffer.alloc(320, '3c9117e0', 'hex')]);
    const audio = amr.toString('base64');
    const video = (await file('recorder.webm')).toString('base64');
    for (const answer of [
      await post('audio', { audio, ptt: true }),
      await post('video', { video, convertToMP4: true }),
    ]) {
      expect([answer.status, answer.body.error_code]).toEqual([422, 'CONVERSION_UNAVAILABLE']);
      expect(answer.body.error).toContain('apt-get install ffmpeg');
    }
    const plain = await post('audio', { audio });
    expect(plain.body.metadata).toMatchObject({ conversion_applied: false, audio_format: 'audio/amr' });
    expect((await post('video', { video, seconds: 3 })).body.metadata).toMatchObject({
      was_converted: false,
      video_duration_seconds: 3,
      thumbnail_generated: false,
    });
  });
});
