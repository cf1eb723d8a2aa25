/** `Idempotency-Key`: a request that is repeated sends once. */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { AppError, invalidField } from '../errors.ts';
import { isStorageFailure } from '../storage/failure.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { Creation, CreationAttempt } from './creations.ts';
import type { Claim, SendAttempt } from './delivery.ts';

export interface IdempotentAnswer {
  status: number;
  body: Record<string, unknown>;
  /** True when it is the answer of an earlier request. */
  replayed: boolean;
}

type Answer = Pick<IdempotentAnswer, 'status' | 'body'>;
type Work = (attempt: KeyedAttempt) => Promise<Answer>;

/** How long a key is remembered. */
const KEY_LIFETIME_MS = 24 * 3600_000;
const SWEEP_EVERY_MS = 3600_000;
/** Printable ASCII, as header values are; UUIDs fit, novels do not. */
const KEY = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/** The attempt of a request with a key. */
export interface KeyedAttempt extends SendAttempt, CreationAttempt {
  /** 32 hexadecimal digits, the same for all attempts: what the request makes for later is named by it. */
  readonly ticket: string;
  /** An earlier attempt has begun, and may have made something. */
  readonly resumed: boolean;
}

/**
 * Keys and first answers, in the database. A refusal before anything left or was stored gives the key free
 * again. Once an id was claimed for a stanza it stays claimed, whatever became of it: the next request with
 * the key sends under that id, which WhatsApp's clients show once, or tells what became of it. The same holds
 * for what is stored under the key's ticket, and for what WhatsApp was asked to make (`creations.ts`).
 *
 * Requests that run at the same time are matched within this process: several processes on one database
 * need a lease on the row.
 */
export class Idempotency {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #running = new Map<string, { hash: string; answer: Promise<Answer> }>();
  #sweptAt = 0;

  constructor(parts: { db: Kysely<Database>; clock: Clock }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
  }

  /**
   * Runs `work` unless `key` has an answer already. The same key with another request (`hash`) is
   * IDEMPOTENCY_CONFLICT. A twin of a running request waits for its outcome.
   */
  async run(caller: Caller, key: string, hash: string, work: Work): Promise<IdempotentAnswer> {
    if (!KEY.test(key)) throw invalidField('Idempotency-Key', 'must be 1 to 255 printable ASCII characters');
    const id = JSON.stringify([caller.tenantId, caller.userId, key]);
    const twin = this.#running.get(id);
    if (twin) {
      if (twin.hash !== hash) throw new AppError('IDEMPOTENCY_CONFLICT');
      return { ...(await twin.answer), replayed: true };
    }
    // Registered before the first await, so that a twin in the same tick finds it.
    const answer = this.#firstOrStored(caller, key, hash, work).finally(() => this.#running.delete(id));
    this.#running.set(id, { hash, answer });
    return answer;
  }

  async #firstOrStored(caller: Caller, key: string, hash: string, work: Work): Promise<IdempotentAnswer> {
    const now = this.#clock.now();
    await this.#sweep(now);
    const stored = await this.#row(caller, key);
    const live = stored && stored.created_at > now - KEY_LIFETIME_MS ? stored : null;
    if (live && live.request_hash !== hash) throw new AppError('IDEMPOTENCY_CONFLICT');
    if (live && live.status !== null && live.response !== null) {
      const body = JSON.parse(live.response) as Record<string, unknown>;
      return { status: live.status, body, replayed: true };
    }
    if (live) return this.#attempt(caller, key, work, { ...live, resumed: true });
    if (stored) await this.#delete(caller, key);
    const made = { ticket: randomBytes(16).toString('hex'), claim: null };
    await this.#db
      .insertInto('idempotency_keys')
      .values({
        tenant_id: caller.tenantId,
        user_id: caller.userId,
        key,
        request_hash: hash,
        status: null,
        response: null,
        created_at: now,
        ...made,
      })
      .execute();
    return this.#attempt(caller, key, work, { ...made, resumed: false });
  }

  async #attempt(
    caller: Caller,
    key: string,
    work: Work,
    row: { ticket: string; claim: string | null; resumed: boolean },
  ): Promise<IdempotentAnswer> {
    const { claimed, creation } = claimsOf(row.claim);
    let left = row.claim !== null;
    const attempt: KeyedAttempt = {
      ticket: row.ticket,
      resumed: row.resumed,
      claimed,
      creation,
      claim: async (claim) => {
        left = true;
        await this.#update(caller, key, { claim: JSON.stringify(claim) });
      },
      creating: async (asked) => {
        left = true;
        await this.#update(caller, key, { claim: JSON.stringify({ creation: asked }) });
      },
      notMade: async () => {
        await this.#update(caller, key, { claim: null });
        left = false;
      },
    };
    try {
      const answer = await work(attempt);
      left = true;
      await this.#update(caller, key, { status: answer.status, response: JSON.stringify(answer.body) });
      return { ...answer, replayed: false };
    } catch (error) {
      // After a failure of the store nobody knows what was stored.
      const refused = error instanceof AppError && !isStorageFailure(error);
      if (!left && refused) await this.#delete(caller, key);
      throw error;
    }
  }

  async #row(caller: Caller, key: string) {
    return this.#db
      .selectFrom('idempotency_keys')
      .select(['request_hash', 'ticket', 'claim', 'status', 'response', 'created_at'])
      .where('tenant_id', '=', caller.tenantId)
      .where('user_id', '=', caller.userId)
      .where('key', '=', key)
      .executeTakeFirst();
  }

  async #update(
    caller: Caller,
    key: string,
    values: { claim: string | null } | { status: number; response: string },
  ): Promise<void> {
    await this.#db
      .updateTable('idempotency_keys')
      .set(values)
      .where('tenant_id', '=', caller.tenantId)
      .where('user_id', '=', caller.userId)
      .where('key', '=', key)
      .execute();
  }

  async #delete(caller: Caller, key: string): Promise<void> {
    await this.#db
      .deleteFrom('idempotency_keys')
      .where('tenant_id', '=', caller.tenantId)
      .where('user_id', '=', caller.userId)
      .where('key', '=', key)
      .execute();
  }

  /** Forgets keys past their time, of all tenants; at most once an hour. */
  async #sweep(now: number): Promise<void> {
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = now;
    await this.#db
      .deleteFrom('idempotency_keys')
      .where('created_at', '<=', now - KEY_LIFETIME_MS)
      .execute();
  }
}

/** What an earlier attempt has claimed: the id of a message, or what it asked WhatsApp to make. */
function claimsOf(claim: string | null): { claimed: Claim | null; creation: Creation | null } {
  if (claim === null) return { claimed: null, creation: null };
  const read = JSON.parse(claim) as Claim | { creation: Creation };
  return 'creation' in read ? { claimed: null, creation: read.creation } : { claimed: read, creation: null };
}

/** SHA-256, hex, of a request: two JSON bodies that differ in the order of members are the same. */
export function requestHash(parts: {
  method: string;
  path: string;
  device: string | null;
  body: unknown;
}): string {
  const hash = createHash('sha256');
  hashValue(hash, [parts.method, parts.path, parts.device, parts.body ?? null]);
  return hash.digest('hex');
}

/** No request nests deeper: the edge reads 64 levels, and the parts of the request and a value lie around them. */
const DEEPEST_BODY = 66;

/** Member by member, so that a large base64 value is not copied into one larger text. */
function hashValue(hash: Hash, value: unknown, depth = 0): void {
  if (depth > DEEPEST_BODY) throw invalidField('body', `must not nest deeper than ${DEEPEST_BODY} levels`);
  if (Array.isArray(value)) {
    hash.update(`[${value.length}:`);
    for (const each of value) hashValue(hash, each, depth + 1);
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    hash.update(`{${entries.length}:`);
    for (const [name, each] of entries) {
      hashValue(hash, name, depth + 1);
      hashValue(hash, each, depth + 1);
    }
  } else if (typeof value === 'string') {
    hash.update(`"${value.length}:`).update(value);
  } else {
    hash.update(`${typeof value}:${String(value)};`);
  }
}
