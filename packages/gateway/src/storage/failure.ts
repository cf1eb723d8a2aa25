/** Tells failures of the store, which may work later, from failures that lie in what is written. */

/**
 * `busy`: another process holds the lock. `full`: no room. `io`: the disk failed. `damaged`: what is stored
 * cannot be read. `read_only`, `cannot_open`: rights, mounts, handles. `closed`: the connection is gone.
 */
export type StorageFailureKind = 'busy' | 'full' | 'io' | 'damaged' | 'read_only' | 'cannot_open' | 'closed';

/** Every failure of the store itself is one of these, whatever stores underneath. `cause` is its own error. */
export class StorageFailure extends Error {
  readonly kind: StorageFailureKind;

  constructor(kind: StorageFailureKind, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'StorageFailure';
    this.kind = kind;
  }
}

/** Causes may be anything, also a circle. */
const DEEPEST_CAUSE = 10;

/**
 * The store's failure that `error` is or was caused by, null for every other error. Who handles an error
 * must ask this first: the store's failure is never a verdict on the message or the request, and what failed
 * may be tried again.
 */
export function storageFailure(error: unknown): StorageFailure | null {
  let each = error;
  for (let depth = 0; depth < DEEPEST_CAUSE && each instanceof Error; depth += 1) {
    if (each instanceof StorageFailure) return each;
    each = each.cause;
  }
  return null;
}

export function isStorageFailure(error: unknown): boolean {
  return storageFailure(error) !== null;
}
