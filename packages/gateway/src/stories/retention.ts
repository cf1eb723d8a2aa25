/** The audience of a story, thousands of names, is kept for as long as somebody can still get the story. */
import type { Clock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import { STORY_MS } from '../whatsapp/port/stories.ts';
import type { StoryStore } from './story-store.ts';

export interface AudienceRetentionParts {
  store: StoryStore;
  clock: Clock;
  log: Log;
}

/** Phones show a story for a day, by their own clocks. After two it can neither be had again nor taken back. */
const KEPT_MS = 2 * STORY_MS;
const SWEEP_EVERY_MS = 3_600_000;

export class AudienceRetention {
  readonly #parts: AudienceRetentionParts;
  #cancel: () => void = () => undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: AudienceRetentionParts) {
    this.#parts = parts;
  }

  /** Sweeps now and every hour; a failure is logged, and the next one tries again. */
  start(): void {
    if (this.#stopped) return;
    const { clock, log } = this.#parts;
    this.#sweeping = this.#sweep()
      .catch((err: unknown) => log.error({ err }, 'the audiences of old stories were not removed'))
      .finally(() => {
        if (!this.#stopped) this.#cancel = clock.after(SWEEP_EVERY_MS, () => this.start());
      });
  }

  /** Resolves once the batch under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { store, clock } = this.#parts;
    const before = clock.now() - KEPT_MS;
    while (!this.#stopped && (await store.forgetAudiences(before)) > 0);
  }
}
