/** How WhatsApp's refusals about a group are told: by the one mapping, with what is known of the group beside. */
import { fromSession } from '../whatsapp/port/app-errors.ts';
import { RequestRefused } from '../whatsapp/port/errors.ts';
import type { StoredGroup } from './group.ts';

/** Not for members: 401 for the invite link, 403 for the rest (whatsmeow group.go GetGroupInviteLink). */
const NOT_ALLOWED = [401, 403];

/** Runs a call about a group and throws catalogued errors; `what` is what was asked for, such as "the new name". */
export async function onGroup<T>(group: StoredGroup, what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw refusedOf(group, what, error);
  }
}

/** The catalogued error for what a call about a group ended with. */
export function refusedOf(group: StoredGroup, what: string, error: unknown): unknown {
  if (!(error instanceof RequestRefused)) return fromSession(error);
  const notAllowed = NOT_ALLOWED.includes(error.whatsappCode) && !group.isAdmin;
  const reason = notAllowed ? ', the account is no admin of the group' : '';
  return fromSession(error, { message: `WhatsApp refused ${what}${reason}` });
}
