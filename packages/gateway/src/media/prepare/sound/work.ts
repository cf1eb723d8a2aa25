/** One task of `sound-tasks.ts`, done. */
import { LOUDNESS_RATE, Loudness } from '../loudness.ts';
import type { SoundResult, SoundTask } from '../sound-tasks.ts';
import { type LibAV, SoundProblem, type SoundSource, startLibav } from './libav.ts';
import { MUSIC, opusFile, VOICE } from './opus.ts';
import { resampled, type Wanted } from './resample.ts';
import { openSound } from './source.ts';

/** Throws SoundProblem. */
export async function work(task: SoundTask): Promise<SoundResult> {
  const libav = await startLibav();
  const source = await openSound(libav, task.path);
  try {
    const { seconds } = source;
    switch (task.kind) {
      case 'facts':
        return { seconds };
      case 'waveform':
        return { seconds, bars: await waveform(libav, source, task.longestSeconds) };
      case 'opus':
        return { seconds: await toOpus(libav, source, task) };
    }
  } finally {
    source.close();
  }
}

async function waveform(libav: LibAV, source: SoundSource, longestSeconds: number): Promise<Uint8Array> {
  const loudness = new Loudness();
  for await (const samples of upTo(longestSeconds, libav, source, { rate: LOUDNESS_RATE, channels: 1 })) {
    for (const sample of samples) loudness.add(sample);
  }
  return loudness.bars();
}

async function toOpus(
  libav: LibAV,
  source: SoundSource,
  { out, voice, maxBytes, longestSeconds }: SoundTask & { kind: 'opus' },
): Promise<number> {
  const settings = voice ? VOICE : MUSIC;
  // Where it is read from is a device of this instance, where it is written to of another.
  const writer = await startLibav();
  const file = await opusFile(writer, { path: out, maxBytes, settings });
  try {
    let samplesWritten = 0;
    for await (const samples of upTo(longestSeconds, libav, source, settings)) {
      samplesWritten += samples.length;
      await file.write(samples);
    }
    if (samplesWritten === 0) throw new SoundProblem('there is no sound in it', { unsupported: false });
    return await file.end();
  } finally {
    file.close();
  }
}

/** A file that does not tell how long it is ends there, as ffmpeg's `-t` does it. */
async function* upTo(
  longestSeconds: number,
  libav: LibAV,
  source: SoundSource,
  wanted: Wanted,
): AsyncGenerator<Int16Array> {
  let left = longestSeconds * wanted.rate * wanted.channels;
  for await (const samples of resampled(libav, source.frames(), wanted)) {
    yield samples.length > left ? samples.subarray(0, left) : samples;
    left -= samples.length;
    if (left <= 0) return;
  }
}
