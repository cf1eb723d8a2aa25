/** Tag `messages`: pictures and videos that a chat shows as one. Beyond the documented API. */
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import type { SentAlbum, SentItem } from '../../../sending/albums.ts';
import { type AlbumItem, FEWEST_ITEMS, MOST_ITEMS } from '../../../sending/content/album.ts';
import { imageContent } from '../../../sending/content/image.ts';
import { videoContent } from '../../../sending/content/video.ts';
import { LONGEST_CAPTION } from '../../../sending/content.ts';
import type { AlbumSends } from '../../../sending/jobs/album-sends.ts';
import type { CommonRequest, SendOperation } from '../../../sending/jobs/operations.ts';
import { FILE_MEMBER } from '../../description/bodies.ts';
import { exactlyOne, refusing, stated } from '../../description/stated.ts';
import { base64Members, base64Text, fileAddress } from '../../request/bounds.ts';
import { DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { RecordId } from '../../request/message.ts';
import { readMultipart } from '../../request/multipart.ts';
import { placedError } from '../../request/placed-error.ts';
import { plain, type RouteScope } from '../../request/scope.ts';
import { bodyReader } from '../../request/validation.ts';
import { warn } from '../../request/warnings.ts';
import { ErrorCodeSchema, NotReadyReasonSchema, Nullable, OneOf, WhatsAppCodeSchema } from '../../schemas.ts';
import { EXAMPLE_PICTURE } from './example-files.ts';
import { caption, given, givenUp, keepFilesUntil, type SendParts } from './send-kind.ts';
import { jobFor, LaterAnswer, laterAnswer, sendTime } from './send-later.ts';
import {
  commonRequest,
  cutPauses,
  FILE_FAILURES,
  RichAnswer,
  richAnswer,
  SEND_FAILURES,
  SOME_RECIPIENT,
  sendFields,
} from './send-request.ts';

export interface AlbumParts extends SendParts {
  albumSends: AlbumSends;
}

const PATH = '/send/album';
const FILES = ['base64', 'image', 'video'] as const;
const SOURCES = ['base64', 'url', 'image', 'image_url', 'video', 'video_url'] as const;

const Item = stated(
  Type.Object(
    {
      type: Type.Optional(
        refusing(
          'none beside `base64` or `url`, and another one than that of the source',
          OneOf(['image', 'video'] as const, { description: 'What `base64` or `url` is' }),
        ),
      ),
      base64: base64Text('The file: base64, with or without a `data:<mime>;base64,` prefix'),
      url: fileAddress('Public URL of it'),
      image: base64Text('Instead of `type` and `base64`'),
      image_url: fileAddress('Instead of `type` and `url`'),
      video: base64Text('Instead of `type` and `base64`'),
      video_url: fileAddress('Instead of `type` and `url`'),
      caption: caption('At most 1024 characters'),
    },
    { description: 'A picture or video, from exactly one source' },
  ),
  { allOf: [exactlyOne(...SOURCES)] },
);

const AlbumBody = stated(
  Type.Object(
    {
      ...sendFields,
      media: Type.Array(Item, {
        minItems: FEWEST_ITEMS,
        maxItems: MOST_ITEMS,
        description: 'In their order. In a multipart request the parts `media`, as often as there are files',
      }),
      captions: Type.Optional(
        refusing(
          'more of them than there are `media`',
          Type.Array(stated(Type.String(), { maxLength: LONGEST_CAPTION }), {
            maxItems: MOST_ITEMS,
            description: 'Captions in the order of `media`, for multipart requests; empty for none',
          }),
        ),
      ),
    },
    {
      examples: [
        {
          number: '5511999999999',
          media: [
            { type: 'image', base64: EXAMPLE_PICTURE, caption: 'The front' },
            { type: 'image', base64: EXAMPLE_PICTURE },
          ],
        },
      ],
    },
  ),
  { allOf: [SOME_RECIPIENT] },
);

/** How one picture or video of an album stands. */
export const AlbumItemEnd = Type.Object(
  {
    message_id: Nullable(Type.String({ description: 'Null for one that could not be made ready, or waits' })),
    record_id: Nullable(RecordId),
    status: OneOf(['sent', 'failed', 'pending', 'waiting'] as const, {
      description:
        '`pending`: whether WhatsApp has it is not known yet; see `GET /messages/{id}/status`. `waiting`, in a ' +
        'job: it was not tried yet',
    }),
    error: Type.Optional(Type.String()),
    error_code: Type.Optional(ErrorCodeSchema),
    reason: Type.Optional(NotReadyReasonSchema),
    whatsapp_code: Type.Optional(WhatsAppCodeSchema),
  },
  { title: 'AlbumItem' },
);

const AlbumAnswer = Type.Object({
  ...RichAnswer.properties,
  status: OneOf(['sent', 'partial'] as const, { description: '`partial`: not all items are `sent`' }),
  items: Type.Array(AlbumItemEnd, { description: 'In the order of the request' }),
});

/** `POST /send/album`. */
export function albumRoute(scope: RouteScope, parts: AlbumParts): void {
  const app = plain(scope);
  const { idempotency, mediaBodyLimit } = parts;
  const operation = albumOperation();
  parts.operations.register(operation);
  const fileMembers = new Set(operation.fileMembers);
  app.post(
    PATH,
    {
      bodyLimit: mediaBodyLimit,
      config: { fileMembers: () => fileMembers },
      preValidation: (request) => readFiles(request, parts),
      schema: {
        [FILE_MEMBER]: 'media',
        operationId: 'sendAlbum',
        tags: ['messages'],
        summary: 'Send pictures and videos as one album',
        description:
          `${FEWEST_ITEMS} to ${MOST_ITEMS} of them, which the apps show together. All are made ready first; one ` +
          'that cannot be sent is left out, and said so in `items`. Answers once each has its end; with 202 and a ' +
          'job when that takes long.',
        querystring: DeviceQuery,
        headers: SendHeaders,
        body: AlbumBody,
        response: { 200: AlbumAnswer, 202: LaterAnswer, ...failures(...SEND_FAILURES, ...FILE_FAILURES) },
      },
    },
    async (request, reply) => {
      const body = request.body as Static<typeof AlbumBody>;
      const read = operation.read(body);
      warn(request, cutPauses(body));
      const { caller } = request;
      const deviceId = selectedDevice(request);
      const at = sendTime(body.send_at);
      const signal = givenUp(reply);
      return once(idempotency, request, reply, async (attempt) => {
        const later = { operation, body, address: read.address, deviceId, attempt };
        const job = await jobFor(parts, caller, later, at);
        if (job) return laterAnswer(reply, job, read.address);
        const answer = await parts.albumSends.now(caller, later, { ...read, deviceId, signal });
        if ('sent' in answer) return albumAnswer(answer.sent);
        keepFilesUntil(request, answer.ended);
        return laterAnswer(reply, answer.job, read.address);
      });
    },
  );
}

interface AlbumOperation extends SendOperation {
  read(body: Record<string, unknown>): CommonRequest & { items: AlbumItem[] };
}

/** Albums for sends that do not come as a request of their own. */
function albumOperation(): AlbumOperation {
  let read: ReturnType<typeof bodyReader> | null = null;
  return {
    kind: 'album',
    files: (body) =>
      (body as Static<typeof AlbumBody>).media.flatMap((item, index) =>
        FILES.filter((name) => item[name]).map((name) => `media.${index}.${name}`),
      ),
    fileMembers: base64Members(AlbumBody),
    checked(body) {
      read ??= bodyReader(AlbumBody, PATH);
      return read(body);
    },
    read(body) {
      const typed = body as Static<typeof AlbumBody>;
      return { items: albumItems(typed), ...commonRequest(typed) };
    },
    warnings: () => [],
  };
}

/** Refuses what can be refused before anything is fetched, naming the item: `media.3.caption`. */
function albumItems({ media, captions = [] }: Static<typeof AlbumBody>): AlbumItem[] {
  if (captions.length > media.length) throw invalidField('captions', 'has more entries than media');
  return media.map((item, index) => {
    try {
      return albumItem({ ...item, caption: item.caption ?? captions[index] });
    } catch (error) {
      throw placedError(error, (field) => `media.${index}.${field}`);
    }
  });
}

function albumItem(item: Omit<Static<typeof Item>, 'caption'> & { caption: string | undefined }): AlbumItem {
  const sources = SOURCES.filter((name) => item[name] !== undefined && item[name] !== '');
  const [source] = sources;
  if (!source || sources.length > 1) {
    throw invalidField(source ?? 'url', `give exactly one of ${SOURCES.join(', ')}`);
  }
  const kind = source.startsWith('image') ? 'image' : source.startsWith('video') ? 'video' : item.type;
  if (!kind) throw invalidField('type', 'is required beside base64 or url: image or video');
  if (item.type && item.type !== kind) throw invalidField('type', `is not that of ${source}`);
  const { caption } = item;
  const value = item[source];
  const member = source.endsWith('url') ? (`${kind}_url` as const) : kind;
  const input = given({ [member]: value, caption });
  return kind === 'image' ? { kind, content: imageContent(input) } : { kind, content: videoContent(input) };
}

async function readFiles(request: FastifyRequest, parts: AlbumParts): Promise<void> {
  if (!request.isMultipart()) return;
  const { uploads, uploadLimit: maxBytes } = parts;
  const item = (token: string): Static<typeof Item> => {
    const file = uploads.find(token);
    const type = file?.detectedType ?? file?.declaredType ?? '';
    return { type: type.startsWith('video/') ? 'video' : 'image', base64: token };
  };
  await readMultipart(request, {
    member: 'media',
    fields: AlbumBody.properties,
    uploads,
    maxBytes,
    list: { most: MOST_ITEMS, item },
  });
}

function albumAnswer({ album, items }: SentAlbum): Static<typeof AlbumAnswer> {
  return {
    ...richAnswer(album),
    status: items.every(({ status }) => status === 'sent') ? 'sent' : 'partial',
    items: items.map(albumItemEnd),
  };
}

export function albumItemEnd({ messageId, recordId, status, error }: SentItem): Static<typeof AlbumItemEnd> {
  return {
    message_id: messageId,
    record_id: recordId,
    status,
    ...(error ? { error: error.message, error_code: error.code } : {}),
    ...(error?.reason ? { reason: error.reason } : {}),
    ...(error?.whatsappCode == null ? {} : { whatsapp_code: error.whatsappCode }),
  };
}
