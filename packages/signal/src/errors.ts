/**
 * Why something cannot be sealed or opened. Names and texts that callers look at are those of libsignal: Baileys takes
 * `Key used already or never filled` for a message that has come before, and `No session record` for a session that has
 * to be begun (Utils/decode-wa-message.js).
 */
class SignalError extends Error {
  override readonly name: string = 'SignalError';
}

/** There is no session for it, or none that fits. */
export class SessionError extends SignalError {
  override readonly name = 'SessionError';
}

/** The key of the message was used, or never was. */
export class MessageCounterError extends SignalError {
  override readonly name = 'MessageCounterError';

  constructor() {
    super('Key used already or never filled');
  }
}

/** The message was made for a pre-key that is not there any more. */
export class PreKeyError extends SignalError {
  override readonly name = 'PreKeyError';
}

/** The storage does not trust the identity key. */
export class UntrustedIdentityKeyError extends SignalError {
  override readonly name = 'UntrustedIdentityKeyError';

  constructor(address: string) {
    super(`the identity key of ${address} is not trusted`);
  }
}

/** The keys that were given for a device are not signed by it. */
export class ForgedPreKeyError extends SignalError {
  override readonly name = 'ForgedPreKeyError';

  constructor() {
    super('the signed pre-key is not signed with the identity key beside it');
  }
}

/** Nothing that this key has signed. */
export class ForgedSignatureError extends SignalError {
  override readonly name = 'ForgedSignatureError';

  constructor() {
    super('the signature is not of this key and message');
  }
}

/** Bytes that are no message, key or record of the protocol. */
export class MalformedError extends SignalError {
  override readonly name = 'MalformedError';
}
