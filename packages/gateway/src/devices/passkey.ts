import { AppError, type ErrorCode } from '../errors.ts';
import { fromSession, SESSION_FAILURES } from '../whatsapp/port/app-errors.ts';
import { RequestRefused, SessionNotOpen } from '../whatsapp/port/errors.ts';
import { deviceNotReady } from '../whatsapp/port/not-ready.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { DeviceActor } from './device-actor.ts';
import { ASSERTION_FAILURES, checkedAnswer, type PasskeyAssertion } from './passkey-assertion.ts';
import type { PasskeyStep } from './passkey-step.ts';

export type { PasskeyAssertion } from './passkey-assertion.ts';

/** How asking for the passkey step can end. */
export const PASSKEY_FAILURES = [
  'PASSKEY_NOT_REQUESTED',
  'PASSKEY_EXPIRED',
] as const satisfies readonly ErrorCode[];

export const PASSKEY_ANSWER_FAILURES = [
  ...PASSKEY_FAILURES,
  ...ASSERTION_FAILURES,
  ...SESSION_FAILURES,
  'PASSKEY_ALREADY_ANSWERED',
  'PASSKEY_REFUSED',
] as const satisfies readonly ErrorCode[];

export const PASSKEY_CONFIRM_FAILURES = [
  ...PASSKEY_FAILURES,
  ...SESSION_FAILURES,
  'PASSKEY_NO_CODE',
  'PASSKEY_REFUSED_BY_PHONE',
] as const satisfies readonly ErrorCode[];

/** The passkey step of linking, as those who link a device go through it. */
export class Passkeys {
  /** What WhatsApp asks for. Throws PASSKEY_NOT_REQUESTED, PASSKEY_EXPIRED. */
  step(actor: DeviceActor): PasskeyStep {
    const { current } = actor.passkey;
    if (current !== null) return current;
    throw new AppError(
      actor.device.stateReason === 'passkey_expired' ? 'PASSKEY_EXPIRED' : 'PASSKEY_NOT_REQUESTED',
    );
  }

  /**
   * Hands in what a browser signed. Resolves once WhatsApp has taken it, with the step that the linking is at then;
   * null when it is through. What cannot be right is refused before anything is sent; what WhatsApp refuses may be
   * signed again.
   */
  async answer(actor: DeviceActor, assertion: PasskeyAssertion): Promise<PasskeyStep | null> {
    const asked = this.step(actor);
    if (asked.step !== 'required') throw new AppError('PASSKEY_ALREADY_ANSWERED');
    const answer = checkedAnswer(assertion, asked.options);
    const session = sessionOf(actor);
    actor.passkey.answered();
    try {
      await session.passkey.answer(answer);
    } catch (error) {
      const current = actor.pairingSession === session ? actor.passkey.current : null;
      // The server may have asked anew meanwhile, or the phone gone on.
      if (current?.step === 'verifying') actor.passkey.reopened(asked);
      throw failure(actor, error, 'PASSKEY_REFUSED');
    }
    return actor.passkey.current;
  }

  /**
   * Says that the phone shows the code of the step. Repeated, it is no error. Throws PASSKEY_NO_CODE before there is
   * one, PASSKEY_REFUSED_BY_PHONE, which ends the linking.
   */
  async confirm(actor: DeviceActor): Promise<PasskeyStep | null> {
    const asked = this.step(actor);
    if (asked.step === 'linking') return asked;
    if (asked.step !== 'confirm') throw new AppError('PASSKEY_NO_CODE');
    const session = sessionOf(actor);
    actor.passkey.confirmed();
    try {
      await session.passkey.confirm();
    } catch (error) {
      if (isRefusal(error)) await actor.giveUpPasskey('passkey_refused');
      throw failure(actor, error, 'PASSKEY_REFUSED_BY_PHONE');
    }
    return actor.passkey.current;
  }

  /** Ends a linking that waits for a passkey. Throws as `step`. */
  async giveUp(actor: DeviceActor): Promise<void> {
    this.step(actor);
    await actor.giveUpPasskey('passkey_given_up');
  }
}

function sessionOf(actor: DeviceActor): WhatsAppSession {
  const session = actor.pairingSession;
  if (session === null) throw new AppError('PASSKEY_NOT_REQUESTED');
  return session;
}

/** What the server says of the request, in contrast to its own failures and to asking too much. */
function isRefusal(error: unknown): error is RequestRefused {
  return error instanceof RequestRefused && error.whatsappCode < 500 && error.whatsappCode !== 429;
}

function failure(actor: DeviceActor, error: unknown, refusal: ErrorCode): unknown {
  if (isRefusal(error)) {
    return new AppError(refusal, { extra: { whatsapp_code: error.whatsappCode }, cause: error });
  }
  // A device that is not linked does not connect by itself.
  if (error instanceof SessionNotOpen) {
    const message = 'the connection to WhatsApp ended meanwhile: link the device anew, by GET /qr';
    return deviceNotReady(actor.notReady ?? { reason: 'never_linked' }, { message, cause: error });
  }
  return fromSession(error, { message: 'failed to go on with the passkey' });
}
