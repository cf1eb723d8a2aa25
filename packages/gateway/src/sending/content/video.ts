import type { FileFacts } from '../../media/prepare/preparation.ts';
import { playsEverywhere } from '../../media/prepare/preparation.ts';
import { type ComposeContext, type Content, checkedCaption, withContext } from '../content.ts';
import {
  asViewOnce,
  checkedSeconds,
  descriptorOf,
  mediaInput,
  type OpenedMedia,
  timed,
  typeOf,
  uploadedFields,
  withOpened,
} from '../outbound-media.ts';
import { notUsable, preview } from './picture.ts';
import { jpegThumbnail, type ThumbnailInput, thumbnailInput } from './thumbnail.ts';

export interface VideoInput extends ThumbnailInput {
  video?: string;
  video_url?: string;
  caption?: string;
  /** As the caller says; measured instead where ffmpeg is there. */
  seconds?: number;
  viewOnce?: boolean;
  /** Makes MP4 with H.264 and AAC of it, unless it is that already. */
  convertToMP4?: boolean;
  /** Takes a picture out of the video, unless one is given. Default: yes, where ffmpeg is there. */
  generateThumbnail?: boolean;
  /** Plays by itself, in a loop, without sound. */
  gif?: boolean;
}

const MP4 = 'video/mp4';

/** A video. */
export function videoContent(input: VideoInput): Content {
  const source = mediaInput('video', input.video, input.video_url);
  const caption = checkedCaption(input.caption);
  const given = checkedSeconds(input.seconds);
  const viewOnce = input.viewOnce ?? false;
  const picture = thumbnailInput(input);
  return {
    chatState: 'composing',
    compose: (context) =>
      withOpened(
        context.media,
        source,
        { field: 'video', signal: context.signal },
        async (opened, member) => {
          const { media, session, contextInfo, signal } = context;
          const original = typeOf(opened);
          const gif = original === 'image/gif' && input.convertToMP4 === true;
          if (!original?.startsWith('video/') && !gif) {
            throw notUsable(member, `is not a video but ${original ?? 'of an unknown format'}`);
          }
          // Before the conversion, which takes long.
          const custom = await jpegThumbnail(media, picture);
          const before = await media.prepare.facts(opened, signal);
          const converted = await asked(context, input, { opened, original, facts: before, member });
          try {
            const file = converted ?? opened;
            const mimeType = converted ? MP4 : (original ?? MP4);
            const facts = converted ? await media.prepare.facts(file, signal) : before;
            const seconds = facts?.seconds == null ? given : Math.round(facts.seconds);
            const shown = picture ? custom : await generated(context, input, file, facts);
            const { uploaded, uploadMs } = await timed(() => media.upload(session, 'video', file, signal));
            const { width = null, height = null } = facts?.video ?? {};
            const content = {
              ...uploadedFields(uploaded, mimeType),
              ...(seconds === null ? {} : { seconds }),
              ...(width && height ? { width, height } : {}),
              ...shown,
              ...(input.gif || gif ? { gifPlayback: true } : {}),
              ...(caption === null ? {} : { caption }),
              ...withContext(contextInfo),
            };
            return {
              kind: 'video',
              text: caption,
              message: viewOnce ? asViewOnce('videoMessage', content) : { videoMessage: content },
              media: descriptorOf('video', uploaded, { mimeType, seconds, width, height }),
              viewOnce,
              metadata: {
                video_size_bytes: file.size,
                video_format: mimeType,
                video_duration_seconds: seconds,
                download_time_ms: opened.downloadMs,
                upload_time_ms: uploadMs,
                view_once_enabled: viewOnce,
                was_converted: converted !== null,
                has_custom_thumbnail: picture !== null,
                thumbnail_generated: picture === null && shown.jpegThumbnail !== undefined,
                async_processing: false,
              },
            };
          } finally {
            await converted?.dispose();
          }
        },
      ),
  };
}

/** The MP4 that was asked for, null when nothing was or it is one already. */
async function asked(
  { media, signal }: ComposeContext,
  input: VideoInput,
  video: { opened: OpenedMedia; original: string | null; facts: FileFacts | null; member: string },
): Promise<OpenedMedia | null> {
  const { opened, original, facts, member } = video;
  if (!input.convertToMP4) return null;
  // Without ffmpeg nobody knows what is inside; the container says at least that it is MP4.
  if (original === MP4 && (facts === null || playsEverywhere(facts))) return null;
  return media.prepare.toMp4(opened, facts, { field: member, signal });
}

async function generated(
  { media, signal }: ComposeContext,
  input: VideoInput,
  file: OpenedMedia,
  facts: FileFacts | null,
): Promise<{ jpegThumbnail?: Uint8Array }> {
  if (input.generateThumbnail === false) return {};
  const frame = await media.prepare.frame(file, facts?.seconds ?? null, signal);
  if (!frame) return {};
  const picture: OpenedMedia = { ...file, content: { bytes: frame }, detectedType: 'image/jpeg' };
  return { jpegThumbnail: (await preview(media, picture, 'video')).bytes };
}
