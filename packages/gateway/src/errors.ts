/**
 * The error catalogue: every code a client can meet, with its HTTP status and default text.
 * Domain code throws `new AppError(code, …)`; the API edge turns it into the one envelope.
 * A code is never reused for another meaning.
 */
export const ERROR_CATALOGUE = {
  VALIDATION_ERROR: { status: 400, text: 'validation failed' },
  INVALID_JSON: { status: 400, text: 'the request body is not valid JSON' },
  INVALID_REQUEST: { status: 400, text: 'the story cannot be posted as it was asked for' },
  INVALID_RECIPIENT: { status: 400, text: 'the recipient is not a phone number or JID' },
  INVALID_MEDIA: { status: 400, text: 'the media cannot be used' },
  DEVICE_AMBIGUOUS: { status: 400, text: 'several devices could be meant: pass device_id' },
  UNAUTHORIZED: { status: 401, text: 'unauthorized' },
  ORIGIN_REFUSED: { status: 403, text: 'only the page of this gateway may ask that' },
  FORBIDDEN: { status: 403, text: 'your role does not permit this' },
  JOIN_FORBIDDEN: {
    status: 403,
    text: 'the account may not join: an admin has put it out of the group, or of its community',
  },
  NOT_FOUND: { status: 404, text: 'not found' },
  DEVICE_NOT_FOUND: { status: 404, text: 'device not found' },
  MESSAGE_NOT_FOUND: { status: 404, text: 'message not found' },
  LABEL_NOT_FOUND: { status: 404, text: 'label not found' },
  MEDIA_NOT_FOUND: { status: 404, text: 'the message carries no media' },
  PASSKEY_LINK_UNKNOWN: { status: 404, text: 'no such link, or it is over: ask for a new one' },
  PICTURE_NOT_SET: { status: 404, text: 'there is no profile picture' },
  NOT_ON_WHATSAPP: { status: 404, text: 'the number is not on WhatsApp' },
  INVITE_INVALID: { status: 404, text: 'no group has this invite' },
  GROUP_GONE: { status: 404, text: 'the group is not there any more' },
  METHOD_NOT_ALLOWED: { status: 405, text: 'method not allowed' },
  REQUEST_TIMEOUT: { status: 408, text: 'the request did not arrive in time' },
  QR_TIMEOUT: { status: 408, text: 'timeout waiting for QR code' },
  ALREADY_CONNECTED: { status: 409, text: 'already connected' },
  ALREADY_PAIRED: { status: 409, text: 'the device is already paired' },
  PASSKEY_LINK_USED: {
    status: 409,
    text: 'the link was opened in another browser: go on there, or ask for a new link',
  },
  PASSKEY_STATE_MISMATCH: { status: 409, text: 'the answer belongs to another linking' },
  PASSKEY_REQUIRED: {
    status: 409,
    text: 'WhatsApp asks for a passkey first: GET /devices/{id}/passkey says what to sign; refresh=true begins anew',
  },
  PASSKEY_NOT_REQUESTED: {
    status: 409,
    text: 'WhatsApp asks for no passkey now: it does so, of some accounts, once the phone has scanned the QR',
  },
  PASSKEY_ALREADY_ANSWERED: {
    status: 409,
    text: 'the passkey has been handed in: GET /devices/{id}/passkey says how far it is',
  },
  PASSKEY_NO_CODE: {
    status: 409,
    text: 'there is no code to confirm yet: hand in the passkey, then wait for the step confirm',
  },
  ACCOUNT_CHANGED: { status: 409, text: 'the device holds another WhatsApp account by now' },
  ALREADY_EXISTS: { status: 409, text: 'it exists already' },
  DELETE_WINDOW_EXPIRED: {
    status: 409,
    text: 'the time in which WhatsApp deletes a message for everyone is over',
  },
  NOT_DELETABLE: { status: 409, text: 'this message cannot be deleted for everyone' },
  EDIT_WINDOW_EXPIRED: { status: 409, text: 'the time in which WhatsApp accepts an edit is over' },
  NOT_EDITABLE: { status: 409, text: 'this message cannot be edited' },
  NOT_FORWARDABLE: { status: 409, text: 'this message cannot be forwarded' },
  NOT_QUOTABLE: { status: 409, text: 'this message cannot be quoted' },
  NOT_PINNABLE: { status: 409, text: 'this message cannot be pinned' },
  NOT_STARRABLE: { status: 409, text: 'this message cannot be starred' },
  NOT_A_BUSINESS: { status: 409, text: 'only accounts of WhatsApp Business have labels' },
  NOT_AN_ORDER: { status: 409, text: 'the message is no order' },
  NOT_A_POLL: { status: 409, text: 'the message is no poll' },
  NOT_CANCELLABLE: { status: 409, text: 'it can no longer be cancelled' },
  KEPT_OFFLINE: { status: 409, text: 'the settings of the device keep it offline' },
  TOKEN_ROTATED: { status: 409, text: 'another request gave the user a new token at the same time' },
  ALREADY_MEMBER: { status: 409, text: 'the account is in the group already' },
  GROUP_FULL: { status: 409, text: 'the group or its community is full' },
  INVITE_UNAVAILABLE: { status: 409, text: 'WhatsApp lets nobody join by the link at the moment' },
  IMPORT_AMBIGUOUS: { status: 409, text: 'the file holds several sessions: say which one with session' },
  SESSION_IN_USE: {
    status: 409,
    text: 'the program that holds the session wrote to it a moment ago: stop it first',
  },
  SESSION_HELD_HERE: { status: 409, text: 'another device of this gateway holds this very session' },
  IDEMPOTENCY_CONFLICT: { status: 409, text: 'the Idempotency-Key was used with another request' },
  PASSKEY_EXPIRED: {
    status: 410,
    text: 'the time for the passkey is over: link the device anew, by GET /qr',
  },
  INVITE_REVOKED: { status: 410, text: 'the invite was made anew, taken back, or is over' },
  MEDIA_GONE: { status: 410, text: 'the media is gone: neither WhatsApp nor your phone has it any more' },
  CURSOR_UNKNOWN: { status: 410, text: 'the cursor is beyond the newest event' },
  SEND_TIME_PASSED: { status: 410, text: 'the time at which the message was to be sent has passed' },
  PAYLOAD_TOO_LARGE: { status: 413, text: 'payload too large' },
  IMPORT_TOO_LARGE: { status: 413, text: 'the file is too large to be a session' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, text: 'unsupported content type: send application/json' },
  RANGE_NOT_SATISFIABLE: { status: 416, text: 'the requested range lies outside of the media' },
  IMPORT_UNREADABLE: { status: 422, text: 'the file is damaged, or is no archive of a session' },
  IMPORT_FORMAT_UNKNOWN: { status: 422, text: 'the file holds no session of a format that is known here' },
  SESSION_MALFORMED: { status: 422, text: 'the session lacks something, or part of it cannot be read' },
  SESSION_INCONSISTENT: { status: 422, text: 'parts of the session do not belong together' },
  SESSION_NOT_LINKED: { status: 422, text: 'no phone has linked the session' },
  CONVERSION_UNAVAILABLE: { status: 422, text: 'the media has to be converted, and ffmpeg is not installed' },
  PICTURE_HIDDEN: { status: 422, text: 'the profile picture is not shown to this account' },
  REJECTED_BY_WHATSAPP: { status: 422, text: 'WhatsApp refused the message' },
  PASSKEY_CHALLENGE_MISMATCH: {
    status: 422,
    text: 'another challenge was signed: sign the options that GET /devices/{id}/passkey gives now',
  },
  PASSKEY_ORIGIN_MISMATCH: {
    status: 422,
    text: 'it was signed on another site: sign on https://web.whatsapp.com',
  },
  PASSKEY_RP_MISMATCH: {
    status: 422,
    text: 'it is a passkey for another site: sign with the one that WhatsApp has made for this account',
  },
  PASSKEY_CREDENTIAL_MISMATCH: {
    status: 422,
    text: 'it is none of the passkeys that WhatsApp takes for this account: sign with another one',
  },
  PASSKEY_USER_NOT_VERIFIED: {
    status: 422,
    text: 'the authenticator did not ask who signs: sign with PIN, fingerprint or face, as the options say',
  },
  PASSKEY_REFUSED: {
    status: 422,
    text: 'WhatsApp refused the passkey: sign again with the one of this account, or link anew by GET /qr?refresh=true',
  },
  PASSKEY_REFUSED_BY_PHONE: {
    status: 422,
    text: 'the phone did not let the device in: link it anew, by GET /qr, and accept on the phone',
  },
  ACCOUNT_LIMITED: { status: 429, text: 'WhatsApp lets this account begin no chats for a while' },
  QUOTA_EXCEEDED: { status: 429, text: 'a quota of the tenant is used up' },
  RATE_LIMITED: { status: 429, text: 'too many requests' },
  HEADERS_TOO_LARGE: { status: 431, text: 'the request line and headers are larger than 1 MB, or too many' },
  REQUEST_GIVEN_UP: { status: 499, text: 'the client closed the connection before the answer' },
  INTERNAL_ERROR: { status: 500, text: 'internal error' },
  MEDIA_DOWNLOAD_FAILED: { status: 502, text: 'the media could not be downloaded from WhatsApp' },
  WHATSAPP_ERROR: { status: 502, text: 'WhatsApp failed at it' },
  STATUS_FAILED: { status: 502, text: 'WhatsApp did not take the story' },
  PRIVACY_FETCH_FAILED: { status: 502, text: 'WhatsApp did not say who sees the stories' },
  PRIVACY_UPDATE_FAILED: { status: 502, text: 'WhatsApp did not change who sees the stories' },
  UPLOAD_FAILED: { status: 502, text: 'the media could not be uploaded to WhatsApp' },
  DEVICE_NOT_READY: { status: 503, text: 'WhatsApp session is not connected' },
  DEVICE_DISCONNECTED: { status: 503, text: 'WhatsApp session is not connected' },
  SHUTTING_DOWN: { status: 503, text: 'the server is shutting down' },
  STORAGE_UNAVAILABLE: { status: 503, text: 'the database cannot be used at the moment' },
  STATUS_TIMEOUT: { status: 504, text: 'WhatsApp did not confirm the story in time' },
  PRIVACY_UPDATE_TIMEOUT: { status: 504, text: 'WhatsApp did not confirm the change in time' },
  WHATSAPP_TIMEOUT: { status: 504, text: 'WhatsApp did not answer in time' },
  STORAGE_FULL: { status: 507, text: 'the disk is nearly full' },
} as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** One rejected field of a request; `value` is never a secret. */
export interface FieldProblem {
  field: string;
  message: string;
  value?: unknown;
}

export interface AppErrorDetail {
  /** Replaces the catalogue's text: says what happened and what to do next. */
  message?: string;
  validation?: FieldProblem[];
  /** Sent as the `Retry-After` header, in seconds. */
  retryAfterSeconds?: number;
  /** Further documented members of the answer, for example `device_ids`. */
  extra?: Record<string, unknown>;
  cause?: unknown;
}

/** An error a client may see. Anything else that is thrown becomes INTERNAL_ERROR. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: AppErrorDetail;

  constructor(code: ErrorCode, detail: AppErrorDetail = {}) {
    super(detail.message ?? ERROR_CATALOGUE[code].text, detail.cause ? { cause: detail.cause } : undefined);
    this.name = 'AppError';
    this.code = code;
    this.status = ERROR_CATALOGUE[code].status;
    this.detail = detail;
  }
}

/** Shorthand for a single rejected field. */
export function invalidField(field: string, message: string, value?: unknown): AppError {
  const problem: FieldProblem = value === undefined ? { field, message } : { field, message, value };
  return new AppError('VALIDATION_ERROR', { message: `${field}: ${message}`, validation: [problem] });
}
