/** A gateway as one thing: made, started, stopped. What it is made of is in `composition.ts`. */
import type { Lifecycle } from './api/server.ts';
import { type Composition, compose, type GatewayParts, type Overrides } from './composition.ts';
import type { Config, Settings } from './config.ts';
import { prepareDataFolder } from './first-start.ts';
import type { Log } from './observability/log.ts';
import { lockFolder } from './storage/database.ts';
import { VERSION } from './version.ts';

export type { GatewayParts, Overrides } from './composition.ts';

/**
 * The stop ends within 10 s, or a service supervisor kills us. What is under way may finish first;
 * closing the devices then answers whoever still waits for one; the rest is cut off.
 */
const FINISH_MS = 3000;
const CLOSE_DEVICES_MS = 4000;
const LAST_ANSWERS_MS = 1000;

export class Gateway {
  readonly config: Config;
  /** Secret files that this start has made. */
  readonly created: string[];
  readonly parts: GatewayParts;
  readonly log: Log;
  readonly #lifecycle: Lifecycle;
  readonly #release: () => Promise<void>;
  #url = '';
  #stopping: Promise<void> | null = null;

  constructor(made: Composition & { config: Config; created: string[]; unlock: () => void }) {
    this.config = made.config;
    this.created = made.created;
    this.parts = made.parts;
    this.log = made.log;
    this.#lifecycle = made.lifecycle;
    this.#release = async () => {
      await made.release();
      made.unlock();
    };
  }

  /** Where the API answers, known once it was started. */
  get url(): string {
    return this.#url;
  }

  /** Takes up stored devices and listens. Resolves when requests are answered; devices connect afterwards. */
  async start(): Promise<void> {
    const { app, devices, jobRunner, media, retention, webhooks, words } = this.parts;
    try {
      await this.#settleInterrupted();
      await media.start();
      retention.start();
      words.start();
      webhooks.start();
      await devices.start();
      await jobRunner.start();
      this.#url = await app.listen({ host: this.config.host, port: this.config.port });
    } catch (error) {
      await this.stop();
      throw error;
    }
    if (this.#lifecycle.phase === 'starting') this.#lifecycle.phase = 'ready';
    this.log.info({ url: this.#url, version: VERSION }, 'the gateway answers');
  }

  /** Before a device connects or a request comes: what is `pending` now was left by an earlier process. */
  async #settleInterrupted(): Promise<void> {
    for (const { id } of await this.parts.tenants.list()) {
      const settled = await this.parts.archive.settleInterrupted(id);
      if (settled.sent + settled.failed > 0) {
        this.log.warn(
          { tenant_id: id, ...settled },
          'messages were on their way out when the gateway stopped',
        );
      }
    }
  }

  /** Stops within 10 s, always the same way; safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { app, devices, jobRunner, media, retention, webhooks, words } = this.parts;
    this.#lifecycle.phase = 'stopping';
    const answered = app.close();
    await this.#within(FINISH_MS, answered, 'requests are still under way');
    await this.#within(
      CLOSE_DEVICES_MS,
      Promise.all([
        jobRunner.stop(),
        devices.stop(),
        media.stop(),
        retention.stop(),
        webhooks.stop(),
        words.stop(),
      ]),
      'devices or media are still busy',
    );
    await this.#within(LAST_ANSWERS_MS, answered, 'connections are cut off');
    app.server.closeAllConnections();
    await this.#release();
    this.log.info('the gateway has stopped');
  }

  /** Waits for `work` so long; a failure is logged, because the stop goes on regardless. */
  async #within(ms: number, work: PromiseLike<unknown>, otherwise: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, ms, 'late');
    });
    try {
      if ((await Promise.race([work, late])) === 'late') this.log.warn(otherwise);
    } catch (err) {
      this.log.error({ err }, 'a part could not be stopped');
    } finally {
      clearTimeout(timer);
    }
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
