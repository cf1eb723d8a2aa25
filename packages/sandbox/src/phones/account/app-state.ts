import { randomBytes } from 'node:crypto';
import {
  type BinaryNode,
  decodePatches,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type LTHashState,
  newLTHashState,
  proto,
  type WAPatchName,
} from 'baileys';
import type { PhoneConnection } from '../connection.ts';
import type { MediaClient } from '../media/media-client.ts';
import { decryptMedia, encryptMedia } from '../media/media-crypto.ts';
import { type AppStateChange, encodePatch, nameOfEntry, removedEntries } from './app-state-patch.ts';

/** Two clients may write at one moment; the later one fetches and writes again. */
const MAX_ATTEMPTS = 5;
/** A patch of more changes has them in a file. Ours; the limit of the apps is not known. */
const INLINE_CHANGES = 100;

export interface AppStateKey {
  readonly id: Buffer;
  readonly data: Buffer;
}

/**
 * A phone's hand on its account's app state: encrypts changes under the key it shares with its companions
 * and uploads them as patches, each on the version before it (whatsmeow appstate/encode.go, appstate.go
 * SendAppState). The server only numbers them and tells the other devices.
 */
export class PhoneAppState {
  /** Shared with companions; `id` is six bytes, device and counter. */
  readonly key: AppStateKey;
  readonly #connection: PhoneConnection;
  readonly #media: MediaClient;
  readonly #states = new Map<WAPatchName, LTHashState>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connection: PhoneConnection, media: MediaClient, key?: AppStateKey) {
    this.key = key ?? { id: Buffer.concat([Buffer.from([0, 0]), randomBytes(4)]), data: randomBytes(32) };
    this.#connection = connection;
    this.#media = media;
  }

  /** Resolves when the server took the changes, as one patch; one patch after the other. All of one collection. */
  write(...changes: readonly [AppStateChange, ...AppStateChange[]]): Promise<void> {
    const written = this.#turn.then(() => this.#write(changes));
    this.#turn = written.catch(() => undefined);
    return written;
  }

  /** Everything that the collection says by now, whoever wrote it. */
  async entries(name: WAPatchName): Promise<{ index: readonly string[]; action: proto.ISyncActionValue }[]> {
    const patches = await this.#patchesAfter(name, 0);
    // The library keeps the last change of each entry, one that took it away too, does not tell which it was, and
    // empties the patches.
    const removed = removedEntries(patches);
    const { mutationMap } = await decodePatches(
      name,
      patches,
      newLTHashState(),
      async () => ({ keyData: this.key.data }),
      {},
      undefined,
      undefined,
      true,
    );
    return Object.values(mutationMap)
      .filter(({ index }) => !removed.has(nameOfEntry(index, this.key)))
      .map(({ index, syncAction }) => ({ index, action: syncAction.value ?? {} }));
  }

  async #write(changes: readonly [AppStateChange, ...AppStateChange[]]): Promise<void> {
    const { collection: name } = changes[0];
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const before = await this.#fetch(name);
      const { patch, state } = encodePatch(name, changes, this.key, before);
      const sent = changes.length > INLINE_CHANGES ? await this.#inFile(patch) : patch;
      const answer = await this.#sync(name, before.version, [
        { tag: 'patch', attrs: {}, content: proto.SyncdPatch.encode(sent).finish() },
      ]);
      if (answer.attrs.type === 'error') continue;
      this.#states.set(name, state);
      return;
    }
    throw new Error(`the app-state collection ${name} kept changing`);
  }

  /** The mutations on the CDN, and in the patch a reference to them. */
  async #inFile(
    patch: proto.ISyncdPatch & { mutations: proto.ISyncdMutation[] },
  ): Promise<proto.ISyncdPatch> {
    const { mutations, ...rest } = patch;
    const bytes = proto.SyncdMutations.encode({ mutations }).finish();
    const { ciphertext, mediaKey, fileSha256, fileEncSha256, fileLength } = encryptMedia(
      bytes,
      'md-app-state',
    );
    const { directPath } = await this.#media.upload('md-app-state', ciphertext, fileEncSha256);
    return {
      ...rest,
      externalMutations: { mediaKey, directPath, fileSha256, fileEncSha256, fileSizeBytes: fileLength },
    };
  }

  /** The collection as the server has it, other devices' patches included. */
  async #fetch(name: WAPatchName): Promise<LTHashState> {
    const known = this.#states.get(name) ?? newLTHashState();
    const patches = await this.#patchesAfter(name, known.version);
    if (patches.length === 0) return known;
    const { state } = await decodePatches(
      name,
      patches,
      known,
      async () => ({ keyData: this.key.data }),
      {},
      undefined,
      undefined,
      true,
    );
    this.#states.set(name, state);
    return state;
  }

  async #patchesAfter(name: WAPatchName, version: number): Promise<proto.ISyncdPatch[]> {
    const answer = await this.#sync(name, version, undefined);
    const nodes = getBinaryNodeChildren(getBinaryNodeChild(answer, 'patches'), 'patch');
    const patches = nodes.flatMap(({ content }) => (content instanceof Uint8Array ? [content] : []));
    return Promise.all(patches.map((bytes) => this.#inlined(proto.SyncdPatch.decode(bytes))));
  }

  async #inlined(patch: proto.SyncdPatch): Promise<proto.ISyncdPatch> {
    const { externalMutations: file, ...rest } = patch;
    if (!file?.mediaKey || !file.directPath) return patch;
    const ciphertext = await this.#media.fetch('md-app-state', file.directPath);
    const bytes = decryptMedia(ciphertext, 'md-app-state', { mediaKey: file.mediaKey });
    return { ...rest, mutations: proto.SyncdMutations.decode(bytes).mutations };
  }

  async #sync(name: string, version: number, content: BinaryNode[] | undefined): Promise<BinaryNode> {
    const answer = await this.#connection.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:sync:app:state' },
      content: [
        {
          tag: 'sync',
          attrs: {},
          content: [
            {
              tag: 'collection',
              attrs: { name, version: String(version), return_snapshot: 'false' },
              ...(content === undefined ? {} : { content }),
            },
          ],
        },
      ],
    });
    const collection = getBinaryNodeChild(getBinaryNodeChild(answer, 'sync'), 'collection');
    if (!collection) throw new Error(`no answer for the collection ${name}`);
    return collection;
  }
}
