/** What ffprobe says of a file. */
import { type FfmpegRuns, GUARD } from './ffmpeg.ts';

export interface FileFacts {
  /** ffprobe's name of the container: `mov,mp4,m4a,…`, `matroska,webm`. */
  format: string;
  /** Null when the file does not tell. */
  seconds: number | null;
  video: { codec: string; pixelFormat: string; width: number; height: number } | null;
  audio: { codec: string; channels: number } | null;
}

interface Probed {
  format?: { format_name?: string; duration?: string };
  streams?: {
    codec_type?: string;
    codec_name?: string;
    pix_fmt?: string;
    width?: number;
    height?: number;
    channels?: number;
    disposition?: { attached_pic?: number };
    side_data_list?: { rotation?: number }[];
  }[];
}

/** An answer of a few kilobytes; a crafted file with thousands of streams is none that we send. */
const MOST_OUTPUT = 1024 ** 2;

/** Reads the file's header. Throws ConversionFailed for what ffmpeg cannot read. */
export async function probe(ffmpeg: FfmpegRuns, path: string, signal?: AbortSignal): Promise<FileFacts> {
  let output = '';
  const onOutput = (chunk: Uint8Array): void => {
    if (output.length < MOST_OUTPUT) output += Buffer.from(chunk).toString('utf8');
  };
  const what = ['-print_format', 'json', '-show_format', '-show_streams'];
  await ffmpeg.ffprobe([...GUARD, ...what, `file:${path}`], { signal, onOutput });
  const { format, streams = [] } = JSON.parse(output) as Probed;
  // The cover of a song is a video stream, too.
  const video = streams.find((each) => each.codec_type === 'video' && !each.disposition?.attached_pic);
  const audio = streams.find((each) => each.codec_type === 'audio');
  const duration = Number(format?.duration);
  return {
    format: format?.format_name ?? '',
    seconds: Number.isFinite(duration) && duration >= 0 ? duration : null,
    video: video ? displayedSize(video) : null,
    audio: audio ? { codec: audio.codec_name ?? '', channels: audio.channels ?? 1 } : null,
  };
}

/** Phones store the turned picture and say by how much it is turned. */
function displayedSize(video: NonNullable<Probed['streams']>[number]): NonNullable<FileFacts['video']> {
  const { width = 0, height = 0, codec_name = '', pix_fmt = '' } = video;
  const rotation = video.side_data_list?.find((each) => each.rotation !== undefined)?.rotation ?? 0;
  const turned = Math.abs(rotation) % 180 === 90;
  return {
    codec: codec_name,
    pixelFormat: pix_fmt,
    width: turned ? height : width,
    height: turned ? width : height,
  };
}
