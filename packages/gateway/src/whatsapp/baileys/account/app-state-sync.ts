import type { StateCollection } from '../../port/account.ts';
import type { CredentialStore } from '../../port/credentials.ts';
import type { RequestRefused } from '../../port/errors.ts';
import type { SessionNotice } from '../../port/notices.ts';
import { ALL_WA_PATCH_NAMES, type Socket, type WAPatchName } from '../library.ts';

const KEY_TYPE = 'account-sync';
export const VERSION_KEY_TYPE = 'app-state-sync-version';

/**
 * What a first sync is told by. A collection that was synced when less was told of it begins anew: raise it when
 * `AccountFeed` learns to read more that is kept.
 */
const TOLD = 4;

export interface AppStateSyncParts {
  credentials: CredentialStore;
  /** Collections that a sync has brought up to date since the last call. */
  takeCurrent(): Set<string>;
  /** Collections that the server gave as a whole though we hold a version of them, since the last call. */
  takeSpoilt(): Set<string>;
  /** What the server refused to give of a collection since the last call. */
  takeRefusal(): RequestRefused | null;
  /** Runs work until it succeeds, in order. */
  enqueue(work: () => Promise<void>): void;
  report(notice: SessionNotice): Promise<void>;
  warn(error: unknown): void;
}

/** When the collections of the account's state are fetched: first, anew, and because something changed. */
export class AppStateSync {
  readonly #parts: AppStateSyncParts;
  readonly #synced = new Set<string>();
  readonly #stored = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: AppStateSyncParts) {
    this.#parts = parts;
  }

  /** Collections whose first sync is over: what comes after it is news. */
  get synced(): ReadonlySet<string> {
    return this.#synced;
  }

  /** Collections of which a version is stored; `AppStateTap` adds to them. */
  get stored(): Set<string> {
    return this.#stored;
  }

  async load(): Promise<void> {
    const { credentials } = this.#parts;
    const marks = await credentials.readKeys(KEY_TYPE, [...ALL_WA_PATCH_NAMES]);
    const told = ALL_WA_PATCH_NAMES.filter((name) => marks.get(name)?.[0] === TOLD);
    const outdated = ALL_WA_PATCH_NAMES.filter((name) => marks.has(name) && !told.includes(name));
    await this.#forget(outdated);
    const versions = await credentials.readKeys(VERSION_KEY_TYPE, [...ALL_WA_PATCH_NAMES]);
    for (const name of versions.keys()) this.#stored.add(name);
    for (const name of told) this.#synced.add(name);
  }

  /**
   * Syncs the collections that never were, and brings the others up to date: the library acknowledges a
   * `server_sync` even when its fetch failed. One run at a time; failures are tried again at the next one.
   */
  run(socket: Socket): void {
    this.#inBackground(() => this.#sync(socket, ALL_WA_PATCH_NAMES));
  }

  /** Something in them has changed. */
  update(socket: Socket, names: (string | undefined)[]): void {
    const known = ALL_WA_PATCH_NAMES.filter((name) => names.includes(name));
    if (known.length > 0) this.#inBackground(() => this.#resync(socket, known));
  }

  /**
   * As `run`, for some. Resolves with those that could not be had, once what the others hold has been told. Throws
   * RequestRefused when that is because the server refused one.
   */
  async refresh(socket: Socket, names: readonly StateCollection[], anew: boolean): Promise<string[]> {
    const left = await this.#after(async () => {
      // Rows of the same version, still to be told, would be taken for those that come now.
      if (anew) await this.#told();
      if (anew) await this.#forget(names);
      this.#parts.takeRefusal();
      const missing = await this.#sync(socket, names);
      const refusal = this.#parts.takeRefusal();
      if (missing.length > 0 && refusal) throw refusal;
      return missing;
    });
    await this.#told();
    return left ?? [...names];
  }

  /** A query under way is not waited for: the library answers those of a closed connection after a minute. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when everything that was applied so far is told. */
  #told(): Promise<void> {
    return new Promise((told) => this.#parts.enqueue(async () => told()));
  }

  #inBackground(work: () => Promise<unknown>): void {
    this.#after(work).catch((error: unknown) => {
      if (!this.#stopped) this.#parts.warn(error);
    });
  }

  #after<T>(work: () => Promise<T>): Promise<T | undefined> {
    const done = this.#running.then(() => (this.#stopped ? undefined : work()));
    this.#running = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /** Resolves with those that are not up to date. */
  async #sync(socket: Socket, names: readonly WAPatchName[]): Promise<string[]> {
    const missing = names.filter((name) => !this.#synced.has(name));
    const others = names.filter((name) => this.#synced.has(name));
    const left = others.length > 0 ? await this.#resync(socket, others) : [];
    if (missing.length === 0) return left;
    const current = await this.#fetch(socket, missing, { first: true });
    if (this.#stopped) return [...names];
    for (const name of missing) if (current.has(name)) this.#markSynced(name);
    return [...left, ...missing.filter((name) => !current.has(name))];
  }

  async #fetch(
    socket: Socket,
    names: readonly WAPatchName[],
    { first }: { first: boolean },
  ): Promise<Set<string>> {
    this.#parts.takeCurrent();
    this.#parts.takeSpoilt();
    await socket.resyncAppState(names, first);
    return this.#parts.takeCurrent();
  }

  /**
   * A collection that could not be followed is asked for as a whole (chats.js `forceSnapshotCollections`): it
   * begins anew.
   */
  async #resync(socket: Socket, names: readonly WAPatchName[]): Promise<string[]> {
    const current = await this.#fetch(socket, names, { first: false });
    const given = this.#parts.takeSpoilt();
    const spoilt = names.filter((name) => given.has(name));
    const left = names.filter((name) => !current.has(name) && !given.has(name));
    if (spoilt.length === 0) return left;
    await this.#forget(spoilt);
    return [...left, ...(await this.#sync(socket, spoilt))];
  }

  #markSynced(name: string): void {
    const { credentials, enqueue, report } = this.#parts;
    this.#synced.add(name);
    enqueue(async () => {
      await report({ name: 'app_state.sync_complete', collection: name });
      await credentials.write([{ type: KEY_TYPE, id: name, value: new Uint8Array([TOLD]) }]);
    });
  }

  async #forget(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const types = [KEY_TYPE, VERSION_KEY_TYPE];
    const gone = names.flatMap((id) => types.map((type) => ({ type, id, value: null })));
    await this.#parts.credentials.write(gone);
    for (const name of names) {
      this.#synced.delete(name);
      this.#stored.delete(name);
    }
  }
}
