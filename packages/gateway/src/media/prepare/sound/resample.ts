/** Sound of any rate, format and number of channels as 16-bit samples of one rate. */
import { type LibAV, type PcmFrame, SoundProblem } from './libav.ts';

export interface Wanted {
  /** Samples per second. */
  rate: number;
  channels: 1 | 2;
}

/** AV_CH_LAYOUT_… of FFmpeg's libavutil/channel_layout.h by number of channels. */
const LAYOUTS: Record<number, number> = {
  1: 0x4,
  2: 0x3,
  3: 0xb,
  4: 0x33,
  5: 0x37,
  6: 0x3f,
  7: 0x70f,
  8: 0x63f,
};

/** The usual places of so many channels. Throws SoundProblem for more than eight, or none. */
export function channelLayout(channels: number): number {
  const layout = LAYOUTS[channels];
  if (layout) return layout;
  throw new SoundProblem(`it has ${channels} channels`, { unsupported: true });
}

interface Graph {
  graph: number;
  source: number;
  sink: number;
  shape: string;
}

/** Interleaved samples, as many at a time as happen to be ready. */
export async function* resampled(
  libav: LibAV,
  frames: AsyncIterable<PcmFrame[]>,
  wanted: Wanted,
): AsyncGenerator<Int16Array> {
  const frame = await libav.av_frame_alloc();
  let current: Graph | null = null;
  const pass = async (graph: Graph, some: PcmFrame[], fin: boolean): Promise<Int16Array[]> => {
    const made = await libav.ff_filter_multi(graph.source, graph.sink, frame, some, fin);
    return made.map(({ data }) => data as Int16Array);
  };
  for await (const batch of frames) {
    for (const run of runs(batch)) {
      const [first] = run;
      if (!first) continue;
      // A file may change its rate or its channels on the way (streams that were recorded one after the other).
      if (current && current.shape !== shapeOf(first)) {
        yield* await pass(current, [], true);
        await libav.avfilter_graph_free_js(current.graph);
        current = null;
      }
      current ??= await graphFor(libav, first, wanted);
      yield* await pass(current, run, false);
    }
  }
  if (current) yield* await pass(current, [], true);
}

/** Frames in turn that are of one shape. */
function runs(frames: PcmFrame[]): PcmFrame[][] {
  const found: PcmFrame[][] = [];
  for (const frame of frames) {
    const last = found.at(-1);
    if (last?.[0] && shapeOf(last[0]) === shapeOf(frame)) last.push(frame);
    else found.push([frame]);
  }
  return found;
}

function shapeOf({ sample_rate, channels, channel_layout, format }: PcmFrame): string {
  return `${sample_rate} ${channels} ${channel_layout} ${format}`;
}

async function graphFor(libav: LibAV, first: PcmFrame, { rate, channels }: Wanted): Promise<Graph> {
  const from = {
    sample_rate: first.sample_rate,
    sample_fmt: first.format,
    channel_layout: first.channel_layout || channelLayout(first.channels),
  };
  const layout = channels === 1 ? 'mono' : 'stereo';
  const to = {
    sample_rate: rate,
    sample_fmt: libav.AV_SAMPLE_FMT_S16,
    channel_layout: channelLayout(channels),
  };
  const [graph, source, sink] = await libav
    .ff_init_filter_graph(`aresample=${rate},aformat=sample_fmts=s16:channel_layouts=${layout}`, from, to)
    .catch((cause: unknown) => {
      throw new SoundProblem(`it cannot be resampled (${String(cause)})`, { unsupported: false });
    });
  return { graph, source, sink, shape: shapeOf(first) };
}
