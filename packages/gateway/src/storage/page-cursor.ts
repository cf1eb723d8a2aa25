/** Pages of lists, and the cursors that say where one ends. */
import { type AppError, invalidField } from '../errors.ts';

/**
 * The page of what was found: one row more than `limit` was asked for, which tells whether another page comes. `last`
 * is the row that it comes after; null when none does. Without a limit everything is the page.
 */
export function pageOf<Row>(
  found: readonly Row[],
  limit: number | undefined,
): { page: readonly Row[]; last: Row | null } {
  const page = found.slice(0, limit);
  return { page, last: page.length < found.length ? (page.at(-1) ?? null) : null };
}

/** Opaque to clients; stays good while new rows come. */
export function cursorOf(row: { created_at: number; id: string }): string {
  return Buffer.from(`${row.created_at}:${row.id}`, 'utf8').toString('base64url');
}

/** Throws VALIDATION_ERROR for what `cursorOf` did not write. */
export function readCursor(cursor: string): { at: number; id: string } {
  const match = /^(\d{1,15}):([\w-]{1,64})$/.exec(decoded(cursor));
  if (!match?.[1] || !match[2]) throw notOurs(cursor);
  return { at: Number(match[1]), id: match[2] };
}

/** Where a message is in the order of time. WhatsApp's times are whole seconds: ours decide between them. */
export interface Place {
  timestamp: number;
  created_at: number;
  id: string;
}

/** As `cursorOf`, for lists of messages. */
export function placeCursor({ timestamp, created_at, id }: Place): string {
  return Buffer.from(`${timestamp}:${created_at}:${id}`, 'utf8').toString('base64url');
}

/** Throws VALIDATION_ERROR for what `placeCursor` did not write. */
export function readPlaceCursor(cursor: string): Place {
  const match = /^(\d{1,15}):(\d{1,15}):([\w-]{1,64})$/.exec(decoded(cursor));
  if (!match?.[1] || !match[2] || !match[3]) throw notOurs(cursor);
  return { timestamp: Number(match[1]), created_at: Number(match[2]), id: match[3] };
}

/** As `cursorOf`, for lists in the order of a number. */
export function numberCursor(last: number): string {
  return Buffer.from(`#${last}`, 'utf8').toString('base64url');
}

/** Throws VALIDATION_ERROR for what `numberCursor` did not write. */
export function readNumberCursor(cursor: string): number {
  const match = /^#(\d{1,16})$/.exec(decoded(cursor));
  if (!match?.[1]) throw notOurs(cursor);
  return Number(match[1]);
}

/** As `cursorOf`, for lists in the order of a name, such as a JID. */
export function nameCursor(last: string): string {
  return Buffer.from(`@${last}`, 'utf8').toString('base64url');
}

/** Throws VALIDATION_ERROR for what `nameCursor` did not write. */
export function readNameCursor(cursor: string): string {
  const text = decoded(cursor);
  if (!text.startsWith('@') || text.length < 2 || text.includes('\0')) throw notOurs(cursor);
  return text.slice(1);
}

/** As `cursorOf`, for lists in the order of a name that several rows may have, and of another that tells them apart. */
export function pairCursor(first: string, second: string): string {
  return Buffer.from(JSON.stringify([first, second]), 'utf8').toString('base64url');
}

/** Throws VALIDATION_ERROR for what `pairCursor` did not write. */
export function readPairCursor(cursor: string): [string, string] {
  const pair = parsed(decoded(cursor));
  if (!Array.isArray(pair) || pair.length !== 2) throw notOurs(cursor);
  const [first, second]: unknown[] = pair;
  if (typeof first !== 'string' || typeof second !== 'string') throw notOurs(cursor);
  if (`${first}${second}`.includes('\0')) throw notOurs(cursor);
  return [first, second];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** As `cursorOf`, for lists in the order of a time and then of a name. */
export function timedCursor({ at, name }: { at: number; name: string }): string {
  return Buffer.from(`${at} ${name}`, 'utf8').toString('base64url');
}

/** Throws VALIDATION_ERROR for what `timedCursor` did not write. */
export function readTimedCursor(cursor: string): { at: number; name: string } {
  const match = /^(\d{1,15}) ([^\0]{1,100})$/.exec(decoded(cursor));
  if (!match?.[1] || !match[2]) throw notOurs(cursor);
  return { at: Number(match[1]), name: match[2] };
}

function decoded(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('utf8');
}

function notOurs(cursor: string): AppError {
  return invalidField('cursor', 'is not one that this operation gave', cursor);
}
