/**
 * FFmpeg's libraries as WebAssembly (libav.js), what of it is used, with types.
 * Its own declarations cannot be imported: the package's `exports` hide them.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Decoded sound as libav.js copies it out and in; planar formats have a list of one array per channel. */
export interface PcmFrame {
  data: unknown;
  /** AVSampleFormat. */
  format: number;
  sample_rate: number;
  channels: number;
  channel_layout: number;
  nb_samples: number;
  pts: number;
  ptshi: number;
}

export interface SoundSource {
  /** Null when the file does not tell. */
  seconds: number | null;
  /** Everything, once. Throws SoundProblem. */
  frames(): AsyncIterable<PcmFrame[]>;
  close(): void;
}

export interface Packet {
  data: Uint8Array;
}

export interface Stream {
  index: number;
  codec_type: number;
  codec_id: number;
  /** A pointer. */
  codecpar: number;
  time_base_num: number;
  time_base_den: number;
  /** Seconds. Below 0: unknown. */
  duration: number;
}

interface Shape {
  sample_rate: number;
  sample_fmt: number;
  channel_layout: number;
}

/** Numbers without a name are pointers. */
export interface LibAV {
  readonly AVMEDIA_TYPE_AUDIO: number;
  readonly AV_SAMPLE_FMT_S16: number;
  readonly AV_SAMPLE_FMT_FLT: number;
  readonly AVERROR_EOF: number;
  readonly EAGAIN: number;
  onblockread: (name: string, position: number, length: number) => void;
  onwrite: (name: string, position: number, data: Uint8Array) => void;
  mkblockreaderdev(name: string, size: number): Promise<void>;
  ff_block_reader_dev_send(name: string, position: number, data: Uint8Array | null): Promise<void>;
  ff_init_demuxer_file(name: string): Promise<[format: number, streams: Stream[]]>;
  AVFormatContext_duration(format: number): Promise<number>;
  AVFormatContext_durationhi(format: number): Promise<number>;
  ff_init_decoder(
    codec: number,
    config: { codecpar: number; time_base: [number, number] },
  ): Promise<[codec: number, context: number, packet: number, frame: number]>;
  av_frame_alloc(): Promise<number>;
  av_packet_alloc(): Promise<number>;
  ff_read_frame_multi(
    format: number,
    packet: number,
    options: { limit: number },
  ): Promise<[result: number, packets: Record<number, Packet[]>]>;
  ff_decode_multi(
    context: number,
    packet: number,
    frame: number,
    packets: Packet[],
    options: { fin: boolean; ignoreErrors: boolean },
  ): Promise<PcmFrame[]>;
  avcodec_get_name(codec: number): Promise<string>;
  AVCodecParameters_sample_rate(parameters: number): Promise<number>;
  AVCodecParameters_ch_layout_nb_channels(parameters: number): Promise<number>;
  ff_init_filter_graph(
    filters: string,
    input: Shape,
    output: Shape,
  ): Promise<[graph: number, source: number, sink: number]>;
  ff_filter_multi(
    source: number,
    sink: number,
    frame: number,
    frames: PcmFrame[],
    fin: boolean,
  ): Promise<PcmFrame[]>;
  avfilter_graph_free_js(graph: number): Promise<void>;
  ff_init_encoder(
    name: string,
    config: {
      ctx: Shape & { bit_rate: number; channels: number };
      time_base: [number, number];
      options: Record<string, string>;
    },
  ): Promise<[codec: number, context: number, frame: number, packet: number, frameSize: number]>;
  ff_encode_multi(
    context: number,
    frame: number,
    packet: number,
    frames: PcmFrame[],
    fin: boolean,
  ): Promise<Packet[]>;
  ff_init_muxer(
    options: { format_name: string; filename: string; open: boolean; device: boolean },
    streams: [context: number, numerator: number, denominator: number][],
  ): Promise<[format: number]>;
  avformat_write_header(format: number, options: number): Promise<number>;
  ff_write_multi(format: number, packet: number, packets: Packet[]): Promise<void>;
  av_write_trailer(format: number): Promise<number>;
}

interface Factory {
  LibAV(options: { noworker: boolean; nothreads: boolean }): Promise<LibAV>;
}

/** The program cannot do this one. `unsupported`: another may; else the file is damaged. */
export class SoundProblem extends Error {
  readonly unsupported: boolean;

  constructor(message: string, { unsupported }: { unsupported: boolean }) {
    super(message);
    this.unsupported = unsupported;
  }
}

/** A new instance, which takes 2 MB of code and some 20 MB of memory. */
export function startLibav(): Promise<LibAV> {
  const factory = createRequire(import.meta.url)('@libav.js/variant-obsolete') as Factory;
  // This is a thread of its own already.
  return factory.LibAV({ noworker: true, nothreads: true });
}

/** Makes `name` a file that the instance can open and that is read in blocks; call what comes back in the end. */
export async function offerFile(libav: LibAV, name: string, path: string): Promise<() => void> {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  libav.onblockread = (asked, position, length) => {
    const block = new Uint8Array(Math.max(0, Math.min(length, size - position)));
    const read = block.length > 0 ? readSync(file, block, 0, block.length, position) : 0;
    void libav.ff_block_reader_dev_send(asked, position, block.subarray(0, read));
  };
  await libav.mkblockreaderdev(name, size);
  return () => closeSync(file);
}
