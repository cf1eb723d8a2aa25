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
import { notUsable, readPicture } from './picture.ts';

export interface VideoInput {
  video?: string;
  video_url?: string;
  caption?: string;
  /** As the caller says: nothing here can measure it. */
  seconds?: number;
  viewOnce?: boolean;
  convertToMP4?: boolean;
  /** Base64 of a picture to show before the download. */
  thumbnail?: string;
}

/** A video as it is: nothing is converted, and without a given thumbnail none is made. */
export function videoContent(input: VideoInput): Content {
  const source = mediaInput('video', input.video, input.video_url);
  const caption = checkedCaption(input.caption);
  const seconds = checkedSeconds(input.seconds);
  const viewOnce = input.viewOnce ?? false;
  const { thumbnail } = input;
  return {
    chatState: 'composing',
    compose: ({ media, session, contextInfo }) =>
      withOpened(media, source, { field: 'video' }, async (opened, member) => {
        const mimeType = typeOf(opened);
        if (!mimeType?.startsWith('video/')) {
          throw notUsable(member, `is not a video but ${mimeType ?? 'of an unknown format'}`);
        }
        if (input.convertToMP4 && mimeType !== 'video/mp4') {
          throw notUsable(
            member,
            `is ${mimeType}: converting it to MP4 needs ffmpeg, which this version does not use yet`,
          );
        }
        const jpegThumbnail = thumbnail
          ? await withOpened(media, { base64: thumbnail }, { field: 'thumbnail' }, async (picture) =>
              (await readPicture(picture, 'thumbnail')).preview(),
            )
          : null;
        const { uploaded, uploadMs } = await timedUpload(media, session, 'video', opened);
        const content = {
          ...uploadedFields(uploaded, mimeType),
          ...(seconds === null ? {} : { seconds }),
          ...(jpegThumbnail ? { jpegThumbnail } : {}),
          ...(caption === null ? {} : { caption }),
          ...withContext(contextInfo),
        };
        return {
          kind: 'video',
          text: caption,
          message: viewOnce ? asViewOnce('videoMessage', content) : { videoMessage: content },
          media: descriptorOf('video', uploaded, { mimeType, seconds }),
          viewOnce,
          metadata: {
            video_size_bytes: opened.size,
            video_format: mimeType,
            video_duration_seconds: seconds,
            download_time_ms: opened.downloadMs,
            upload_time_ms: uploadMs,
            view_once_enabled: viewOnce,
            was_converted: false,
            has_custom_thumbnail: jpegThumbnail !== null,
            async_processing: false,
          },
        };
      }),
  };
}
