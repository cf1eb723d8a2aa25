import { proto } from 'baileys';

interface Collection {
  /** Encoded `SyncdPatch`es; the patch at index n makes version n + 1. */
  readonly patches: Uint8Array[];
}

/**
 * The app-state collections of the accounts (archive, mute, contacts, …): encrypted patches the server
 * only numbers and hands out. No snapshots: a client that starts gets every patch from version 0.
 */
export class AppState {
  readonly #collections = new Map<string, Map<string, Collection>>();

  version(user: string, name: string): number {
    return this.#collections.get(user)?.get(name)?.patches.length ?? 0;
  }

  /** Patches made after `version`, oldest first. */
  patchesAfter(user: string, name: string, version: number): readonly Uint8Array[] {
    return this.#collections.get(user)?.get(name)?.patches.slice(version) ?? [];
  }

  /** The number registered again: its keys are lost, and everything begins anew. */
  forget(user: string): void {
    this.#collections.delete(user);
  }

  /**
   * Adds a patch made on `version`. Returns the new version, or `undefined` when the collection has moved
   * on (the client has to sync and try again). The server writes the version into the patch.
   */
  append(user: string, name: string, version: number, patch: Uint8Array): number | undefined {
    if (version !== this.version(user, name)) return undefined;
    let collections = this.#collections.get(user);
    if (!collections) {
      collections = new Map();
      this.#collections.set(user, collections);
    }
    const decoded = proto.SyncdPatch.decode(patch);
    decoded.version = { version: version + 1 };
    const encoded = proto.SyncdPatch.encode(decoded).finish();
    const collection = collections.get(name);
    if (collection) collection.patches.push(encoded);
    else collections.set(name, { patches: [encoded] });
    return version + 1;
  }
}
