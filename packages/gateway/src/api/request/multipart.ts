/** `multipart/form-data` beside JSON, for operations that take a file. */
import fastifyMultipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TProperties } from 'typebox';
import { AppError, invalidField } from '../../errors.ts';
import { tooLargeMedia } from '../../media/base64.ts';
import type { Uploads } from '../../media/uploads.ts';
import { goBoolean } from './given.ts';
import { memberNamed } from './member-names.ts';
import { holdUploads } from './uploaded.ts';

/** Fields that are no file; a quoted message or a list of mentions is text here. */
const MOST_FIELD_BYTES = 256 * 1024;
const MOST_FIELDS = 100;

/** Lets the routes of this scope read multipart bodies with `readMultipart`. */
export async function acceptMultipart(app: FastifyInstance): Promise<void> {
  await app.register(fastifyMultipart, {
    limits: {
      fields: MOST_FIELDS,
      fieldSize: MOST_FIELD_BYTES,
      // `Uploads` counts the bytes of the file and refuses it. The plugin would cut it, at the body limit of ordinary
      // operations unless told otherwise, and say so only in a property that is easily not looked at.
      fileSize: Number.POSITIVE_INFINITY,
      files: 1,
      parts: MOST_FIELDS + 1,
    },
    throwFileSizeLimit: false,
  });
  holdUploads(app);
}

export interface MultipartOptions {
  /** The member that the file stands for. */
  member: string;
  fields: TProperties;
  uploads: Uploads;
  /** Of each file. */
  maxBytes: number;
  /** The member is a list: so many files at most, and what each becomes of its token. */
  list?: { most: number; item(token: string): unknown };
}

/**
 * Turns a multipart body into what the JSON body would be: the one file part, named as its member or
 * `file`, becomes a token in that member, the other parts become values as the schema says; with `list`, each file
 * becomes an item. Streams files to disk. Throws VALIDATION_ERROR, PAYLOAD_TOO_LARGE.
 */
export async function readMultipart(request: FastifyRequest, options: MultipartOptions): Promise<void> {
  const { member, uploads, maxBytes, list } = options;
  const names = [member, 'file', ...(list ? [`${member}[]`, 'files', 'files[]'] : [])];
  const most = list?.most ?? 1;
  const items: unknown[] = [];
  const body: Record<string, unknown> = {};
  request.uploaded = [];
  try {
    for await (const part of request.parts({ limits: { files: most, parts: MOST_FIELDS + most } })) {
      if (part.type === 'field') {
        refuseCut(part);
        const name = memberNamed(options.fields, part.fieldname) ?? part.fieldname;
        body[name] = fieldValue(name, part.value, options.fields[name]);
        continue;
      }
      if (!names.includes(part.fieldname)) {
        part.file.resume();
        throw invalidField(part.fieldname, `is not a file here: send the file as ${member} or file`);
      }
      const upload = await uploads.receive(part.file, { field: member, type: part.mimetype, maxBytes });
      request.uploaded.push(upload);
      if (list) items.push(list.item(upload.token));
      else body[member] = upload.token;
      // Documents are named after their file unless the caller names them.
      if ('file_name' in options.fields && part.filename) body.file_name ??= part.filename;
    }
  } catch (error) {
    throw explained(error);
  }
  if (list && items.length > 0) body[member] = items;
  request.body = body;
}

/** Longer names and values arrive cut: half of one must not be taken for the whole. Throws PAYLOAD_TOO_LARGE. */
function refuseCut(part: { fieldname: string; fieldnameTruncated: boolean; valueTruncated: boolean }): void {
  if (!part.fieldnameTruncated && !part.valueTruncated) return;
  const reason = part.fieldnameTruncated
    ? 'has a name that is too long'
    : `is larger than ${MOST_FIELD_BYTES} bytes`;
  throw tooLargeMedia(part.fieldname, reason);
}

/** Parts are text; what the schema wants is not always. */
function fieldValue(name: string, value: unknown, schema: { type?: string } | undefined): unknown {
  const text = String(value);
  switch (schema?.type) {
    case 'boolean':
      return goBoolean(text) ?? text;
    case 'integer':
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    case 'object':
    case 'array':
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw invalidField(name, 'must be JSON in a multipart request');
      }
    default:
      return text;
  }
}

function explained(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'FST_FILES_LIMIT' || code === 'FST_PARTS_LIMIT' || code === 'FST_FIELDS_LIMIT') {
    return new AppError('VALIDATION_ERROR', {
      message: 'the request has more files or parts than it may',
      cause: error,
    });
  }
  return new AppError('VALIDATION_ERROR', {
    message: 'the multipart body is malformed or incomplete',
    cause: error,
  });
}
