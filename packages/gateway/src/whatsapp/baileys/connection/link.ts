import type { Clock } from '../../../clock.ts';
import { SessionNotOpen } from '../../port/errors.ts';
import type { SessionEvent, SessionReporter } from '../../port/events.ts';
import type { Route } from '../../port/route.ts';
import { type AuthenticationCreds, jidNormalizedUser, type Socket } from '../library.ts';
import type { OwnAccount } from '../parse/message-source.ts';
import { sessionError } from './engine-errors.ts';
import type { LogSink } from './quiet-logger.ts';
import { answered } from './unanswered.ts';

export interface LinkParts {
  deviceId: string;
  creds: AuthenticationCreds;
  clock: Clock;
  log: LogSink;
  report: SessionReporter;
  route: Route | null;
}

/** The connection as the abilities of a session see it: its socket while it is open, and the way to report. */
export class Link {
  readonly creds: AuthenticationCreds;
  readonly clock: Clock;
  /** The way of the session, and of the files that it tells the place of. */
  readonly route: Route | null;
  readonly #parts: LinkParts;
  #socket: Socket | null = null;
  #open = false;
  /** Ends the calls that wait for an answer on this connection. */
  readonly #waiting = new Set<() => void>();
  /** Events reach the listener one after the other. */
  #reports: Promise<void> = Promise.resolve();

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.creds = parts.creds;
    this.clock = parts.clock;
    this.route = parts.route;
  }

  /** Null before `start`. It may be closed. */
  get socket(): Socket | null {
    return this.#socket;
  }

  /** Asks the socket itself: the library tells of an end only when the close is through. */
  get isOpen(): boolean {
    return this.#open && this.#socket?.ws.isOpen === true;
  }

  /** The names of the account; empty before it is linked. */
  own(): OwnAccount {
    const { me } = this.creds;
    return { jid: jidNormalizedUser(me?.id ?? ''), lid: me?.lid ? jidNormalizedUser(me.lid) : null };
  }

  /** Runs a call on the socket of the open session. Throws a `SessionError` and nothing else. */
  async ask<T>(call: (socket: Socket) => Promise<T>): Promise<T> {
    if (!this.#socket || !this.isOpen) throw new SessionNotOpen();
    return this.#call(this.#socket, call);
  }

  /** As `ask`, for what is done before the session is open: linking. */
  async askUnopened<T>(call: (socket: Socket) => Promise<T>): Promise<T> {
    if (!this.#socket) throw new SessionNotOpen();
    return this.#call(this.#socket, call);
  }

  async #call<T>(socket: Socket, call: (socket: Socket) => Promise<T>): Promise<T> {
    try {
      return await this.#untilTheEnd(answered(() => call(socket)));
    } catch (error) {
      throw sessionError(error, socket.ws.isOpen);
    }
  }

  /** The library forgets who waits for an answer when it ends a connection itself (socket.js `end`). */
  #untilTheEnd<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => reject(new SessionNotOpen('the connection ended during the call'));
      this.#waiting.add(end);
      const done = () => this.#waiting.delete(end);
      work.finally(done).then(resolve, reject);
    });
  }

  /** Reports an event behind those before it; resolves when it was taken, or refused, which is logged. */
  report(event: SessionEvent): Promise<void> {
    this.reportTaken(event).catch(() => undefined);
    return this.#reports;
  }

  /** As `report`, and rejects when the event was refused. */
  reportTaken(event: SessionEvent): Promise<void> {
    const taken = this.#reports.then(() => this.#parts.report(event));
    this.#reports = taken.catch((error: unknown) =>
      this.warn(`the ${event.type} event was not taken`, error),
    );
    return taken;
  }

  /** Resolves when every event so far has been taken. */
  reported(): Promise<void> {
    return this.#reports;
  }

  warn(text: string, error: unknown): void {
    this.warnOf({ reason: (error as Error).message }, text);
  }

  warnOf(fields: object, text: string): void {
    this.#parts.log.warn({ device_id: this.#parts.deviceId, ...fields }, text);
  }

  connected(socket: Socket): void {
    this.#socket = socket;
  }

  opened(): void {
    this.#open = true;
  }

  closed(): void {
    this.#open = false;
    for (const end of this.#waiting) end();
  }
}
