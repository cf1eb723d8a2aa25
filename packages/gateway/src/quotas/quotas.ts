/** How many lasting things a tenant may have. */
import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { Database } from '../storage/schema.ts';

/** Things that stay until somebody deletes them, with their tables. */
const STOCK = {
  devices: { table: 'devices', text: 'devices' },
  users: { table: 'users', text: 'users' },
  webhookEndpoints: { table: 'webhook_endpoints', text: 'webhook endpoints' },
} as const;

export type Stock = keyof typeof STOCK;
export type StockLimits = Record<Stock, number>;

export interface Usage {
  used: number;
  limit: number;
}

/** What rooms ask before they insert. */
export interface StockPlaces {
  /** In the transaction of the insert. Throws QUOTA_EXCEEDED when the tenant may have no more. */
  demand(trx: Kysely<Database>, tenantId: string, stock: Stock): Promise<void>;
}

/** For the command line and for tests of a room by itself. */
export const noQuotas: StockPlaces = { demand: async () => undefined };

export class Quotas implements StockPlaces {
  readonly #limits: StockLimits;

  constructor(limits: StockLimits) {
    this.#limits = limits;
  }

  async demand(trx: Kysely<Database>, tenantId: string, stock: Stock): Promise<void> {
    const limit = this.#limits[stock];
    if ((await count(trx, tenantId, stock)) < limit) return;
    throw new AppError('QUOTA_EXCEEDED', {
      message: `a tenant may have ${limit} ${STOCK[stock].text}: delete some, or ask the operator for more`,
    });
  }

  /** What the tenant has of each, and may have. */
  async usage(db: Kysely<Database>, tenantId: string): Promise<Record<Stock, Usage>> {
    const of = async (stock: Stock): Promise<Usage> => ({
      used: await count(db, tenantId, stock),
      limit: this.#limits[stock],
    });
    return {
      devices: await of('devices'),
      users: await of('users'),
      webhookEndpoints: await of('webhookEndpoints'),
    };
  }
}

/** Reads as many rows as the quota allows, by an index. */
async function count(db: Kysely<Database>, tenantId: string, stock: Stock): Promise<number> {
  const { total } = await db
    .selectFrom(STOCK[stock].table)
    .select(({ fn }) => fn.countAll<number | string>().as('total'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow();
  return Number(total);
}
