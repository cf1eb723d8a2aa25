import { type Content, checkedCaption, withContext } from '../content.ts';
import {
  asViewOnce,
  checkedSeconds,
  descriptorOf,
  mediaInput,
  timedUpload,
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
}

/** The type under which phones send voice notes; others are not played by all clients as such. */
const OPUS = 'audio/ogg; codecs=opus';

/** Audio as it is. A voice note must be Ogg/Opus already, for nothing is converted. */
export function audioContent(input: AudioInput): Content {
  const source = mediaInput('audio', input.audio, input.audio_url);
  const given = checkedSeconds(input.seconds);
  const ptt = input.ptt ?? false;
  const viewOnce = input.viewOnce ?? false;
  // AudioMessage has no caption on the wire: checked as documented, then not sent.
  checkedCaption(input.caption);
  return {
    chatState: 'recording',
    compose: ({ media, session, contextInfo }) =>
      withOpened(media, source, { field: 'audio' }, async (opened, member) => {
        const opus = await readOpus(opened);
        const mimeType = opus ? OPUS : audioType(typeOf(opened), member);
        if (ptt && mimeType !== OPUS) {
          throw notUsable(
            member,
            `is ${mimeType}: a voice note must be Ogg/Opus, and converting needs ffmpeg, which this version does not use yet`,
          );
        }
        const kind = ptt ? 'voice' : 'audio';
        const seconds = opus?.seconds ?? given;
        const { uploaded, uploadMs } = await timedUpload(media, session, kind, opened);
        const content = {
          ...uploadedFields(uploaded, mimeType),
          ptt,
          ...(seconds === null ? {} : { seconds }),
          ...withContext(contextInfo),
        };
        return {
          kind,
          text: null,
          message: viewOnce ? asViewOnce('audioMessage', content) : { audioMessage: content },
          media: descriptorOf(kind, uploaded, { mimeType, seconds }),
          viewOnce,
          metadata: {
            audio_size_bytes: opened.size,
            audio_format: mimeType,
            audio_duration_seconds: seconds,
            conversion_time_ms: null,
            download_time_ms: opened.downloadMs,
            upload_time_ms: uploadMs,
            ptt_enabled: ptt,
            conversion_applied: false,
            original_format: mimeType,
            waveform_generated: false,
            view_once_enabled: viewOnce,
            async_processing: false,
          },
        };
      }),
  };
}

/** Containers that hold sound alone as well as video; only the caller knows, and says it by the operation. */
const SHARED_CONTAINER = /^(?:application|video)\/(?=(?:mp4|ogg|webm|3gpp)(?:$|[\s;]))/;

function audioType(type: string | null, member: string): string {
  const mimeType = type?.replace(SHARED_CONTAINER, 'audio/');
  if (mimeType?.startsWith('audio/')) return mimeType;
  throw notUsable(member, `is not audio but ${type ?? 'of an unknown format'}`);
}
