/** Why WhatsApp lets an account into no group, in words of their own. */
import { AppError, type ErrorCode } from '../errors.ts';
import { fromSession } from '../whatsapp/port/app-errors.ts';
import { RequestRefused } from '../whatsapp/port/errors.ts';

/**
 * By WhatsApp's code, as its own apps word them (WhatsApp Web getGroupInviteAcceptErrorStr; 406 and 410 also whatsmeow
 * group.go JoinGroupWithLink; 304 WASmaxInGroupsIQErrorAlreadyExistsMixin). What is not here is refused in the words
 * of every other request: 429 and 463 are limits of the account.
 */
const BY_CODE: ReadonlyMap<number, ErrorCode> = new Map([
  [304, 'ALREADY_MEMBER'],
  [401, 'JOIN_FORBIDDEN'],
  [403, 'JOIN_FORBIDDEN'],
  [404, 'GROUP_GONE'],
  [405, 'JOIN_FORBIDDEN'],
  [406, 'INVITE_INVALID'],
  [409, 'ALREADY_MEMBER'],
  [410, 'INVITE_REVOKED'],
  [412, 'GROUP_FULL'],
  [419, 'GROUP_FULL'],
  [436, 'INVITE_UNAVAILABLE'],
]);

/** What WhatsApp says when the account may reach out to nobody (Baileys issue 2638); it has come under several codes. */
const REACH_OUT_LIMIT = 'account_reachout_restricted';
const LIMIT_PAUSE_S = 3600;

export const JOIN_FAILURES = [
  'INVITE_INVALID',
  'INVITE_REVOKED',
  'INVITE_UNAVAILABLE',
  'GROUP_GONE',
  'GROUP_FULL',
  'ALREADY_MEMBER',
  'JOIN_FORBIDDEN',
] as const satisfies readonly ErrorCode[];

/** Runs a call that joins, or looks at what is joined, and throws catalogued errors. */
export async function whileJoining<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw joinRefusal(error);
  }
}

function joinRefusal(error: unknown): unknown {
  if (!(error instanceof RequestRefused)) return fromSession(error);
  const { whatsappCode, message } = error;
  const extra = { whatsapp_code: whatsappCode };
  if (message.includes(REACH_OUT_LIMIT)) {
    return new AppError('ACCOUNT_LIMITED', { extra, retryAfterSeconds: LIMIT_PAUSE_S, cause: error });
  }
  const code = BY_CODE.get(whatsappCode);
  return code ? new AppError(code, { extra, cause: error }) : fromSession(error, { extra });
}
