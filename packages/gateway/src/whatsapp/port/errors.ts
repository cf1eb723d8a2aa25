/** The only errors that a call on a session ends with. */
import type { AccountLimit } from './account.ts';

/** What every error of a session is. */
export abstract class SessionError extends Error {}

/** The server refused the message: `<ack error="463"/>` and the like. */
export class SendRejected extends SessionError {
  readonly whatsappCode: number;
  /** The limit of the account that the message went against, where WhatsApp tells of one. */
  readonly limit: AccountLimit | null;
  constructor(whatsappCode: number, text: string, limit: AccountLimit | null = null) {
    super(text);
    this.name = 'SendRejected';
    this.whatsappCode = whatsappCode;
    this.limit = limit;
  }
}

/** The session is not open, or closed while the call was under way. */
export class SessionNotOpen extends SessionError {
  constructor(message = 'the session is not open', cause?: unknown) {
    super(message, { cause });
    this.name = 'SessionNotOpen';
  }
}

/** No answer within the time limit; whether the server acted is unknown. */
export class SessionTimeout extends SessionError {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SessionTimeout';
  }
}

/** The server answered, and what is needed is not in it, or cannot be read. Whether it acted is unknown. */
export class AnswerUnreadable extends SessionError {
  /** `missing`: what is not there, as in "WhatsApp answered without …". */
  constructor(missing: string, cause?: unknown) {
    super(`WhatsApp answered without ${missing}`, { cause });
    this.name = 'AnswerUnreadable';
  }
}

/** The server refused a request that is no message: `<iq type="error"><error code text/></iq>`. */
export class RequestRefused extends SessionError {
  readonly whatsappCode: number;
  constructor(whatsappCode: number, text: string, cause?: unknown) {
    super(text, { cause });
    this.name = 'RequestRefused';
    this.whatsappCode = whatsappCode;
  }
}

/** The settings of the device keep it from being shown as online. */
export class KeptOffline extends SessionError {
  constructor() {
    super('the settings of the device keep it offline');
    this.name = 'KeptOffline';
  }
}

/** WhatsApp gave no keys for the one who is to read the message: nothing can be encrypted, and nothing left. */
export class KeysUnavailable extends SessionError {
  constructor(cause?: unknown) {
    super('WhatsApp gave no keys for the recipient', { cause });
    this.name = 'KeysUnavailable';
  }
}

/** The keys that WhatsApp gave for the one who is to read the message are not signed by it: somebody may be in between. */
export class KeysForged extends SessionError {
  constructor(cause?: unknown) {
    super(
      'the keys that WhatsApp gave for the recipient are forged: their signature is not that of its identity',
      {
        cause,
      },
    );
    this.name = 'KeysForged';
  }
}

/** The stanza of a message has not left, and will not: whatever the reason, nobody can have the message. */
export class NothingLeft extends SessionError {
  /** A `SessionError` of another kind. */
  readonly reason: unknown;
  constructor(reason: unknown) {
    super(reason instanceof Error ? reason.message : 'nothing has left', { cause: reason });
    this.name = 'NothingLeft';
    this.reason = reason;
  }
}

/** Anything else, on our side: the credential store could not write, the engine met what it does not know. */
export class SessionFailed extends SessionError {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : 'the session failed', { cause });
    this.name = 'SessionFailed';
  }
}
