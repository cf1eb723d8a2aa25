/** A gateway as one thing: made, started, stopped. What it is made of is in `composition.ts`. */
import type { Listening } from './api/listening.ts';
import { type Composition, compose, type GatewayParts, type Overrides } from './composition.ts';
import type { Config, Settings } from './config.ts';
import { prepareDataFolder } from './first-start.ts';
import type { Log } from './observability/log.ts';
import { type Steps, startSteps, stopSteps } from './steps.ts';
import { lockFolder } from './storage/database.ts';
import { VERSION } from './version.ts';

export type { GatewayParts, Overrides } from './composition.ts';

export class Gateway {
  readonly config: Config;
  /** Secret files that this start has made. */
  readonly created: string[];
  readonly parts: GatewayParts;
  readonly log: Log;
  /** Everything that runs, in the order of its start. */
  readonly steps: Steps;
  readonly #listening: Listening;
  #stopping: Promise<void> | null = null;

  constructor(made: Composition & { config: Config; created: string[]; unlock: () => void }) {
    this.config = made.config;
    this.created = made.created;
    this.parts = made.parts;
    this.log = made.log;
    this.#listening = made.listening;
    this.steps = [{ name: 'data folder', stop: made.unlock, stopMs: 100 }, ...made.steps];
  }

  /** Where the API answers, known once it was started. */
  get url(): string {
    return this.#listening.url;
  }

  /** Takes up stored devices and listens. Resolves when requests are answered; devices connect afterwards. */
  async start(): Promise<void> {
    try {
      await startSteps(this.steps);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.log.info({ url: this.url, version: VERSION }, 'the gateway answers');
  }

  /** Stops within 10 s (`longestStop`), or a service supervisor kills us. Safe to call twice; never rejects. */
  stop(): Promise<void> {
    this.#stopping ??= stopSteps(this.steps, this.log).then(() => this.log.info('the gateway has stopped'));
    return this.#stopping;
  }
}

/**
 * Builds a gateway that has not begun: data folder, secrets and database are ready, nothing listens.
 * Throws ConfigError for settings or a key that do not fit, FolderInUse when another gateway runs there.
 */
export async function createGateway(settings: Settings, overrides: Overrides = {}): Promise<Gateway> {
  const { config, created } = await prepareDataFolder(settings);
  const unlock = lockFolder(config.dataDir);
  try {
    return new Gateway({ config, created, unlock, ...(await compose(config, overrides)) });
  } catch (error) {
    unlock();
    throw error;
  }
}
