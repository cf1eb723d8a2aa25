/** Requests of a tenant: how many at a time, and how many a second. */
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';

export interface TrafficLimits {
  /** Requests that wait for their answer, long polls and streams included. */
  requestsInFlight: number;
  /** In the long run; twice as many may come at once after a pause. */
  requestsPerSecond: number;
}

interface TenantTraffic {
  inFlight: number;
  /** Requests that may come now. */
  tokens: number;
  at: number;
}

const RETRY_S = 1;
const BURST_SECONDS = 2;
/** Tenants that did not call for so long are forgotten: their tokens are all there again. */
const FORGET_MS = 60_000;

export class Admission {
  readonly #limits: TrafficLimits;
  readonly #clock: Clock;
  readonly #tenants = new Map<string, TenantTraffic>();
  #sweptAt = 0;

  constructor(limits: TrafficLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Lets a request in; call the returned function once the request is over. Throws QUOTA_EXCEEDED. */
  enter(tenantId: string): () => void {
    const { requestsInFlight, requestsPerSecond } = this.#limits;
    const traffic = this.#traffic(tenantId);
    if (traffic.inFlight >= requestsInFlight) {
      throw exceeded(`${requestsInFlight} requests of this tenant are under way already`);
    }
    if (traffic.tokens < 1) throw exceeded(`more than ${requestsPerSecond} requests a second`);
    traffic.tokens -= 1;
    traffic.inFlight += 1;
    let over = false;
    return () => {
      if (!over) traffic.inFlight -= 1;
      over = true;
    };
  }

  /** Requests of the tenant that are under way. */
  inFlight(tenantId: string): number {
    return this.#tenants.get(tenantId)?.inFlight ?? 0;
  }

  get limits(): TrafficLimits {
    return this.#limits;
  }

  #traffic(tenantId: string): TenantTraffic {
    const now = this.#clock.monotonic();
    this.#sweep(now);
    const most = this.#limits.requestsPerSecond * BURST_SECONDS;
    const traffic = this.#tenants.get(tenantId) ?? { inFlight: 0, tokens: most, at: now };
    const gained = ((now - traffic.at) / 1000) * this.#limits.requestsPerSecond;
    traffic.tokens = Math.min(most, traffic.tokens + gained);
    traffic.at = now;
    this.#tenants.set(tenantId, traffic);
    return traffic;
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < FORGET_MS) return;
    this.#sweptAt = now;
    for (const [id, { inFlight, at }] of this.#tenants) {
      if (inFlight === 0 && now - at > FORGET_MS) this.#tenants.delete(id);
    }
  }
}

function exceeded(message: string): AppError {
  return new AppError('QUOTA_EXCEEDED', { message, retryAfterSeconds: RETRY_S });
}
