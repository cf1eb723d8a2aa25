/** The samples of WAV files that libav.js has no decoder for: telephones' (ITU-T G.711), 8 and 32 bits. */
import { type PcmFrame, SoundProblem } from './libav.ts';
import { channelLayout } from './resample.ts';

interface Coding {
  bytes: number;
  /** From −1 to 1. */
  sample(view: DataView, at: number): number;
}

const CODINGS: Record<string, Coding> = {
  pcm_mulaw: { bytes: 1, sample: (view, at) => muLaw(view.getUint8(at)) / 32_768 },
  pcm_alaw: { bytes: 1, sample: (view, at) => aLaw(view.getUint8(at)) / 32_768 },
  pcm_u8: { bytes: 1, sample: (view, at) => (view.getUint8(at) - 128) / 128 },
  pcm_s32le: { bytes: 4, sample: (view, at) => view.getInt32(at, true) / 2 ** 31 },
  pcm_f64le: { bytes: 8, sample: (view, at) => view.getFloat64(at, true) },
};

/** `codec` is FFmpeg's name. */
export function decodesPcm(codec: string): boolean {
  return Object.hasOwn(CODINGS, codec);
}

/** One packet as floats. Throws SoundProblem for a number of channels that nobody has. */
export function pcmFrame(
  codec: string,
  data: Uint8Array,
  { rate, channels, format }: { rate: number; channels: number; format: number },
): PcmFrame {
  const coding = CODINGS[codec];
  if (!coding) throw new SoundProblem(`there is no decoder for ${codec}`, { unsupported: true });
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const nb_samples = Math.floor(data.length / coding.bytes / channels);
  const samples = Float32Array.from({ length: nb_samples * channels }, (_, at) =>
    coding.sample(view, at * coding.bytes),
  );
  return {
    data: samples,
    format,
    sample_rate: rate,
    channels,
    channel_layout: channelLayout(channels),
    nb_samples,
    pts: 0,
    ptshi: 0,
  };
}

/** G.711 §3.2, table 2: an inverted byte of sign, exponent, mantissa; 14 bits, here shifted to 16. */
function muLaw(byte: number): number {
  const value = ~byte & 0xff;
  const magnitude = ((((value & 0x0f) << 3) + 0x84) << ((value & 0x70) >> 4)) - 0x84;
  return value & 0x80 ? -magnitude : magnitude;
}

/** G.711 §3.2, table 1: even bits inverted; 13 bits, here shifted to 16. */
function aLaw(byte: number): number {
  const value = byte ^ 0x55;
  const exponent = (value & 0x70) >> 4;
  const mantissa = ((value & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return value & 0x80 ? magnitude : -magnitude;
}
