import type { Clock } from '../clock.ts';
import type { PasskeyEvent, PasskeyRequestOptions } from '../whatsapp/port/passkey.ts';
import type { PasskeyEnd } from './state.ts';

/**
 * How far the step is: `required` (somebody has to sign), `verifying` (WhatsApp and the phone look at the
 * signature), `confirm` (somebody has to compare the code), `linking` (the phone takes the device in).
 */
export const PASSKEY_STEPS = ['required', 'verifying', 'confirm', 'linking'] as const;
export type PasskeyStepName = (typeof PASSKEY_STEPS)[number];

/** What to do at each step, for people. */
export const PASSKEY_HINTS: Readonly<Record<PasskeyStepName, string>> = {
  required:
    'WhatsApp asks for a passkey: GET /devices/{id}/passkey says what to sign on https://web.whatsapp.com',
  verifying: 'WhatsApp and the phone look at the passkey: keep WhatsApp open on the phone',
  confirm: 'compare code with the phone, then POST /devices/{id}/passkey/confirm',
  linking: 'the phone takes the device in: GET /status says when it is done',
};

export interface PasskeyStep {
  readonly step: PasskeyStepName;
  readonly options: PasskeyRequestOptions;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** What the phone shows, `XXXX-XXXX`; null before the phone has answered. */
  readonly code: string | null;
  /** Whether somebody has to compare it; null before the phone has answered. */
  readonly codeRequired: boolean | null;
}

/** Ten minutes is what the server asks for (`timeout` of the options that zapo and Baileys issue 2672 show). */
const ANSWER_WITHIN_MS = 10 * 60_000;
const SHORTEST_ANSWER_MS = 30_000;
/** What a person needs to look at the phone; nothing public says how long the server waits. */
const PHONE_WITHIN_MS = 5 * 60_000;
const LINKED_WITHIN_MS = 2 * 60_000;

export interface PasskeyProgressParts {
  clock: Clock;
  /** The step has changed. */
  changed(): void;
  /** The linking is to be given up. */
  over(reason: PasskeyEnd): void;
}

/** The passkey step of a device that is being linked, and the time that is left for it. */
export class PasskeyProgress {
  readonly #parts: PasskeyProgressParts;
  #current: PasskeyStep | null = null;
  #cancelTimer: (() => void) | null = null;

  constructor(parts: PasskeyProgressParts) {
    this.#parts = parts;
  }

  /** Null while nobody asks for a passkey. */
  get current(): PasskeyStep | null {
    return this.#current;
  }

  /** Takes what the session reports, but for its failure; gives the step that follows. */
  report(event: Exclude<PasskeyEvent, { type: 'passkey_failed' }>): PasskeyStep | null {
    if (event.type === 'passkey_required') {
      const asked = event.options.timeout ?? ANSWER_WITHIN_MS;
      const within = Math.min(Math.max(asked, SHORTEST_ANSWER_MS), ANSWER_WITHIN_MS);
      this.#set({ step: 'required', options: event.options, code: null, codeRequired: null }, within);
    } else if (this.#current) {
      const { code, codeRequired } = event;
      const step = codeRequired ? 'confirm' : 'linking';
      const { options } = this.#current;
      this.#set({ step, options, code, codeRequired }, codeRequired ? PHONE_WITHIN_MS : LINKED_WITHIN_MS);
    }
    return this.#current;
  }

  /** Somebody has signed. */
  answered(): void {
    if (this.#current) this.#set({ ...this.#current, step: 'verifying' }, PHONE_WITHIN_MS);
  }

  /** The server did not take what was signed: it may be signed again, in the time that was left for it. */
  reopened(before: PasskeyStep): void {
    if (this.#current) this.#set(before, Math.max(0, before.expiresAt - this.#parts.clock.now()));
  }

  /** Somebody has compared the code. */
  confirmed(): void {
    if (this.#current) this.#set({ ...this.#current, step: 'linking' }, LINKED_WITHIN_MS);
  }

  /** The linking is complete, or over. */
  end(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#current = null;
  }

  #set(step: Omit<PasskeyStep, 'expiresAt'>, withinMs: number): void {
    const { clock, changed, over } = this.#parts;
    this.#cancelTimer?.();
    this.#current = { ...step, expiresAt: clock.now() + withinMs };
    this.#cancelTimer = clock.after(withinMs, () => over('passkey_expired'));
    changed();
  }
}
