/**
 * What is done with a session is done one after the other: each client has its own order with each address, since
 * several clients of one process may talk to the same device. A job runs in the async context of who asked for it, so
 * that a transaction which the storage finds by `AsyncLocalStorage` is the caller's.
 */
const clients = new WeakMap<object, Map<string, Promise<unknown>>>();

/** Does the job once all before it are done, whatever came of them. `storage` stands for the client. */
export async function inTurn<T>(storage: object, address: string, job: () => Promise<T>): Promise<T> {
  const turns = clients.get(storage) ?? new Map<string, Promise<unknown>>();
  clients.set(storage, turns);
  const before = turns.get(address) ?? Promise.resolve();
  // A continuation runs in the context of who made it.
  const mine = before.then(job, job);
  turns.set(address, mine);
  try {
    return await mine;
  } finally {
    if (turns.get(address) === mine) turns.delete(address);
  }
}
