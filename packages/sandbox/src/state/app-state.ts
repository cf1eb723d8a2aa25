import { proto } from 'baileys';

/** Where patches and snapshots lie that are too large for a stanza. */
export interface StateFiles {
  /** An encoded `ExternalBlobReference` to the bytes. */
  keep(bytes: Uint8Array): Uint8Array;
  read(reference: proto.IExternalBlobReference): Uint8Array;
}

interface Collection {
  /** Encoded `SyncdPatch`es; the one at index n makes version n + 1. */
  readonly patches: Uint8Array[];
  /** What is set by now, by index MAC. */
  readonly records: Map<string, proto.ISyncdRecord>;
  /** Of the last patch: a snapshot is vouched for by it. */
  mac: Pick<proto.ISyncdPatch, 'snapshotMac' | 'keyId'>;
  /** Encoded references by version: the same snapshot is not put up twice. */
  readonly snapshots: Map<number, Uint8Array>;
}

export type KeptAppState = ReadonlyMap<string, ReadonlyMap<string, Collection>>;

/** A client that begins gets fewer entries than this as the patches that made them. */
const SNAPSHOT_RECORDS = 20;

/**
 * The app-state collections of the accounts (archive, mute, contacts, …): encrypted patches that the server
 * numbers and hands out, and what they come to, as a snapshot. Simplified: of few entries there is no snapshot.
 */
export class AppState {
  readonly #collections = new Map<string, Map<string, Collection>>();
  readonly #files: () => StateFiles | undefined;
  /** Patches that were made on a version that was not the last one. */
  conflicts = 0;

  constructor(files: () => StateFiles | undefined = () => undefined) {
    this.#files = files;
  }

  kept(): KeptAppState {
    return this.#collections;
  }

  restore(kept: KeptAppState): void {
    for (const [user, collections] of kept) this.#collections.set(user, new Map(collections));
  }

  version(user: string, name: string): number {
    return this.#collections.get(user)?.get(name)?.patches.length ?? 0;
  }

  /** Patches made after `version`, oldest first. */
  patchesAfter(user: string, name: string, version: number): readonly Uint8Array[] {
    return this.#collections.get(user)?.get(name)?.patches.slice(version) ?? [];
  }

  /** A reference to the file of everything that is set; undefined where the patches do. */
  snapshot(user: string, name: string): Uint8Array | undefined {
    const collection = this.#collections.get(user)?.get(name);
    const files = this.#files();
    if (!collection || !files || collection.records.size < SNAPSHOT_RECORDS) return undefined;
    const version = collection.patches.length;
    const made = collection.snapshots.get(version);
    if (made) return made;
    const { snapshotMac, keyId } = collection.mac;
    const snapshot = {
      version: { version },
      records: [...collection.records.values()],
      mac: snapshotMac ?? null,
      keyId: keyId ?? null,
    };
    const reference = files.keep(proto.SyncdSnapshot.encode(snapshot).finish());
    collection.snapshots.set(version, reference);
    return reference;
  }

  /** The number registered again: its keys are lost, and everything begins anew. */
  forget(user: string): void {
    this.#collections.delete(user);
  }

  /** Adds bytes that need not be a patch, as a server that does not look into patches; returns the new version. */
  appendUnread(user: string, name: string, patch: Uint8Array): number {
    this.#collection(user, name).patches.push(patch);
    return this.version(user, name);
  }

  /**
   * Adds a patch made on `version`. Returns the new version, or `undefined` when the collection has moved
   * on (the client has to sync and try again). The server writes the version into the patch.
   */
  append(user: string, name: string, version: number, patch: Uint8Array): number | undefined {
    if (version !== this.version(user, name)) {
      this.conflicts += 1;
      return undefined;
    }
    const collection = this.#collection(user, name);
    const decoded = proto.SyncdPatch.decode(patch);
    for (const mutation of this.#mutations(decoded)) apply(collection.records, mutation);
    collection.mac = { snapshotMac: decoded.snapshotMac ?? null, keyId: decoded.keyId ?? null };
    decoded.version = { version: version + 1 };
    collection.patches.push(proto.SyncdPatch.encode(decoded).finish());
    return version + 1;
  }

  #mutations({ mutations, externalMutations }: proto.ISyncdPatch): proto.ISyncdMutation[] {
    const files = this.#files();
    if (!externalMutations || !files) return mutations ?? [];
    return proto.SyncdMutations.decode(files.read(externalMutations)).mutations;
  }

  #collection(user: string, name: string): Collection {
    const collections = this.#collections.get(user) ?? new Map<string, Collection>();
    this.#collections.set(user, collections);
    const collection = collections.get(name) ?? {
      patches: [],
      records: new Map(),
      mac: {},
      snapshots: new Map(),
    };
    collections.set(name, collection);
    return collection;
  }
}

function apply(records: Map<string, proto.ISyncdRecord>, { operation, record }: proto.ISyncdMutation): void {
  const index = Buffer.from(record?.index?.blob ?? []).toString('base64');
  if (operation === proto.SyncdMutation.SyncdOperation.REMOVE) records.delete(index);
  else if (record) records.set(index, record);
}
