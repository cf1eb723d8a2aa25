import { randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { FairSlots } from '../quotas/fair-slots.ts';

/**
 * One of OWASP's equal choices for scrypt: 32 MiB and some 0.2 s per password. The one with
 * 128 MiB would let four requests at once take half a gigabyte.
 */
const COST = { N: 2 ** 15, r: 8, p: 3 };
const KEY_LENGTH = 32;

/**
 * One at a time, whoever asks: scrypt works in libuv's pool of four threads, which also puts the database's
 * log on the disk. The pool is the process's, and so is the queue.
 */
const TURNS = new FairSlots({ capacity: 1, waitingPerTenant: 10, what: 'passwords' });

/**
 * `scrypt$N$r$p$salt$hash`, base64: carries its own cost, so that the cost can rise later. Takes its turn among
 * the tenants' passwords; throws QUOTA_EXCEEDED when too many of `tenantId` wait.
 */
export async function hashPassword(password: string, tenantId: string, cost = COST): Promise<string> {
  const salt = randomBytes(16);
  const hash = await TURNS.run({ tenantId }, () => derive(password, salt, KEY_LENGTH, cost));
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), hash.toString('base64')].join('$');
}

function derive(password: string, salt: Buffer, length: number, cost: typeof COST): Promise<Buffer> {
  const options: ScryptOptions = { ...cost, maxmem: 256 * cost.N * cost.r };
  return new Promise((resolve, reject) => {
    // The same characters typed on another system may be composed differently.
    scrypt(password.normalize('NFKC'), salt, length, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
