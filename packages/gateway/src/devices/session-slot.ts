import type { Clock } from '../clock.ts';
import type { SessionEvent, SessionReporter } from '../whatsapp/port/events.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

export interface SessionSlotParts {
  clock: Clock;
  create(report: SessionReporter): Promise<WhatsAppSession>;
  /**
   * Takes every report. `current` is false when it comes from a session that was given up; the slot is
   * already empty when `closed` is told. Its rejection reaches the session.
   */
  report(event: SessionEvent, current: boolean): Promise<void>;
  warn(error: unknown, message: string): void;
}

/** A socket that does not close in this time is left behind: stopping the gateway has its own limit. */
const STOP_TIMEOUT_MS = 3_000;

/** One try to hold a session. */
interface Attempt {
  session: WhatsAppSession | null;
  /** Settles with the session's `start`; null before and after. Never rejects. */
  starting: Promise<void> | null;
}

/** Room for one session: two sockets of one device would make WhatsApp end one, and mix up their keys. */
export class SessionSlot {
  readonly #parts: SessionSlotParts;
  #current: Attempt | null = null;
  #closing: Promise<void> = Promise.resolve();

  constructor(parts: SessionSlotParts) {
    this.#parts = parts;
  }

  /** A session is there or on its way. */
  get taken(): boolean {
    return this.#current !== null;
  }

  get session(): WhatsAppSession | null {
    return this.#current?.session ?? null;
  }

  /** Resolves once every session given up so far has closed, or took too long to. */
  get closed(): Promise<void> {
    return this.#closing;
  }

  /** Opens a session in the background unless there is one. A failed start is reported as `closed`. */
  open(): void {
    if (this.#current !== null) return;
    const attempt: Attempt = { session: null, starting: null };
    this.#current = attempt;
    void this.#start(attempt);
  }

  /** Gives up the session; `closed` tells when its socket is closed. */
  empty(): void {
    const attempt = this.#current;
    this.#current = null;
    if (attempt) this.#close(attempt);
  }

  async #start(attempt: Attempt): Promise<void> {
    try {
      await this.#closing;
      if (attempt !== this.#current) return;
      const session = await this.#parts.create((event) => this.#report(attempt, event));
      attempt.session = session;
      if (attempt !== this.#current) {
        this.#close(attempt);
        return;
      }
      const started = session.start();
      attempt.starting = started.then(
        () => undefined,
        () => undefined,
      );
      await started.finally(() => {
        attempt.starting = null;
      });
    } catch (error) {
      this.#parts.warn(error, 'the session did not start');
      if (attempt !== this.#current) return;
      const detail = 'the session did not start';
      await this.#report(attempt, { type: 'closed', reason: 'connection_lost', detail, statusCode: null });
    }
  }

  async #report(attempt: Attempt, event: SessionEvent): Promise<void> {
    const current = attempt === this.#current;
    // The reply that links the device leaves when this is taken: refused, the phone lists none that nobody has.
    if (event.type === 'paired' && !current) throw new Error('the linking has been given up');
    // What the ended session still has to write comes before anything the next one reads.
    if (current && event.type === 'closed') this.empty();
    await this.#parts.report(event, current);
  }

  #close({ session, starting }: Attempt): void {
    if (session === null) return;
    const stop = async () => {
      // A session that is still starting may open its socket after a first stop that found none.
      await Promise.all([session.stop(), starting]);
      if (starting !== null) await session.stop();
    };
    const closed = new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(STOP_TIMEOUT_MS, resolve);
      stop()
        .catch((error) => this.#parts.warn(error, 'the session did not stop'))
        .finally(() => {
          cancel();
          resolve();
        });
    });
    this.#closing = Promise.all([this.#closing, closed]).then(() => undefined);
  }
}
