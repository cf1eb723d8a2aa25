/** Reading the members of a body: what is missing or of another type is a 400 that names it. */
import { ControlError, type JsonObject } from './router.ts';

/** Reads the named field of a body; a wrong type or a missing field is a 400 that names it. */
export function text(body: JsonObject, field: string): string {
  const value = body[field];
  if (typeof value !== 'string' || value === '') throw new ControlError(400, `${field}: a text is needed`);
  return value;
}

export function optionalText(body: JsonObject, field: string): string | undefined {
  return body[field] === undefined ? undefined : text(body, field);
}

export function number(body: JsonObject, field: string): number {
  const value = body[field];
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new ControlError(400, `${field}: a number is needed`);
  }
  return value;
}

export function optionalNumber(body: JsonObject, field: string): number | undefined {
  return body[field] === undefined ? undefined : number(body, field);
}

export function optionalFlag(body: JsonObject, field: string): boolean | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'boolean') throw new ControlError(400, `${field}: true or false is needed`);
  return value;
}

export function texts(body: JsonObject, field: string): string[] {
  const value = body[field];
  if (!Array.isArray(value) || value.length === 0 || value.some((item) => typeof item !== 'string')) {
    throw new ControlError(400, `${field}: a list of texts is needed`);
  }
  return value as string[];
}

/** One of a fixed set of words. */
export function optionalWord<T extends string>(
  body: JsonObject,
  field: string,
  words: readonly T[],
): T | undefined {
  const value = body[field];
  if (value === undefined) return undefined;
  const found = words.find((word) => word === value);
  if (found === undefined) throw new ControlError(400, `${field}: one of ${words.join(', ')}`);
  return found;
}

/** Base64 bytes. */
export function bytes(body: JsonObject, field: string): Buffer {
  const value = text(body, field);
  const decoded = Buffer.from(value, 'base64');
  if (decoded.length === 0) throw new ControlError(400, `${field}: base64 is needed`);
  return decoded;
}

/** Leaves out what is undefined, for options with exact optional fields. */
export function present<T extends object>(fields: { [K in keyof T]?: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
