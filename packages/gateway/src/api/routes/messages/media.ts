/** The media of a message: tag "messages". */

import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../../errors.ts';
import type { MessageName } from '../../../identity/message-name.ts';
import type { ReadyMedia } from '../../../media/answer.ts';
import type { MediaLinks } from '../../../media/links.ts';
import type { MediaService } from '../../../media/service.ts';
import type { Caller } from '../../../tenancy/caller.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { attachment, matchesTag, parseRange, servedName, servedType } from '../../media-headers.ts';
import { DeviceHeaders } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { MESSAGE_FAILURES, MessageIdParam, MessageQuery, messageName } from '../../request/message.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a request that a signed address let in: whose copy it may have. */
    linkedDevice: string | null;
  }
}

export interface MessageMediaParts {
  media: Pick<MediaService, 'resolve'>;
  links: Pick<MediaLinks, 'open'>;
}

const MAX_WAIT_SECONDS = 60;
const MOST_FILES = 100;

const Params = Type.Object({ id: MessageIdParam });

const LinkPart = (description: string) =>
  Type.Optional(Type.String({ description: `Of an address that works without a token: ${description}` }));

const Query = Type.Object({
  ...MessageQuery.properties,
  index: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MOST_FILES,
      default: 0,
      description: 'Which of several files: 0 is `media`, 1 the first of `further_media`',
    }),
  ),
  expires: LinkPart('until when it is good, Unix seconds'),
  issued: LinkPart('when it was told'),
  signature: LinkPart('proves the others'),
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_WAIT_SECONDS,
      default: 0,
      description: 'Seconds to wait for the phone to upload the file again, instead of answering 202 at once',
    }),
  ),
});

const Headers = Type.Object({
  ...DeviceHeaders.properties,
  range: Type.Optional(Type.String({ description: 'One byte range', examples: ['bytes=0-1023'] })),
  'if-none-match': Type.Optional(Type.String({ description: 'ETag of an earlier answer' })),
  'if-range': Type.Optional(Type.String({ description: 'ETag of the file that the range continues' })),
});

const RetryRequested = Type.Object(
  {
    success: Type.Literal(false),
    status: Type.Literal('retry_requested'),
    retry_after: Type.Integer({ description: 'Seconds; the same as the `Retry-After` header' }),
  },
  {
    title: 'MediaRetryRequested',
    description: 'The phone was asked to upload the file again: call again later',
    examples: [{ success: false, status: 'retry_requested', retry_after: 5 }],
  },
);

/** What `servedType` answers with. */
const bytes = Object.fromEntries(
  ['application/octet-stream', 'image/*', 'video/*', 'audio/*', 'application/pdf'].map((type) => [
    type,
    { schema: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }) },
  ]),
);
const header = (description: string) => ({ type: 'string', description });
const tag = {
  ETag: header('SHA-256 of the file'),
  'Cache-Control': header('The file never changes, who may read it can: `private, no-cache`'),
};
const file = {
  ...tag,
  'Accept-Ranges': header('`bytes`'),
  'Content-Disposition': header('`attachment` with the name of the file'),
};
const range = { 'Content-Range': header('Which bytes of how many') };
const responses = {
  200: { description: 'The exact bytes of the file', headers: file, content: bytes },
  202: {
    ...RetryRequested,
    headers: { 'Retry-After': { type: 'integer', description: 'Seconds after which to ask again' } },
  },
  206: { description: 'The bytes of the range', headers: { ...file, ...range }, content: bytes },
  304: { type: 'null', description: 'The file is the one named by `If-None-Match`', headers: tag },
  ...failures(
    ...SESSION_FAILURES,
    ...MESSAGE_FAILURES,
    'MEDIA_NOT_FOUND',
    'MEDIA_GONE',
    'MEDIA_DOWNLOAD_FAILED',
    'RANGE_NOT_SATISFIABLE',
  ),
};

/**
 * `GET` and `HEAD /messages/{id}/media`. `HEAD` resolves from cache and CDN as `GET` does, so that its length and
 * tag are those of the file; it never asks a phone and never waits, because looking must not cause an upload:
 * where only a re-upload would help it answers 202 and leaves the asking to `GET`.
 */
export const messageMediaRoutes: FastifyPluginAsyncTypebox<MessageMediaParts> = async (
  app,
  { media, links },
) => {
  app.decorateRequest('linkedDevice', null);
  const config = { byLink: (request: FastifyRequest) => callerByLink(request, links) };
  const schema = {
    tags: ['messages'],
    description:
      'Finds the message among the devices that the caller may see and answers with its file: from the cache, from ' +
      "WhatsApp's servers, or, when it is gone from there, by asking the account's phone to upload it again " +
      '(202; `wait` holds the answer). What fails verification is never served.',
    params: Params,
    querystring: Query,
    headers: Headers,
    response: responses,
  };
  app.get(
    '/messages/:id/media',
    {
      exposeHeadRoute: false,
      config,
      schema: { ...schema, operationId: 'getMessageMedia', summary: 'Download the media of a message' },
    },
    (request, reply) =>
      answer(request, reply, request.params.id, {
        waitMs: (request.query.wait ?? 0) * 1000,
        index: request.query.index ?? 0,
      }),
  );
  app.head(
    '/messages/:id/media',
    {
      config,
      schema: { ...schema, operationId: 'headMessageMedia', summary: 'Size, type and tag of the media' },
    },
    (request, reply) =>
      answer(request, reply, request.params.id, { waitMs: 0, index: request.query.index ?? 0 }),
  );

  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    id: string,
    options: { waitMs: number; index: number },
  ): Promise<FastifyReply> {
    const conditions = request.headers['if-none-match'];
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    request.raw.socket.once('close', leave);
    try {
      const found = await media.resolve(request.caller, nameOf(request, id), {
        ...options,
        mayRequest: request.method === 'GET',
        has: (sha256) => conditions?.trim() !== '*' && matchesTag(conditions, `"${sha256}"`),
        signal: gone.signal,
      });
      if (found.state === 'retry_requested') return retryRequested(reply, found.retryAfterSeconds);
      if (found.state === 'unchanged') return notModified(reply, found.sha256);
      return serve(request, reply, found);
    } finally {
      request.raw.socket.off('close', leave);
    }
  }
};

/** A link is for the copy of one device, whatever else its address says. */
function nameOf(request: FastifyRequest, id: string): MessageName {
  return request.linkedDevice === null ? messageName(request, id) : { id, deviceId: request.linkedDevice };
}

/** Asked before the query is validated: it may be anything. */
async function callerByLink(
  request: FastifyRequest,
  links: MessageMediaParts['links'],
): Promise<Caller | null> {
  const { expires, issued, signature, index = '0' } = request.query as Record<string, unknown>;
  const { id } = request.params as { id: string };
  if (typeof expires !== 'string' || typeof issued !== 'string' || typeof signature !== 'string') return null;
  const claim = { recordId: id, index: Number(index), expires, issued, signature };
  const opened = await links.open(claim);
  if (!opened) {
    throw new AppError('UNAUTHORIZED', { message: 'the address is not valid, or no longer: use a token' });
  }
  request.linkedDevice = opened.deviceId;
  return opened.caller;
}

function retryRequested(reply: FastifyReply, seconds: number): FastifyReply {
  return reply
    .code(202)
    .header('retry-after', String(seconds))
    .send({ success: false, status: 'retry_requested', retry_after: seconds });
}

function notModified(reply: FastifyReply, sha256: string): FastifyReply {
  return reply.code(304).headers(cacheHeaders(sha256)).send();
}

function cacheHeaders(sha256: string): Record<string, string> {
  // A message's file never changes, but who may read it can: always asked again, answered 304.
  return { etag: `"${sha256}"`, 'cache-control': 'private, no-cache' };
}

function serve(request: FastifyRequest, reply: FastifyReply, file: ReadyMedia): FastifyReply {
  const tag = `"${file.sha256}"`;
  if (matchesTag(request.headers['if-none-match'], tag)) {
    file.release();
    return notModified(reply, file.sha256);
  }
  const ifRange = request.headers['if-range'];
  const wanted = ifRange === undefined || ifRange === tag ? request.headers.range : undefined;
  const range = request.method === 'GET' ? parseRange(wanted, file.size) : null;
  if (range === 'unsatisfiable') {
    file.release();
    reply.header('content-range', `bytes */${file.size}`);
    throw new AppError('RANGE_NOT_SATISFIABLE');
  }
  reply.headers({
    ...cacheHeaders(file.sha256),
    'accept-ranges': 'bytes',
    'content-type': servedType(file.mimeType),
    'content-length': String(range ? range.end - range.start + 1 : file.size),
    'content-disposition': attachment(servedName(file.fileName, file.kind, file.mimeType)),
    'x-content-type-options': 'nosniff',
    // Should a browser show it after all, it may do nothing else.
    'content-security-policy': "default-src 'none'; sandbox",
  });
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${file.size}`);
  if (request.method === 'HEAD') {
    file.release();
    return reply.send();
  }
  return reply.send(file.open(range ?? undefined));
}
