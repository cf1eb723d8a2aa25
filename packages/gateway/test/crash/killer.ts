/** Kills the gateway again and again, each time at a moment that chance picks, and starts it anew at once. */
import { setTimeout as pause } from 'node:timers/promises';
import type { BadRoad, Passage } from '../end-to-end/bad-road.ts';
import type { Chance } from './chance.ts';
import type { GatewayChild } from './gateway-child.ts';
import type { NetworkHandle } from './network-handle.ts';
import type { LossyDisk } from './power-cut/disk.ts';

export interface KillerParts {
  gateway: GatewayChild;
  network: NetworkHandle;
  /** Between the gateway and the network. */
  road: BadRoad;
  chance: Chance;
  /** Kills only while receipts arrive, where the most can be lost. */
  onReceiptsOnly: boolean;
  /** Loses at each kill what was not synced; null: a kill is a kill. */
  disk: LossyDisk | null;
  say(line: string): void;
}

/** How a kill finds its moment, and how often. */
const MOMENTS = {
  /** While it starts: recovery of the journal, log-in, what the network kept for it. */
  starting: 18,
  /** As a receipt reaches a phone, counted from the start on: mostly among redelivered stanzas. */
  redelivery: 18,
  /** As a receipt reaches a phone, some time later. */
  receipt: 32,
  /** Whenever. */
  anytime: 22,
  /** While the way to the network is dead, and nobody has noticed: what has left may have arrived. */
  frozen: 14,
} as const;
const DEAD: readonly Passage[] = ['frozen', 'loses requests', 'loses answers'];
const LONGEST_FREEZE_MS = 4000;
export type Moment = keyof typeof MOMENTS;

const LONGEST_START_MS = 2500;
const LONGEST_LIFE_MS = 6000;
const MOST_RECEIPTS = 12;
/** Enough for a start and for as many receipts; when they do not come, it is killed without. */
const RECEIPTS_TIMEOUT_MS = 15_000;

export class Killer {
  /** Kills by moment. */
  readonly moments: Partial<Record<Moment, number>> = {};
  /** Milliseconds from a start to the answer of `/ready`, where it lived so long. */
  readonly startUps: number[] = [];
  /** What the cuts of the disk took: how, and how many changes in all. */
  readonly taken: Record<string, number> = {};
  readonly #parts: KillerParts;
  #startedAt = 0;

  constructor(parts: KillerParts) {
    this.#parts = parts;
  }

  get kills(): number {
    return Object.values(this.moments).reduce((sum, count) => sum + count, 0);
  }

  /** The gateway runs when this is called, and was just started when it returns. */
  async killOnce(): Promise<void> {
    const { gateway, chance, onReceiptsOnly, say } = this.#parts;
    const moment = onReceiptsOnly ? 'redelivery' : chance.weighted(MOMENTS);
    const how = await this.#die(moment);
    if (gateway.ending !== 'SIGKILL') throw new Error(`the gateway ended by itself with ${gateway.ending}`);
    this.moments[moment] = (this.moments[moment] ?? 0) + 1;
    say(`kill ${this.kills}: ${how}${this.#powerCut()}`);
    this.#startedAt = Date.now();
    gateway.spawn();
  }

  /** Resolves when the gateway that was started last answers. */
  async ready(): Promise<void> {
    const { gateway } = this.#parts;
    if (!(await gateway.ready())) throw new Error(`the gateway ended with ${gateway.ending} as it started`);
    if (this.#startedAt > 0) this.startUps.push(Date.now() - this.#startedAt);
    this.#startedAt = 0;
  }

  #powerCut(): string {
    const { disk, chance } = this.#parts;
    if (!disk) return '';
    const { how, changes, entries, undone } = disk.cut(chance);
    const count = (name: string, more: number): void => {
      this.taken[name] = (this.taken[name] ?? 0) + more;
    };
    count(how, 1);
    count('changes at risk', changes);
    count('names at risk', entries);
    return `; ${how} of ${changes} changes, ${undone} of ${entries} names`;
  }

  async #die(moment: Moment): Promise<string> {
    const { gateway, chance } = this.#parts;
    switch (moment) {
      case 'starting': {
        const ms = chance.integer(50, LONGEST_START_MS);
        await pause(ms);
        await gateway.kill();
        return `${ms} ms after its start`;
      }
      case 'anytime': {
        const ms = chance.integer(0, LONGEST_LIFE_MS);
        await this.ready();
        await pause(ms);
        await gateway.kill();
        return `${ms} ms after it was ready`;
      }
      case 'frozen':
        return this.#dieOnDeadRoad();
      case 'redelivery':
        return this.#dieOfReceipts('as it came back');
      case 'receipt': {
        await this.ready();
        await pause(chance.integer(0, LONGEST_LIFE_MS / 2));
        return this.#dieOfReceipts('as it ran');
      }
    }
  }

  async #dieOnDeadRoad(): Promise<string> {
    const { gateway, road, chance } = this.#parts;
    await this.ready();
    await pause(chance.integer(0, LONGEST_LIFE_MS / 2));
    road.passage = chance.pick(DEAD);
    const how = road.passage;
    const ms = chance.integer(100, LONGEST_FREEZE_MS);
    await pause(ms);
    await gateway.kill();
    road.reset();
    road.passage = 'open';
    return `${ms} ms after the way to the network was ${how}`;
  }

  async #dieOfReceipts(when: string): Promise<string> {
    const { gateway, network, chance } = this.#parts;
    const receipts = chance.integer(1, MOST_RECEIPTS);
    await network.call('killAfterReceipts', { pid: gateway.pid, receipts });
    const exited = gateway.exited().then(() => true);
    if (await Promise.race([exited, pause(RECEIPTS_TIMEOUT_MS, false)]))
      return `at receipt ${receipts} ${when}`;
    await network.call('spare', null);
    await gateway.kill();
    return `for want of ${receipts} receipts within ${RECEIPTS_TIMEOUT_MS} ms`;
  }
}
