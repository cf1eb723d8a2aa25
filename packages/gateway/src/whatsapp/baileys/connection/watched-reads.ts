import { AsyncLocalStorage } from 'node:async_hooks';
import { isStorageFailure } from '../../../storage/failure.ts';
import type { SignalKeyStoreWithTransaction, SignalRepositoryWithLIDStore } from '../library.ts';

/**
 * Says that the store failed where the library says that there is nothing.
 *
 * To it a session that cannot be read is one that is not there (libsignal.js `loadSession`): a message is
 * then undecryptable, a first message of a new session overwrites the one that exists, and a send fetches
 * keys for another. So reads are watched, and whatever came of an operation in which one failed is that
 * failure.
 */
export class WatchedReads {
  /** To be given to the library. */
  readonly keys: SignalKeyStoreWithTransaction;
  readonly #failed = new AsyncLocalStorage<{ failure: unknown }>();

  constructor(keys: SignalKeyStoreWithTransaction) {
    this.keys = {
      ...keys,
      get: async (type, ids) => {
        try {
          return await keys.get(type, ids);
        } catch (error) {
          const watch = this.#failed.getStore();
          if (watch && isStorageFailure(error)) watch.failure ??= error;
          throw error;
        }
      },
    };
  }

  /** Runs an operation; rejects with the store's failure when a read of it failed. */
  during<T>(work: () => Promise<T>): Promise<T> {
    const watch: { failure: unknown } = { failure: null };
    return this.#failed.run(watch, async () => {
      const outcome = await work().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      // Also when it succeeded: a result that was made without what is stored is none.
      if (watch.failure) throw watch.failure;
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    });
  }

  /** The same repository, none of whose operations takes a failed read for an answer. */
  watched(repository: SignalRepositoryWithLIDStore): SignalRepositoryWithLIDStore {
    const { keys } = this;
    return {
      ...repository,
      encryptMessage: (opts) => this.during(() => repository.encryptMessage(opts)),
      decryptMessage: (opts) => this.during(() => repository.decryptMessage(opts)),
      encryptGroupMessage: (opts) => this.during(() => repository.encryptGroupMessage(opts)),
      decryptGroupMessage: (opts) => this.during(() => repository.decryptGroupMessage(opts)),
      // It makes a session where it finds none: undone, when it could not look.
      injectE2ESession: (opts) =>
        keys.transaction(() => this.during(() => repository.injectE2ESession(opts)), opts.jid),
      migrateSession: (from, to) => this.during(() => repository.migrateSession(from, to)),
      validateSession: (jid) => this.during(() => repository.validateSession(jid)),
      getSessionInfo: (jid) => this.during(() => repository.getSessionInfo(jid)),
      hasSenderKey: (opts) => this.during(() => repository.hasSenderKey(opts)),
    };
  }
}
