/**
 * The stories' own words for what went wrong: those that their documentation shows, in capitals. Everything else
 * ends as anywhere.
 */
import { AppError, type ErrorCode } from '../../../errors.ts';
import { toAppError } from '../../error-envelope.ts';
import { plain, type RouteScope } from '../../request/scope.ts';

type Words = Partial<Record<ErrorCode, ErrorCode>>;

const ALWAYS: Words = {
  VALIDATION_ERROR: 'INVALID_REQUEST',
  INVALID_RECIPIENT: 'INVALID_REQUEST',
  DEVICE_NOT_READY: 'DEVICE_DISCONNECTED',
};

/** How the operation's own failures are called, by the operation. */
const OWN: Record<string, Words> = {
  posting: {
    REJECTED_BY_WHATSAPP: 'STATUS_FAILED',
    WHATSAPP_ERROR: 'STATUS_FAILED',
    WHATSAPP_TIMEOUT: 'STATUS_TIMEOUT',
  },
  inbox: {},
  reading: {
    REJECTED_BY_WHATSAPP: 'PRIVACY_FETCH_FAILED',
    WHATSAPP_ERROR: 'PRIVACY_FETCH_FAILED',
  },
  choosing: {
    REJECTED_BY_WHATSAPP: 'PRIVACY_UPDATE_FAILED',
    WHATSAPP_ERROR: 'PRIVACY_UPDATE_FAILED',
    WHATSAPP_TIMEOUT: 'PRIVACY_UPDATE_TIMEOUT',
  },
};

export type StoryWork = keyof typeof OWN;

/** The codes of an operation, in its own words. */
export function storyFailures(work: StoryWork, codes: readonly ErrorCode[]): ErrorCode[] {
  return ['INVALID_REQUEST', ...codes.map((code) => said(work, code))];
}

/** Lets everything in this scope end in the words of `work`. */
export function sayStoryErrors(scope: RouteScope, work: StoryWork): void {
  plain(scope).setErrorHandler((error) => {
    const { code, detail, message } = toAppError(error);
    const word = said(work, code);
    // The handler around this scope answers it.
    throw word === code ? error : new AppError(word, { ...detail, message, cause: error });
  });
}

function said(work: StoryWork, code: ErrorCode): ErrorCode {
  return OWN[work]?.[code] ?? ALWAYS[code] ?? code;
}
