/** The bars that a voice note shows, by ffmpeg. */
import type { FfmpegRuns } from './ffmpeg.ts';
import { LOUDNESS_RATE, Loudness } from './loudness.ts';

/** 64 bytes, the loudest 100. Throws ConversionFailed. */
export async function waveform(ffmpeg: FfmpegRuns, path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const loudness = new Loudness();
  let half: number | null = null;
  const take = (low: number, high: number): void => loudness.add((((high << 8) | low) << 16) >> 16);
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
  const decode = ['-map', '0:a:0', '-ac', '1', '-ar', String(LOUDNESS_RATE), '-f', 's16le', 'pipe:1'];
  await ffmpeg.ffmpeg([...ffmpeg.guard, '-i', `file:${path}`, ...decode], { signal, onOutput });
  return loudness.bars();
}
