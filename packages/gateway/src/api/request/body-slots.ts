/** Limits how many large bodies are in memory at a time. Tenants take fair turns, and a body waits for its turn. */
import { AppError } from '../../errors.ts';

/** Of all tenants: each holds its text and its bytes, some 80 MB. */
const MOST = 8;
const MOST_OF_TENANT = 2;
const MOST_WAITING_OF_TENANT = 500;
const RETRY_S = 5;

interface Tenant {
  active: number;
  waiting: (() => void)[];
}

export class BodySlots {
  /** In the order in which they are served next. */
  readonly #tenants = new Map<string, Tenant>();
  #active = 0;

  /** Resolves when the tenant may read one more; call the result when it is done. Throws RATE_LIMITED. */
  async take(tenantId: string): Promise<() => void> {
    const tenant = this.#tenants.get(tenantId) ?? { active: 0, waiting: [] };
    this.#tenants.set(tenantId, tenant);
    if (tenant.waiting.length >= MOST_WAITING_OF_TENANT) {
      throw new AppError('RATE_LIMITED', {
        message: 'too many large requests at a time',
        retryAfterSeconds: RETRY_S,
      });
    }
    await new Promise<void>((resolve) => {
      tenant.waiting.push(resolve);
      this.#next();
    });
    let given = false;
    return () => {
      if (given) return;
      given = true;
      tenant.active -= 1;
      this.#active -= 1;
      if (tenant.active === 0 && tenant.waiting.length === 0) this.#tenants.delete(tenantId);
      this.#next();
    };
  }

  #next(): void {
    for (const [id, tenant] of this.#tenants) {
      if (this.#active >= MOST) return;
      if (tenant.active >= MOST_OF_TENANT) continue;
      const start = tenant.waiting.shift();
      if (!start) continue;
      tenant.active += 1;
      this.#active += 1;
      // Whoever was served goes behind the others.
      this.#tenants.delete(id);
      this.#tenants.set(id, tenant);
      start();
    }
  }
}
