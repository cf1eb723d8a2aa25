/** What stories are posted with: bodies, and what they say. */
import { type Static, Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import { audioContent } from '../../../sending/content/audio.ts';
import { imageContent } from '../../../sending/content/image.ts';
import { videoContent } from '../../../sending/content/video.ts';
import type { Content } from '../../../sending/content.ts';
import { mentionedJids } from '../../../sending/recipients.ts';
import { textStory } from '../../../stories/text-story.ts';
import type { Jid } from '../../../whatsapp/port/identity.ts';
import { base64Text, fileAddress } from '../../request/bounds.ts';
import { DeviceId } from '../../request/device.ts';
import { OneOf } from '../../schemas.ts';
import { EXAMPLE_PICTURE } from '../messages/example-files.ts';
import { given, text } from '../messages/send-kind.ts';
import { SendAt } from '../messages/send-later.ts';

/** WhatsApp numbers its typefaces from 0 to 10, some of them are gone (waE2E.ExtendedTextMessage.FontType). */
const MOST_FONT = 10;
const MOST_PEOPLE = 10_000;

const common = {
  audience: Type.Optional(
    Type.Array(Type.String(), {
      maxItems: MOST_PEOPLE,
      description: "Numbers or JIDs of those who are to see it; default: as the account's privacy says",
    }),
  ),
  send_at: SendAt,
  device_id: DeviceId,
};

export const TextBody = Type.Object(
  {
    text: Type.String({ description: '1 to 4096 characters' }),
    background_color: Type.Optional(
      Type.String({ maxLength: 9, description: '`#RRGGBB`', examples: ['#1f7a6d'] }),
    ),
    text_color: Type.Optional(Type.String({ maxLength: 9, description: '`#RRGGBB`', examples: ['#ffffff'] })),
    font: Type.Optional(
      Type.Integer({ minimum: 0, maximum: MOST_FONT, description: 'Number of a typeface' }),
    ),
    ...common,
  },
  { examples: [{ text: 'Open until ten', background_color: '#1f7a6d' }] },
);

export const MEDIA_TYPES = ['image', 'video', 'audio'] as const;
type MediaType = (typeof MEDIA_TYPES)[number];

export const MediaBody = Type.Object(
  {
    data: base64Text(
      'The file: base64, with or without a `data:<mime>;base64,` prefix. Either this or `url`',
    ),
    url: fileAddress('Public URL of it. Either this or `data`'),
    media_type: Type.Optional(
      OneOf(MEDIA_TYPES, { description: 'Default: as `mime_type` or the data URI says' }),
    ),
    mime_type: text('`image/jpeg`, `video/mp4`, …'),
    caption: text('At most 1024 characters'),
    view_once: Type.Optional(Type.Boolean()),
    ...common,
  },
  { examples: [{ data: EXAMPLE_PICTURE, media_type: 'image', caption: 'New today' }] },
);
type MediaBody = Static<typeof MediaBody>;

/** A story as a request says it, checked. */
export interface StorySaid {
  type: 'text' | MediaType;
  content: Content;
  /** Who is to see it; null: as the account's privacy says. */
  people: Jid[] | null;
}

export function readText(body: Static<typeof TextBody>): StorySaid {
  if (body.text === '') throw invalidField('text', 'text cannot be empty');
  const { text: words, background_color, text_color, font, audience } = body;
  const content = textStory({ text: words, ...given({ background_color, text_color, font }) });
  return { type: 'text', content, people: peopleOf(audience) };
}

export function readMedia(body: MediaBody): StorySaid {
  const type = mediaType(body);
  return { type, content: mediaContent(type, body), people: peopleOf(body.audience) };
}

function peopleOf(audience: string[] | undefined): Jid[] | null {
  return audience === undefined ? null : mentionedJids(audience, 'audience');
}

function mediaType({ media_type, mime_type, data }: MediaBody): MediaType {
  if (media_type) return media_type;
  const said = mime_type ?? /^data:([^;,]*)/i.exec(data?.slice(0, 100) ?? '')?.[1] ?? '';
  const type = MEDIA_TYPES.find((each) => said.toLowerCase().startsWith(`${each}/`));
  if (type) return type;
  throw invalidField('media_type', `must be one of ${MEDIA_TYPES.join(', ')}, or mime_type must say which`);
}

function mediaContent(type: MediaType, body: MediaBody): Content {
  const { data, url, caption, view_once: viewOnce } = body;
  if (!data && !url) throw invalidField('data', 'either data or url must be provided');
  if (data && url) throw invalidField('data', 'give either data or url, not both');
  if (type === 'image') return imageContent(given({ image: data, image_url: url, caption, viewOnce }));
  if (type === 'video') return videoContent(given({ video: data, video_url: url, caption, viewOnce }));
  return audioContent(given({ audio: data, audio_url: url, ptt: true, viewOnce }));
}
