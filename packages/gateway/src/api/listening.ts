/** The server's two places among the steps: it refuses requests first of all, and lets go of sockets near the end. */
import type { FastifyInstance } from 'fastify';
import type { Step } from '../steps.ts';
import type { Lifecycle } from './server.ts';

/** Requests that are under way may finish first. */
const FINISH_MS = 3000;
/** Those who waited for a device get their answer when it closes. */
const LAST_ANSWERS_MS = 1000;

export class Listening {
  readonly #app: FastifyInstance;
  readonly #lifecycle: Lifecycle;
  readonly #address: { host: string; port: number };
  #answered: Promise<unknown> = Promise.resolve();
  #url = '';

  constructor(app: FastifyInstance, lifecycle: Lifecycle, address: { host: string; port: number }) {
    this.#app = app;
    this.#lifecycle = lifecycle;
    this.#address = address;
  }

  /** Where the API answers; empty before it does. */
  get url(): string {
    return this.#url;
  }

  /** The last step to start: whatever a request needs is there. */
  get requests(): Step {
    return {
      name: 'requests',
      start: async () => {
        this.#url = await this.#app.listen({ host: this.#address.host, port: this.#address.port });
        if (this.#lifecycle.phase === 'starting') this.#lifecycle.phase = 'ready';
      },
      stop: () => {
        this.#lifecycle.phase = 'stopping';
        this.#answered = this.#app.close();
        return this.#answered;
      },
      stopMs: FINISH_MS,
    };
  }

  get connections(): Step {
    return {
      name: 'connections',
      stop: () => this.#answered,
      stopMs: LAST_ANSWERS_MS,
      late: () => this.#app.server.closeAllConnections(),
    };
  }
}
