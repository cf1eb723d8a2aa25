/**
 * libsignal does the jobs of a session one after the other (queue_job.js), but its queues are named by the
 * peer's address alone, for the whole process, and every job runs in the async context of whoever opened the
 * queue. So where two clients of one process talk to the same device, one client's job runs inside the other's
 * key store transaction (Baileys `addTransactionCapability` finds it by `AsyncLocalStorage`) and what it wrote
 * goes to the other's store: counters go back, and messages are dropped as repeated.
 */
import { AsyncResource } from 'node:async_hooks';
import { createRequire } from 'node:module';

/** What libsignal's two classes with queued work have in common. */
interface SessionWork {
  readonly addr: { readonly id: string; toString(): string };
  /** One object for each client. */
  readonly storage: SessionStorage;
}

interface SessionStorage {
  loadSession(address: string): Promise<unknown>;
  storeSession(address: string, record: unknown): Promise<void>;
}

interface Libsignal {
  SessionCipher: {
    prototype: {
      queueJob<T>(this: Pick<SessionWork, 'addr'>, job: () => Promise<T>): Promise<T>;
      [SEPARATED]?: true;
    };
  };
  SessionBuilder: { prototype: { initOutgoing(this: SessionWork, bundle: unknown): Promise<void> } };
}

/** In the registry of the process: the sandbox does the same to the same classes. */
const SEPARATED: unique symbol = Symbol.for('wuts.libsignal.separated') as never;

/** Gives every client of this process queues of its own, and every job the context of its caller. */
export function separateQueues(): void {
  // The copy that Baileys uses, wherever it is installed.
  const fromBaileys = createRequire(createRequire(import.meta.url).resolve('baileys'));
  const { SessionCipher, SessionBuilder } = fromBaileys('libsignal') as Libsignal;
  const cipher = SessionCipher.prototype;
  if (cipher[SEPARATED]) return;
  cipher[SEPARATED] = true;

  const { queueJob } = cipher;
  const queued = <T>({ addr, storage }: SessionWork, job: () => Promise<T>): Promise<T> => {
    const id = `${addr} of client ${clientNumber(storage)}`;
    return queueJob.call({ addr: { id, toString: () => id } }, AsyncResource.bind(job)) as Promise<T>;
  };
  cipher.queueJob = function <T>(this: SessionWork, job: () => Promise<T>): Promise<T> {
    return queued(this, job);
  };

  const builder = SessionBuilder.prototype;
  const { initOutgoing } = builder;
  // It takes its place in the global queue by itself: it gets one where it is alone, once its turn has come.
  builder.initOutgoing = function (bundle) {
    return queued(this, () => initOutgoing.call(alone(this), bundle));
  };
}

const numbers = new WeakMap<SessionStorage, number>();
let clients = 0;

function clientNumber(storage: SessionStorage): number {
  const known = numbers.get(storage);
  if (known !== undefined) return known;
  clients += 1;
  numbers.set(storage, clients);
  return clients;
}

let jobs = 0;

/** The same work under an address that no other has; the store is still asked for the real one. */
function alone(work: SessionWork): SessionWork {
  const { addr, storage } = work;
  const address = addr.toString();
  jobs += 1;
  const unique = `${address} job ${jobs}`;
  const renamed: SessionStorage = Object.assign(Object.create(storage), {
    loadSession: () => storage.loadSession(address),
    storeSession: (_unique: string, record: unknown) => storage.storeSession(address, record),
  });
  return Object.assign(Object.create(work), {
    addr: { id: addr.id, toString: () => unique },
    storage: renamed,
  });
}
