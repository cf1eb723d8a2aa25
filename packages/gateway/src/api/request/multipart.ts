/** `multipart/form-data` beside JSON, for operations that take a file. */
import { isDeepStrictEqual } from 'node:util';
import fastifyMultipart, { type Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { TProperties } from 'typebox';
import { AppError, invalidField } from '../../errors.ts';
import { tooLargeMedia } from '../../media/outgoing/base64.ts';
import type { Uploads } from '../../media/outgoing/uploads.ts';
import { goBoolean } from './given.ts';
import { memberNamed } from './member-names.ts';
import { plain, type RouteScope } from './scope.ts';
import { holdUploads } from './uploaded.ts';

/** Fields that are no file; a quoted message or a list of mentions is text here. */
const MOST_FIELD_BYTES = 256 * 1024;
export const MOST_FIELDS = 100;

/** Lets the routes of this scope read multipart bodies with `readMultipart`. */
export async function acceptMultipart(scope: RouteScope): Promise<void> {
  const app = plain(scope);
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

/** The parts of a JSON Schema that are read here. */
interface Shape {
  type?: string;
  items?: { type?: string };
}

/**
 * Turns a multipart body into what the JSON body would be: the one file part, named as its member or
 * `file`, becomes a token in that member, the other parts become values as the schema says; with `list`, each file
 * becomes an item. Streams files to disk. Throws VALIDATION_ERROR, PAYLOAD_TOO_LARGE.
 *
 * A member that is a list comes as OpenAPI says of forms (3.1, Encoding Object), a part for each item, or as one part
 * that holds them all as JSON.
 */
export async function readMultipart(request: FastifyRequest, options: MultipartOptions): Promise<void> {
  const { member, uploads, maxBytes, list } = options;
  const names = [member, 'file', ...(list ? [`${member}[]`, 'files', 'files[]'] : [])];
  const most = list?.most ?? 1;
  const items: unknown[] = [];
  const body: Record<string, unknown> = {};
  let fileName: string | undefined;
  request.uploaded = [];
  try {
    const limits = { files: most, parts: MOST_FIELDS + most };
    const isPartAFile = (...of: [string?, string?, string?]): boolean => isFile(names, ...of);
    for await (const part of request.parts({ limits, isPartAFile })) {
      refuseEncoded(part);
      if (part.type === 'field') {
        refuseCut(part);
        keepField(body, part, options.fields);
        continue;
      }
      if (!names.includes(part.fieldname)) {
        part.file.resume();
        throw invalidField(part.fieldname, `is not a file here: send the file as ${member} or file`);
      }
      const upload = await uploads.receive(part.file, { field: member, type: part.mimetype, maxBytes });
      request.uploaded.push(upload);
      if (list) items.push(list.item(upload.token));
      else keepOnce(body, member, upload.token);
      fileName ??= part.filename || undefined;
    }
  } catch (error) {
    throw explained(error);
  }
  if (list && items.length > 0) body[member] = items;
  // Documents are named after their file unless the caller names them.
  if ('file_name' in options.fields && fileName) body.file_name ||= fileName;
  request.body = body;
}

/** The file need not have a name: a part that is called like it, and is no text, is it. */
function isFile(names: readonly string[], field?: string, type = '', fileName?: string): boolean {
  if (fileName !== undefined || type === 'application/octet-stream') return true;
  return field !== undefined && names.includes(field) && !/^(?:text\/|application\/json\b)/i.test(type);
}

/** Forms of old libraries say how they encoded a part (RFC 2045 §6), which forms do not do (RFC 7578 §4.7). */
function refuseEncoded(part: Multipart): void {
  if (!/^(?:base64|quoted-printable)$/i.test(part.encoding)) return;
  if (part.type === 'file') part.file.resume();
  const problem = `came with Content-Transfer-Encoding ${part.encoding}: send the bytes as they are`;
  throw invalidField(part.fieldname, problem);
}

/** Longer names and values arrive cut: half of one must not be taken for the whole. Throws PAYLOAD_TOO_LARGE. */
function refuseCut(part: { fieldname: string; fieldnameTruncated: boolean; valueTruncated: boolean }): void {
  if (!part.fieldnameTruncated && !part.valueTruncated) return;
  const reason = part.fieldnameTruncated
    ? 'has a name that is too long'
    : `is larger than ${MOST_FIELD_BYTES} bytes`;
  throw tooLargeMedia(part.fieldname, reason);
}

function keepField(
  body: Record<string, unknown>,
  { fieldname, value }: { fieldname: string; value: unknown },
  fields: TProperties,
): void {
  const name = memberNamed(fields, fieldname.replace(/\[\]$/, ''));
  if (name === undefined) {
    // It is named in the warnings, whatever it says.
    body[fieldname] = value;
    return;
  }
  const shape: Shape | undefined = fields[name];
  if (shape?.type === 'array') {
    const earlier = Object.hasOwn(body, name) ? (body[name] as unknown[]) : [];
    body[name] = [...earlier, ...itemsOf(name, value, shape.items)];
    return;
  }
  keepOnce(body, name, fieldValue(name, value, shape));
}

/** Throws VALIDATION_ERROR for a second value: whichever won, somebody would be surprised. */
function keepOnce(body: Record<string, unknown>, name: string, given: unknown): void {
  const earlier = Object.hasOwn(body, name) ? body[name] : '';
  if (given === '' && earlier !== '') return;
  if (earlier !== '' && !isDeepStrictEqual(earlier, given)) {
    throw invalidField(name, 'is given twice, with two values');
  }
  body[name] = given;
}

/** What one part adds to a list: all of it, or an item. */
function itemsOf(name: string, value: unknown, item: Shape | undefined): unknown[] {
  const all = typeof value === 'string' && value.trimStart().startsWith('[') ? listIn(value) : value;
  if (Array.isArray(all)) return all;
  // An empty one is how a form says that there is nothing.
  return value === '' ? [] : [fieldValue(name, value, item)];
}

/** The list that the text is in JSON; null for a text that only begins like one. */
function listIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Parts are text; what the schema wants is not always. One whose own type is JSON was read already. */
function fieldValue(name: string, value: unknown, schema: Shape | undefined): unknown {
  if (typeof value !== 'string') return value;
  switch (schema?.type) {
    case 'boolean':
      return goBoolean(value) ?? value;
    case 'integer':
    case 'number':
      return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
    case 'object':
    case 'array':
      // As everywhere: an empty text is nothing.
      if (value === '') return value;
      try {
        return JSON.parse(value) as unknown;
      } catch {
        throw invalidField(name, 'must be JSON in a multipart request');
      }
    default:
      return value;
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
