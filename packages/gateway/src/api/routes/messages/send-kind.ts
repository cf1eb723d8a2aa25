/**
 * What every operation that sends a message is made of: a path, its own fields and a content builder. An
 * operation is one `route({…})` in a file of this folder, or of its tag's.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  type Static,
  type TObject,
  type TOptional,
  type TProperties,
  type TSchema,
  type TString,
  Type,
} from 'typebox';
import { type Clock, rfc3339 } from '../../../clock.ts';
import { AppError, invalidField } from '../../../errors.ts';
import type { Uploads } from '../../../media/outgoing/uploads.ts';
import { type Content, LONGEST_CAPTION, LONGEST_TEXT } from '../../../sending/content.ts';
import type { SendAttempt } from '../../../sending/delivery.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import { type LongSends, oneMessage } from '../../../sending/jobs/long-sends.ts';
import type { CommonRequest, SendOperation, SendOperations } from '../../../sending/jobs/operations.ts';
import type { SendJobs } from '../../../sending/jobs/send-jobs.ts';
import type { Sending, SentMessage } from '../../../sending/pipeline.ts';
import { FILE_MEMBER } from '../../description/bodies.ts';
import { exactlyOne, notBoth, optionalWords, stated } from '../../description/stated.ts';
import { base64Members, base64Text, fileAddress } from '../../request/bounds.ts';
import { DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import type { Warning } from '../../request/ignored.ts';
import { readMultipart } from '../../request/multipart.ts';
import { plain, type RouteScope } from '../../request/scope.ts';
import { keepUploads } from '../../request/uploaded.ts';
import { bodyReader } from '../../request/validation.ts';
import { warn } from '../../request/warnings.ts';
import { jobFor, LaterAnswer, laterAnswer, sendTime } from './send-later.ts';
import {
  commonRequest,
  cutPauses,
  FILE_FAILURES,
  RichAnswer,
  richAnswer,
  SEND_FAILURES,
  type SendFields,
  SimpleAnswer,
  SOME_RECIPIENT,
  sendFields,
} from './send-request.ts';

export interface SendParts {
  sending: Sending;
  idempotency: Idempotency;
  operations: SendOperations;
  jobs: SendJobs;
  longSends: LongSends;
  clock: Clock;
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
/** A text that is sent as it is: 1 to 4096 characters. */
export const longText = (description?: string) =>
  stated(Type.String({ ...(description && { description }) }), { minLength: 1, maxLength: LONGEST_TEXT });
/** What stands under a picture or beside a text. */
export const caption = (description: string) => optionalWords(LONGEST_CAPTION, description);
export const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

export function mediaSource<T extends string>(
  type: T,
  what: string,
): Record<T | `${T}_url`, TOptional<TString>> {
  const fields: Record<string, TOptional<TString>> = {
    [type]: base64Text(
      `${what}: base64, with or without a \`data:<mime>;base64,\` prefix. Either this or \`${type}_url\``,
    ),
    [`${type}_url`]: fileAddress(`Public URL of it. Either this or \`${type}\``),
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
  /** What does less than it says. */
  warnings?(body: Static<TObject<F>> & SendFields): Warning[];
  takesMedia?: boolean;
  /** Conversion and upload may outlast the patience of clients: answers 202 with a job then. */
  mayTakeLong?: boolean;
  /** The member that the file of a multipart request stands for. */
  file?: string;
  /** Its `message_id` is the message that it speaks of, as documented, and not the id to send it under. */
  namesTarget?: boolean;
  /** What it refuses beside, where no member alone is to blame. */
  stated?: { required?: readonly string[]; allOf?: readonly object[] };
  /** Answers in the simple shape, with these members of the content's figures. */
  simple?: { message: string; further: string[] };
}

/** Registers one operation; what all of them share is here. */
export function sendRoute(scope: RouteScope, parts: SendParts, tag = 'messages') {
  const app = plain(scope);
  const { sending, idempotency, mediaBodyLimit, longSends } = parts;
  return <F extends TProperties>(kind: SendKind<F>): void => {
    const schema = bodyOf(kind);
    const operation = sendOperation(kind, schema);
    parts.operations.register(operation);
    const fileMembers = new Set(operation.fileMembers);
    app.post(
      kind.path,
      {
        ...(fileMembers.size > 0
          ? { bodyLimit: mediaBodyLimit, config: { fileMembers: () => fileMembers } }
          : {}),
        preValidation: (request) => readParts(request, kind, parts),
        schema: {
          ...(kind.file && { [FILE_MEMBER]: kind.file }),
          operationId: kind.operationId,
          tags: [tag],
          summary: kind.summary,
          description: `Answers once the WhatsApp server has the message${kind.mayTakeLong ? '; with 202 and a job when that takes long' : ''}.`,
          querystring: DeviceQuery,
          headers: SendHeaders,
          body: schema,
          response: {
            200: kind.simple ? SimpleAnswer : RichAnswer,
            202: LaterAnswer,
            ...failures(...SEND_FAILURES, ...(fileMembers.size > 0 ? FILE_FAILURES : [])),
          },
        },
      },
      async (request, reply) => {
        const body = request.body as Record<string, unknown> & SendFields;
        const read = operation.read(body);
        const { caller } = request;
        warn(request, [...cutPauses(body), ...operation.warnings(body)]);
        const deviceId = selectedDevice(request);
        const at = sendTime(body.send_at);
        const signal = givenUp(reply);
        const sentAnswer = (sent: SentMessage) =>
          kind.simple ? simpleAnswer(sent, kind.simple) : richAnswer(sent);
        return once(idempotency, request, reply, async (attempt) => {
          const later = { operation, body, address: read.address, deviceId, attempt };
          const job = await jobFor(parts, caller, later, at);
          if (job) return laterAnswer(reply, job, read.address);
          const send = (each?: SendAttempt) =>
            sending.send(caller, { ...read, deviceId, attempt: each, signal });
          if (!kind.mayTakeLong) return sentAnswer(await send(attempt));
          const answer = await longSends.run(caller, later, oneMessage(send));
          if ('sent' in answer) return sentAnswer(answer.sent);
          keepFilesUntil(request, answer.ended);
          return laterAnswer(reply, answer.job, read.address);
        });
      },
    );
  };
}

/** Its body, with how members hang together: its recipient, and each of its files, comes in one of two members. */
function bodyOf<F extends TProperties>(kind: SendKind<F>) {
  const { file, fields } = kind;
  const { required = [], allOf = [] } = kind.stated ?? {};
  return stated(Type.Object(fieldsOf(kind), { examples: [kind.example] }), {
    required,
    allOf: [
      SOME_RECIPIENT,
      ...(file === undefined ? [] : [exactlyOne(file, `${file}_url`)]),
      ...('thumbnail_url' in fields ? [notBoth('thumbnail', 'thumbnail_url')] : []),
      ...allOf,
    ],
  });
}

/** Its members and those that every send takes. */
function fieldsOf<F extends TProperties>({ namesTarget, fields }: SendKind<F>) {
  const { message_id, ...others } = sendFields;
  return { ...others, ...(namesTarget ? {} : { message_id }), ...fields };
}

interface OneMessage extends SendOperation {
  read(body: Record<string, unknown>): CommonRequest & { content: Content };
}

/** The same kind for sends that do not come as a request of their own. */
function sendOperation<F extends TProperties>(kind: SendKind<F>, schema: TSchema): OneMessage {
  let read: ReturnType<typeof bodyReader> | null = null;
  return {
    kind: kind.path.replace(/^\/(send\/)?/, ''),
    files: () => (kind.file === undefined ? [] : [kind.file]),
    fileMembers: base64Members(schema),
    checked(body) {
      read ??= bodyReader(schema, kind.path);
      return read(body);
    },
    read(body) {
      const typed = body as Static<TObject<F>> & SendFields;
      return { content: kind.content(typed), ...commonRequest(typed) };
    },
    warnings: (body) => kind.warnings?.(body as Static<TObject<F>> & SendFields) ?? [],
  };
}

async function readParts<F extends TProperties>(
  request: FastifyRequest,
  kind: SendKind<F>,
  { uploads, uploadLimit }: SendParts,
): Promise<void> {
  if (!request.isMultipart()) return;
  const { file } = kind;
  if (!file) throw new AppError('UNSUPPORTED_MEDIA_TYPE');
  await readMultipart(request, {
    member: file,
    fields: fieldsOf(kind),
    uploads,
    maxBytes: uploadLimit,
  });
}

/** The send goes on without its request, and with its files. */
export function keepFilesUntil(request: FastifyRequest, ended: Promise<unknown>): void {
  const files = keepUploads(request);
  ended.then(() => Promise.all(files.map((file) => file.dispose())));
}

/** Aborted when the client closes the connection before it has its answer. */
export function givenUp(reply: FastifyReply): AbortSignal {
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
    record_id: sent.recordId,
    timestamp: rfc3339(sent.timestamp),
    message,
    ...figures,
  };
}

/** `route` of the files of this folder: registers one kind. */
export type SendRoute = ReturnType<typeof sendRoute>;
