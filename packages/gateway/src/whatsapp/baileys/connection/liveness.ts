import type { Clock } from '../../../clock.ts';
import { RequestRefused } from '../../port/errors.ts';
import type { BinaryNode } from '../library.ts';
import { sessionError } from './engine-errors.ts';
import { KeepaliveWatch } from './keepalive.ts';
import type { Link } from './link.ts';
import { cut } from './socket.ts';
import { within } from './within.ts';

/** The server pings every 30 s: one sign of life per that time is enough for `last_seen`. */
const ALIVE_EVERY_MS = 20_000;
/** The server answers a ping within moments. */
const PROBE_MS = 5_000;
const SERVER = '@s.whatsapp.net';

/** Whether the connection lives: reports its signs of life and its silences, and cuts it when it is dead. */
export class Liveness {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #queryTimeoutMs: number;
  readonly #keepalive: KeepaliveWatch;
  #probing = false;
  #aliveAt = Number.NEGATIVE_INFINITY;

  constructor({ link, clock, queryTimeoutMs }: { link: Link; clock: Clock; queryTimeoutMs: number }) {
    this.#link = link;
    this.#clock = clock;
    this.#queryTimeoutMs = queryTimeoutMs;
    this.#keepalive = new KeepaliveWatch(clock, (notice) => void link.report({ type: 'notice', notice }));
  }

  /** The connection is open. */
  start(): void {
    this.#keepalive.start();
  }

  stop(): void {
    this.#keepalive.stop();
  }

  /** Something came from the server. */
  frame(): void {
    this.#keepalive.frame();
    const now = this.#clock.monotonic();
    if (!this.#link.isOpen || now - this.#aliveAt < ALIVE_EVERY_MS) return;
    this.#aliveAt = now;
    void this.#link.report({ type: 'alive' });
  }

  /** Resolves with the server's answer to a ping; throws SessionError without one. */
  async ping(): Promise<void> {
    await this.#link.ask((socket) => socket.query(ping()));
  }

  /**
   * Something was not answered. When a ping is not either, the connection is dead, though frames may still
   * come: what is lost on the way to the server is not seen by the library's keepalive.
   */
  async probe(): Promise<void> {
    const { socket } = this.#link;
    if (this.#probing || !socket || !this.#link.isOpen) return;
    this.#probing = true;
    const limit = Math.min(PROBE_MS, this.#queryTimeoutMs);
    // A refusal is an answer too.
    const ask = socket.query(ping(), limit).then(
      (answer: unknown) => answer !== undefined,
      (error: unknown) => sessionError(error, true) instanceof RequestRefused,
    );
    const alive = await within(limit, ask);
    this.#probing = false;
    if (!alive) cut(socket);
  }
}

function ping(): BinaryNode {
  return {
    tag: 'iq',
    attrs: { to: SERVER, type: 'get', xmlns: 'w:p' },
    content: [{ tag: 'ping', attrs: {} }],
  };
}
