import { proto } from 'baileys';

/**
 * The app-state collections of the accounts (archive, mute, contacts, …): encrypted patches the server
 * only numbers and hands out. No snapshots: a client that starts gets every patch from version 0.
 */
export class AppState {
  /** Encoded `SyncdPatch`es by account and collection; the patch at index n makes version n + 1. */
  readonly #collections = new Map<string, Map<string, Uint8Array[]>>();

  version(user: string, name: string): number {
    return this.#collections.get(user)?.get(name)?.length ?? 0;
  }

  /** Patches made after `version`, oldest first. */
  patchesAfter(user: string, name: string, version: number): readonly Uint8Array[] {
    return this.#collections.get(user)?.get(name)?.slice(version) ?? [];
  }

  /** The number registered again: its keys are lost, and everything begins anew. */
  forget(user: string): void {
    this.#collections.delete(user);
  }

  /** Adds bytes that need not be a patch, as a server that does not look into patches; returns the new version. */
  appendUnread(user: string, name: string, patch: Uint8Array): number {
    this.#collection(user, name).push(patch);
    return this.version(user, name);
  }

  /**
   * Adds a patch made on `version`. Returns the new version, or `undefined` when the collection has moved
   * on (the client has to sync and try again). The server writes the version into the patch.
   */
  append(user: string, name: string, version: number, patch: Uint8Array): number | undefined {
    if (version !== this.version(user, name)) return undefined;
    const decoded = proto.SyncdPatch.decode(patch);
    decoded.version = { version: version + 1 };
    this.#collection(user, name).push(proto.SyncdPatch.encode(decoded).finish());
    return version + 1;
  }

  #collection(user: string, name: string): Uint8Array[] {
    const collections = this.#collections.get(user) ?? new Map<string, Uint8Array[]>();
    this.#collections.set(user, collections);
    const patches = collections.get(name) ?? [];
    collections.set(name, patches);
    return patches;
  }
}
