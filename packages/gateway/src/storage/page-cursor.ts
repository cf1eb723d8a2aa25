/** Where a page of a list ends that goes from the newest to the oldest row. */
import { invalidField } from '../errors.ts';

/** Opaque to clients; stays good while new rows come. */
export function cursorOf(row: { created_at: number; id: string }): string {
  return Buffer.from(`${row.created_at}:${row.id}`, 'utf8').toString('base64url');
}

/** Throws VALIDATION_ERROR for what `cursorOf` did not write. */
export function readCursor(cursor: string): { at: number; id: string } {
  const match = /^(\d{1,15}):([\w-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!match?.[1] || !match[2]) throw invalidField('cursor', 'is not one that this operation gave', cursor);
  return { at: Number(match[1]), id: match[2] };
}
