/** Sound out of a file, piece by piece. */
import { closeSync, openSync, readSync } from 'node:fs';
import { aacSource } from './aac.ts';
import { isAdts } from './adts.ts';
import {
  type LibAV,
  offerFile,
  type Packet,
  type PcmFrame,
  SoundProblem,
  type SoundSource,
  type Stream,
} from './libav.ts';
import { decodesPcm, pcmFrame } from './pcm.ts';

const INPUT = 'in';
/** Bytes of packets that are decoded at a time. */
const BATCH = 64 * 1024;
const MICROSECONDS = 1e6;

/** Opens what one of the decoders reads. Throws SoundProblem. */
export async function openSound(libav: LibAV, path: string): Promise<SoundSource> {
  const head = beginning(path);
  // AAC is decoded by another program; libav.js has no decoder for it.
  if (head.subarray(4, 8).toString('latin1') === 'ftyp' || isAdts(head)) return aacSource(libav, path);
  return libavSource(libav, path);
}

function beginning(path: string): Buffer {
  const head = Buffer.alloc(16);
  const file = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(file, head, 0, head.length, 0));
  } finally {
    closeSync(file);
  }
}

async function libavSource(libav: LibAV, path: string): Promise<SoundSource> {
  const close = await offerFile(libav, INPUT, path);
  try {
    const [format, streams] = await libav.ff_init_demuxer_file(INPUT).catch((cause: unknown) => {
      throw new SoundProblem(`it is of no known format (${String(cause)})`, { unsupported: false });
    });
    const stream = streams.find(({ codec_type }) => codec_type === libav.AVMEDIA_TYPE_AUDIO);
    if (!stream) throw new SoundProblem('there is no sound in it', { unsupported: false });
    const decode = (await decoder(libav, stream)) ?? (await pcmDecoder(libav, stream));
    const seconds = await duration(libav, format, stream);
    return { seconds, frames: () => frames(libav, { format, stream, decode }), close };
  } catch (error) {
    close();
    throw error;
  }
}

type Decode = (packets: Packet[], fin: boolean) => Promise<PcmFrame[]>;

async function decoder(libav: LibAV, stream: Stream): Promise<Decode | null> {
  const { codec_id, codecpar, time_base_num, time_base_den } = stream;
  const made = await libav
    .ff_init_decoder(codec_id, { codecpar, time_base: [time_base_num, time_base_den] })
    .catch(() => null);
  if (!made) return null;
  const [, context, packet, frame] = made;
  return (packets, fin) =>
    // A file with a bad spot plays on every phone; what comes out as nothing is refused by who asked.
    libav.ff_decode_multi(context, packet, frame, packets, { fin, ignoreErrors: true });
}

async function pcmDecoder(libav: LibAV, { codec_id, codecpar }: Stream): Promise<Decode> {
  const codec = await libav.avcodec_get_name(codec_id);
  if (!decodesPcm(codec)) throw new SoundProblem(`there is no decoder for ${codec}`, { unsupported: true });
  const rate = await libav.AVCodecParameters_sample_rate(codecpar);
  const channels = await libav.AVCodecParameters_ch_layout_nb_channels(codecpar);
  const format = libav.AV_SAMPLE_FMT_FLT;
  return async (packets) => packets.map(({ data }) => pcmFrame(codec, data, { rate, channels, format }));
}

async function* frames(
  libav: LibAV,
  { format, stream, decode }: { format: number; stream: Stream; decode: Decode },
): AsyncGenerator<PcmFrame[]> {
  const packet = await libav.av_packet_alloc();
  for (;;) {
    const [result, packets] = await libav.ff_read_frame_multi(format, packet, { limit: BATCH });
    // A file that breaks off ends there.
    const fin = result !== 0 && result !== -libav.EAGAIN;
    yield await decode(packets[stream.index] ?? [], fin);
    if (fin) return;
  }
}

async function duration(libav: LibAV, format: number, stream: Stream): Promise<number | null> {
  if (stream.duration >= 0) return stream.duration;
  const [low, high] = [
    await libav.AVFormatContext_duration(format),
    await libav.AVFormatContext_durationhi(format),
  ];
  const whole = (high * 2 ** 32 + (low >>> 0)) / MICROSECONDS;
  return whole >= 0 ? whole : null;
}
