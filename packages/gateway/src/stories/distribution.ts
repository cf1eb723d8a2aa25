/** Takes stories to the rest of their audience, portion by portion, also after a restart. */
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { DeviceId } from '../ids.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { Log } from '../observability/log.ts';
import { sendToMore } from '../sending/delivery.ts';
import { SendRejected } from '../whatsapp/port/errors.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { STORIES, STORY_MS } from '../whatsapp/port/stories.ts';
import { PORTION, type Story, sentTo } from './story.ts';
import type { StoryMove, StoryStore } from './story-store.ts';

export interface DistributionParts {
  store: StoryStore;
  archive: MessageArchive;
  devices: { openSession(deviceId: string): WhatsAppSession | null };
  clock: Clock;
  log: Log;
}

/** While the device is not connected, and after an answer that did not come. */
const AGAIN_MS = 10_000;
/** What WhatsApp refuses for haste (429) names no time: our guess. */
const TOO_FAST_MS = 60_000;
const TOO_FAST = 429;
const MOST_FAILURES = 20;

/** Devices that have a portion under way at the same time: one that WhatsApp does not answer holds up nobody else's. */
const MOST_AT_ONCE = 8;

export class StoryDistribution {
  readonly #parts: DistributionParts;
  /** The portion of each device. */
  readonly #portions = new Map<DeviceId, Promise<void>>();
  #cancel: () => void = () => undefined;
  #working: Promise<void> | null = null;
  #woken = false;
  #stopped = true;
  /** The store has failed: nothing begins before. */
  #pausedUntil = 0;

  constructor(parts: DistributionParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** A portion that is under way is sent once more at the next start: phones show it once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#working;
    await Promise.all(this.#portions.values());
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#stopped) return;
    this.#woken = true;
    this.#cancel();
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
      if (this.#woken) this.wake();
    });
  }

  async #work(): Promise<void> {
    const { clock, store } = this.#parts;
    this.#woken = false;
    try {
      while (!this.#stopped && this.#portions.size < MOST_AT_ONCE) {
        const next = await store.next([...this.#portions.keys()]);
        if (!next || this.#stopped) return;
        const wait = Math.max(next.dueAt, this.#pausedUntil) - clock.now();
        if (wait > 0) {
          this.#cancel = clock.after(wait, () => this.wake());
          return;
        }
        this.#begin(next.story);
      }
    } catch (err) {
      this.#storeFailed(err);
      this.#cancel = clock.after(AGAIN_MS, () => this.wake());
    }
  }

  #begin(story: Story): void {
    const { clock, store } = this.#parts;
    const portion = this.#portion(story)
      .then(async (move) => void (await store.move(story, move, clock.now())))
      .catch((err: unknown) => this.#storeFailed(err))
      .finally(() => {
        this.#portions.delete(story.deviceId);
        this.wake();
      });
    this.#portions.set(story.deviceId, portion);
  }

  #storeFailed(err: unknown): void {
    const { clock, log } = this.#parts;
    log.error({ err }, 'stories could not be taken further');
    this.#pausedUntil = clock.now() + AGAIN_MS;
  }

  /** Sends the next portion, and says how the story moves. */
  async #portion(story: Story): Promise<StoryMove> {
    const { archive, clock, devices } = this.#parts;
    const now = clock.now();
    if (now - story.createdAt > STORY_MS)
      return { state: 'expired', error: 'a day was over before all had it' };
    const session = devices.openSession(story.deviceId);
    if (!session) return { dueAt: now + AGAIN_MS };
    const { tenantId, messageRowId: rowId, messageId } = story;
    const audience = story.audience.slice(story.position, story.position + PORTION);
    const position = story.position + audience.length;
    let { refused } = story;
    try {
      const message = { tenantId, rowId, messageId };
      const ack = await sendToMore(archive, session, message, { to: STORIES, audience });
      if (!ack) return { state: 'deleted' };
      refused += ack.missed ?? 0;
      // The first one failed when it was asked for.
      if (story.position === 0) await archive.outbound.markSent({ tenantId, rowId, kind: 'text' }, ack);
    } catch (error) {
      return this.#failed(story, position, error);
    }
    return { ...sentTo(story.audience, position, clock.now()), refused, failures: 0 };
  }

  /** Whom WhatsApp refuses the story to does not hold up the others. */
  #failed(story: Story, position: number, error: unknown): StoryMove {
    const { clock, log } = this.#parts;
    const failures = story.failures + 1;
    const text = error instanceof Error ? error.message : String(error);
    log.warn(
      { tenant_id: story.tenantId, device_id: story.deviceId, err: error },
      'a portion of a story failed',
    );
    if (failures > MOST_FAILURES) return { state: 'failed', error: text, failures };
    if (error instanceof SendRejected && error.whatsappCode !== TOO_FAST) {
      const refused = story.refused + position - story.position;
      return { ...sentTo(story.audience, position, clock.now()), refused, failures, error: text };
    }
    const tooFast =
      error instanceof SendRejected || (error instanceof AppError && error.code === 'RATE_LIMITED');
    return { failures, error: text, dueAt: clock.now() + (tooFast ? TOO_FAST_MS : AGAIN_MS) };
  }
}
