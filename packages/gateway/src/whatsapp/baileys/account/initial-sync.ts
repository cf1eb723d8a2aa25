import type { CredentialStore } from '../../port/credentials.ts';
import type { SessionNotice } from '../../port/notices.ts';
import { ALL_WA_PATCH_NAMES, type Socket, type WAPatchName } from '../library.ts';

const KEY_TYPE = 'account-sync';

export interface InitialSyncParts {
  credentials: CredentialStore;
  /** Collections that a sync has brought up to date since the last call. */
  takeCurrent(): Set<string>;
  /** Runs work until it succeeds, in order. */
  enqueue(work: () => Promise<void>): void;
  report(notice: SessionNotice): Promise<void>;
  warn(error: unknown): void;
}

export class InitialSync {
  readonly #parts: InitialSyncParts;
  readonly #synced = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: InitialSyncParts) {
    this.#parts = parts;
  }

  /** Collections whose first sync is over: what comes after it is news. */
  get synced(): ReadonlySet<string> {
    return this.#synced;
  }

  async load(): Promise<void> {
    const marks = await this.#parts.credentials.readKeys(KEY_TYPE, [...ALL_WA_PATCH_NAMES]);
    for (const name of marks.keys()) this.#synced.add(name);
  }

  /**
   * Syncs the collections that never were, and brings the others up to date: the library acknowledges a
   * `server_sync` even when its fetch failed. One run at a time; failures are tried again at the next one.
   */
  run(socket: Socket): void {
    this.#then(() => this.#sync(socket));
  }

  /** Brings collections up to date that the library does not. */
  update(socket: Socket, names: (string | undefined)[]): void {
    const known = ALL_WA_PATCH_NAMES.filter((name) => names.includes(name));
    this.#then(() => socket.resyncAppState(known, false));
  }

  /** A query under way is not waited for: the library answers those of a closed connection after a minute. */
  stop(): void {
    this.#stopped = true;
  }

  #then(work: () => Promise<void>): void {
    this.#running = this.#running
      .then(() => (this.#stopped ? undefined : work()))
      .catch((error: unknown) => {
        if (!this.#stopped) this.#parts.warn(error);
      });
  }

  async #sync(socket: Socket): Promise<void> {
    const { takeCurrent } = this.#parts;
    const missing: WAPatchName[] = ALL_WA_PATCH_NAMES.filter((name) => !this.#synced.has(name));
    const others = ALL_WA_PATCH_NAMES.filter((name) => this.#synced.has(name));
    if (others.length > 0) await socket.resyncAppState(others, false);
    if (missing.length === 0) return;
    takeCurrent();
    await socket.resyncAppState(missing, true);
    if (this.#stopped) return;
    const current = takeCurrent();
    for (const name of missing) if (current.has(name)) this.#markSynced(name);
  }

  #markSynced(name: string): void {
    const { credentials, enqueue, report } = this.#parts;
    this.#synced.add(name);
    enqueue(async () => {
      await report({ name: 'app_state.sync_complete', collection: name });
      await credentials.write([{ type: KEY_TYPE, id: name, value: new Uint8Array([1]) }]);
    });
  }
}
