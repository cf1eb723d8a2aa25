/** The bars that a voice note shows. */
import type { FfmpegRuns } from './ffmpeg.ts';

/** Bars of a voice note, each 0–100 (waE2E.AudioMessage `waveform`; Baileys Utils/messages-media.js `getAudioWaveform`). */
const BARS = 64;
/** Enough to tell loud from silent. */
const SAMPLE_RATE = 8000;
/** Samples that are summed up as they come, so that an hour of sound is a list of 36 000 numbers: 0.1 s. */
const WINDOW = SAMPLE_RATE / 10;

/** 64 bytes, the loudest 100. Throws ConversionFailed. */
export async function waveform(ffmpeg: FfmpegRuns, path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const windows: number[] = [];
  let sum = 0;
  let count = 0;
  let half: number | null = null;
  const take = (low: number, high: number): void => {
    const sample = (((high << 8) | low) << 16) >> 16;
    sum += Math.abs(sample);
    count += 1;
    if (count === WINDOW) {
      windows.push(sum / count);
      sum = 0;
      count = 0;
    }
  };
  const onOutput = (chunk: Uint8Array): void => {
    let at = 0;
    if (half !== null && chunk.length > 0) {
      take(half, chunk[0] ?? 0);
      at = 1;
      half = null;
    }
    for (; at + 1 < chunk.length; at += 2) take(chunk[at] ?? 0, chunk[at + 1] ?? 0);
    if (at < chunk.length) half = chunk[at] ?? 0;
  };
  const decode = ['-map', '0:a:0', '-ac', '1', '-ar', String(SAMPLE_RATE), '-f', 's16le', 'pipe:1'];
  await ffmpeg.ffmpeg([...ffmpeg.guard, '-i', `file:${path}`, ...decode], { signal, onOutput });
  if (count > 0) windows.push(sum / count);
  return bars(windows);
}

function bars(windows: number[]): Uint8Array {
  const loudness = Array.from({ length: BARS }, (_, bar) => {
    const from = Math.floor((bar * windows.length) / BARS);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * windows.length) / BARS));
    const part = windows.slice(from, to);
    return part.reduce((total, each) => total + each, 0) / Math.max(part.length, 1);
  });
  const loudest = Math.max(...loudness);
  return Uint8Array.from(loudness, (each) => (loudest > 0 ? Math.round((each / loudest) * 100) : 0));
}
