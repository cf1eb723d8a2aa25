/**
 * What every operation under `/send` is made of: a path, its own fields and a content builder. An operation
 * is one `route({…})` in a file of this folder.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, type TObject, type TOptional, type TProperties, type TString, Type } from 'typebox';
import { AppError, invalidField } from '../../../errors.ts';
import type { Uploads } from '../../../media/uploads.ts';
import type { Content } from '../../../sending/content.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import type { Sending, SentMessage } from '../../../sending/pipeline.ts';
import { errorResponses, rfc3339 } from '../../schemas.ts';
import { readMultipart } from './multipart.ts';
import {
  commonRequest,
  DeviceQuery,
  once,
  RichAnswer,
  richAnswer,
  type SendFields,
  SendHeaders,
  SimpleAnswer,
  sendFields,
} from './send-request.ts';

export interface SendDeps {
  sending: Sending;
  idempotency: Idempotency;
  /** Largest body of an operation that takes base64 media, in bytes. */
  mediaBodyLimit: number;
  uploads: Uploads;
  /** Largest file of a multipart request, in bytes. */
  uploadLimit: number;
}

/** Drops members that were not given, which `exactOptionalPropertyTypes` tells from undefined ones. */
type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
export function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}

/** A member that may be written in two ways, so that no schema can require it; VALIDATION_ERROR without it. */
export function required<T>(field: string, value: T | undefined): T {
  if (value === undefined) throw invalidField(field, `${field} is required`);
  return value;
}

export const text = (description: string) => Type.Optional(Type.String({ description }));
export const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

export function mediaSource<T extends string>(
  type: T,
  what: string,
): Record<T | `${T}_url`, TOptional<TString>> {
  const fields: Record<string, TOptional<TString>> = {
    [type]: text(
      `${what}: base64, with or without a \`data:<mime>;base64,\` prefix. Either this or \`${type}_url\``,
    ),
    [`${type}_url`]: text(`Public URL of it. Either this or \`${type}\``),
  };
  return fields as Record<T | `${T}_url`, TOptional<TString>>;
}

export interface SendKind<F extends TProperties> {
  path: string;
  operationId: string;
  summary: string;
  /** Members beside those that every send takes. */
  fields: F;
  example: Record<string, unknown>;
  /** Refuses bad input at once, before anything is looked up or fetched. */
  content(body: Static<TObject<F>> & SendFields): Content;
  takesMedia?: boolean;
  /** The member that the file of a multipart request stands for. */
  file?: string;
  /** Answers in the simple shape, with these members of the content's figures. */
  simple?: { message: string; further: string[] };
}

/** Registers one operation; what all of them share is here. */
export function sendRoute(app: FastifyInstance, deps: SendDeps) {
  const { sending, idempotency, mediaBodyLimit } = deps;
  return <F extends TProperties>(kind: SendKind<F>): void => {
    const mediaStatuses = kind.takesMedia ? (['413', '502'] as const) : [];
    app.post(
      kind.path,
      {
        ...(kind.takesMedia ? { bodyLimit: mediaBodyLimit } : {}),
        preValidation: (request) => readParts(request, kind, deps),
        schema: {
          operationId: kind.operationId,
          tags: ['messages'],
          summary: kind.summary,
          description: 'Answers once the WhatsApp server has the message.',
          querystring: DeviceQuery,
          headers: SendHeaders,
          body: Type.Object({ ...sendFields, ...kind.fields }, { examples: [kind.example] }),
          response: {
            200: kind.simple ? SimpleAnswer : RichAnswer,
            ...errorResponses('400', '401', '404', '409', '422', '503', '504', ...mediaStatuses),
          },
        },
      },
      async (request, reply) => {
        const body = request.body as Static<TObject<F>> & SendFields;
        const content = kind.content(body);
        const common = commonRequest(request, body);
        const signal = givenUp(reply);
        return once(idempotency, request, reply, async (attempt) => {
          const sent = await sending.send(request.caller, { ...common, content, attempt, signal });
          return kind.simple ? simpleAnswer(sent, kind.simple) : richAnswer(sent);
        });
      },
    );
  };
}

async function readParts<F extends TProperties>(
  request: FastifyRequest,
  { file, fields }: SendKind<F>,
  { uploads, uploadLimit }: SendDeps,
): Promise<void> {
  if (!request.isMultipart()) return;
  if (!file) throw new AppError('UNSUPPORTED_MEDIA_TYPE');
  await readMultipart(request, {
    member: file,
    fields: { ...sendFields, ...fields },
    uploads,
    maxBytes: uploadLimit,
  });
}

/** Aborted when the client closes the connection before it has its answer. */
function givenUp(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort(new AppError('REQUEST_GIVEN_UP'));
  });
  return controller.signal;
}

function simpleAnswer(sent: SentMessage, { message, further }: { message: string; further: string[] }) {
  const figures = Object.fromEntries(further.map((name) => [name, sent.metadata[name] ?? null]));
  return {
    success: true,
    message_id: sent.messageId,
    timestamp: rfc3339(sent.timestamp),
    message,
    ...figures,
  };
}

/** `route` of the files of this folder: registers one kind. */
export type SendRoute = ReturnType<typeof sendRoute>;
