/** Which lanes are being served, so that no receiver takes the room of the others. */
import type { Lane } from './queue.ts';

/** Of one endpoint at a time: many chats go on side by side, and a slow receiver fills no more than this. */
const PER_ENDPOINT = 8;
/** A receiver that fails is only probed: each attempt may hold a slot for its whole timeout. */
const PER_FAILING_ENDPOINT = 2;
/** All failing endpoints together leave at least half of the slots to the others. */
const FAILING_SHARE = 0.5;

const keyOf = (lane: Lane): string => `${lane.endpointId}\n${lane.orderKey}`;

interface Served {
  endpointId: string;
  overtaken: boolean;
  /** The lane that it became a part of meanwhile. */
  into: Lane | null;
}

export class Slots {
  readonly #capacity: number;
  readonly #lanes = new Map<string, Served>();
  readonly #perEndpoint = new Map<string, number>();
  readonly #failing = new Set<string>();
  /** Until when an endpoint asked to be left alone; all times here are of the monotonic clock. */
  readonly #holds = new Map<string, number>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get taken(): number {
    return this.#lanes.size;
  }

  get free(): number {
    return this.#capacity - this.#lanes.size;
  }

  /** False when the lane is being served, its endpoint has its share, or asked to be left alone. */
  take(lane: Lane, now: number): boolean {
    const key = keyOf(lane);
    if (this.free <= 0 || this.#lanes.has(key) || this.#isClosed(lane.endpointId, now)) return false;
    if (this.#isHeldBack(key)) return false;
    this.#lanes.set(key, { endpointId: lane.endpointId, overtaken: false, into: null });
    this.#perEndpoint.set(lane.endpointId, (this.#perEndpoint.get(lane.endpointId) ?? 0) + 1);
    return true;
  }

  give(lane: Lane): void {
    if (!this.#lanes.delete(keyOf(lane))) return;
    const left = (this.#perEndpoint.get(lane.endpointId) ?? 1) - 1;
    if (left === 0) this.#perEndpoint.delete(lane.endpointId);
    else this.#perEndpoint.set(lane.endpointId, left);
  }

  /** Endpoints of which nothing more is taken at this moment. */
  closed(now: number): string[] {
    for (const [id, until] of this.#holds) if (until <= now) this.#holds.delete(id);
    const candidates = new Set([...this.#perEndpoint.keys(), ...this.#holds.keys()]);
    if (this.#failingTaken() >= this.#failingCapacity()) for (const id of this.#failing) candidates.add(id);
    return [...candidates].filter((id) => this.#isClosed(id, now));
  }

  learn(endpointId: string, failing: boolean): void {
    if (failing) this.#failing.add(endpointId);
    else this.#failing.delete(endpointId);
  }

  /** Leaves an endpoint alone until then; an earlier wish does not shorten a later one. */
  hold(endpointId: string, until: number): void {
    this.#holds.set(endpointId, Math.max(until, this.#holds.get(endpointId) ?? 0));
  }

  /** When the next endpoint may be asked again; null when none is being left alone. */
  nextOpening(now: number): number | null {
    const times = [...this.#holds.values()].filter((until) => until > now);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** The endpoint was configured anew: nothing learned about it counts, and turns under way end. */
  forget(endpointId: string): void {
    this.#failing.delete(endpointId);
    this.#holds.delete(endpointId);
    for (const lane of this.#lanes.values()) if (lane.endpointId === endpointId) lane.overtaken = true;
  }

  /**
   * Two lanes of an endpoint are one from now on: turns under way in either end after their attempt, and the one
   * lane is not taken before that of `from` is over. Right also when it comes to nothing (a rollback).
   */
  join(from: Lane, into: Lane): void {
    for (const lane of [from, into]) {
      const served = this.#lanes.get(keyOf(lane));
      if (served) served.overtaken = true;
    }
    const served = this.#lanes.get(keyOf(from));
    if (served) served.into = into;
  }

  /** The lane that this one became a part of during its turn. */
  joinedInto(lane: Lane): Lane | null {
    return this.#lanes.get(keyOf(lane))?.into ?? null;
  }

  overtaken(lane: Lane): boolean {
    return this.#lanes.get(keyOf(lane))?.overtaken === true;
  }

  #isHeldBack(key: string): boolean {
    for (const { into } of this.#lanes.values()) if (into && keyOf(into) === key) return true;
    return false;
  }

  #isClosed(endpointId: string, now: number): boolean {
    if ((this.#holds.get(endpointId) ?? 0) > now) return true;
    const taken = this.#perEndpoint.get(endpointId) ?? 0;
    if (!this.#failing.has(endpointId)) return taken >= PER_ENDPOINT;
    return taken >= PER_FAILING_ENDPOINT || this.#failingTaken() >= this.#failingCapacity();
  }

  #failingTaken(): number {
    let taken = 0;
    for (const id of this.#failing) taken += this.#perEndpoint.get(id) ?? 0;
    return taken;
  }

  #failingCapacity(): number {
    return Math.max(1, Math.floor(this.#capacity * FAILING_SHARE));
  }
}
