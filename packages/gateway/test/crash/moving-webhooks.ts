/** Endpoints that change their URL while events are on their way: the old one answers 410 from then on. */
import { setTimeout as pause } from 'node:timers/promises';
import type { LinkedDevice } from './api-traffic.ts';
import type { Chance } from './chance.ts';
import type { WebhookReceiver } from './webhook-receiver.ts';

const EVERY_MS = { least: 2000, most: 8000 };
const REPEAT_AFTER_MS = 300;

export class MovingWebhooks {
  moves = 0;
  readonly problems: string[] = [];
  readonly #receiver: WebhookReceiver;
  readonly #settings: object;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  /** `settings`: what the configuration says beside its URL. */
  constructor(parts: {
    devices: readonly LinkedDevice[];
    receiver: WebhookReceiver;
    settings: object;
    chance: Chance;
  }) {
    const { devices, receiver, settings, chance } = parts;
    this.#receiver = receiver;
    this.#settings = settings;
    this.#running = Promise.all(devices.map((device) => this.#move(device, chance.fork())));
  }

  /** Resolves when the last move is through. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #move(device: LinkedDevice, chance: Chance): Promise<void> {
    const { signal } = this.#stop;
    for (let at = 1; !signal.aborted; at += 1) {
      const ms = chance.between(EVERY_MS.least, EVERY_MS.most);
      await pause(ms, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const path = `${device.account}-${at}`;
      const url = this.#receiver.open(path);
      await this.#configure(device, url);
      this.#receiver.close(`${device.account}-${at - 1}`);
      this.moves += 1;
    }
  }

  /** Until the gateway has said that it applies: a kill may come before. */
  async #configure({ deviceId, caller }: LinkedDevice, url: string): Promise<void> {
    const body = { ...this.#settings, device_id: deviceId, webhook_url: url };
    for (;;) {
      const answer = await caller.call('POST', '/webhook', body).catch(() => null);
      if (answer?.status === 200) return;
      if (answer && answer.status < 500) {
        this.problems.push(
          `moving a webhook: ${answer.status} ${answer.bytes.toString('utf8').slice(0, 300)}`,
        );
        return;
      }
      await pause(REPEAT_AFTER_MS);
    }
  }
}
