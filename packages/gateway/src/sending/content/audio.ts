import { stopwatch } from '../../clock.ts';
import { type Content, checkedCaption, withContext } from '../content.ts';
import {
  asViewOnce,
  checkedSeconds,
  descriptorOf,
  mediaInput,
  type OpenedMedia,
  type OutboundMedia,
  timed,
  typeOf,
  uploadedFields,
  withOpened,
} from '../outbound-media.ts';
import { readOpus } from './ogg-opus.ts';
import { notUsable } from './picture.ts';

export interface AudioInput {
  audio?: string;
  audio_url?: string;
  /** A voice note, shown with the microphone. */
  ptt?: boolean;
  /** As the caller says; measured instead where the file tells. */
  seconds?: number;
  caption?: string;
  viewOnce?: boolean;
  /** False: plain audio goes as it is. A voice note is always Opus. */
  convert?: boolean;
}

/** The type under which phones send voice notes; others are not played by all clients as such. */
const OPUS = 'audio/ogg; codecs=opus';

/**
 * Audio as Ogg/Opus. What cannot be read goes as it is when it is plain audio; a voice note is then refused
 * (INVALID_MEDIA; CONVERSION_UNAVAILABLE when ffmpeg, which is not there, may read it).
 */
export function audioContent(input: AudioInput): Content {
  const source = mediaInput('audio', input.audio, input.audio_url);
  const given = checkedSeconds(input.seconds);
  const ptt = input.ptt ?? false;
  const viewOnce = input.viewOnce ?? false;
  // AudioMessage has no caption on the wire: checked as documented, then not sent.
  checkedCaption(input.caption);
  return {
    chatState: 'recording',
    compose: ({ media, session, contextInfo, signal }) =>
      withOpened(media, source, { field: 'audio', signal }, async (opened, member) => {
        const opus = await readOpus(opened);
        const original = opus ? OPUS : audioType(typeOf(opened), member);
        const asked = ptt ? 'voice' : input.convert === false ? null : 'audio';
        const converted =
          (opus && fits(opus, asked)) || asked === null
            ? null
            : await toOpus(media, opened, { voice: ptt, field: member, signal });
        const file = converted?.file ?? opened;
        try {
          const mimeType = converted ? OPUS : original;
          const kind = ptt ? 'voice' : 'audio';
          const seconds = (await measured(media, file, signal)) ?? given;
          const waveform = ptt ? await media.prepare.waveform(file, signal) : null;
          const { uploaded, uploadMs } = await timed(() => media.upload(session, kind, file, signal));
          const content = {
            ...uploadedFields(uploaded, mimeType),
            ptt,
            ...(seconds === null ? {} : { seconds }),
            ...(waveform ? { waveform } : {}),
            ...withContext(contextInfo),
          };
          return {
            kind,
            text: null,
            message: viewOnce ? asViewOnce('audioMessage', content) : { audioMessage: content },
            media: descriptorOf(kind, uploaded, { mimeType, seconds }),
            viewOnce,
            metadata: {
              audio_size_bytes: file.size,
              audio_format: mimeType,
              audio_duration_seconds: seconds,
              conversion_time_ms: converted?.ms ?? null,
              download_time_ms: opened.downloadMs,
              upload_time_ms: uploadMs,
              ptt_enabled: ptt,
              conversion_applied: converted !== null,
              original_format: original,
              waveform_generated: waveform !== null,
              view_once_enabled: viewOnce,
              async_processing: false,
            },
          };
        } finally {
          await converted?.file.dispose();
        }
      }),
  };
}

/**
 * Phones refuse a voice note in stereo, or play it on one side (seen by users of others: Rhymen/go-whatsapp
 * issue 563).
 */
function fits({ channels }: { channels: number }, asked: 'voice' | 'audio' | null): boolean {
  return channels === 1 || asked !== 'voice';
}

/** Null for plain audio that cannot be read: the phones may. */
async function toOpus(
  media: OutboundMedia,
  opened: OpenedMedia,
  options: { voice: boolean; field: string; signal?: AbortSignal | undefined },
): Promise<{ file: OpenedMedia; ms: number } | null> {
  if (!options.voice && !(await media.prepare.sound(opened, options.signal))) return null;
  const elapsed = stopwatch();
  const file = await media.prepare.toOpus(opened, options);
  return { file, ms: elapsed() };
}

/** Whole seconds, or null when nothing tells. */
async function measured(
  media: OutboundMedia,
  file: OpenedMedia,
  signal?: AbortSignal,
): Promise<number | null> {
  const opus = await readOpus(file);
  if (opus) return opus.seconds;
  const seconds = (await media.prepare.sound(file, signal))?.seconds ?? null;
  return seconds === null ? null : Math.round(seconds);
}

/** Containers that hold sound alone as well as video; only the caller knows, and says it by the operation. */
const SHARED_CONTAINER = /^(?:application|video)\/(?=(?:mp4|ogg|webm|3gpp)(?:$|[\s;]))/;

function audioType(type: string | null, member: string): string {
  const mimeType = type?.replace(SHARED_CONTAINER, 'audio/');
  if (mimeType?.startsWith('audio/')) return mimeType;
  throw notUsable(member, `is not audio but ${type ?? 'of an unknown format'}`);
}
