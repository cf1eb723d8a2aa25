import { ALL_WA_PATCH_NAMES, type BinaryNode, proto, type Socket } from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';

export interface AppStateAnswersParts {
  /** The content of a file that the account's phone or the server put on the media hosts. */
  read(file: proto.IExternalBlobReference): Promise<Uint8Array>;
  /** A snapshot of this collection came: whether there is something that it would have to take the place of. */
  replaces(collection: string): boolean;
  /** Called with each answer, before the library has it. */
  see(answer: BinaryNode): void;
  failed(error: unknown): void;
  /** A question was refused, of the state or another one. */
  refused(): void;
}

/**
 * Completes the server's answers about app state by the files that they refer to: snapshots, and patches that
 * are too large for a stanza (whatsmeow appstate/decode.go ParsePatchList). The library would ask one fixed
 * host for them, check no hash, and give up all collections when one file is missing, or one patch unreadable
 * (chat-utils.js `extractSyncdPatches`): here the others go on.
 *
 * A snapshot becomes the patch that makes it out of nothing: its records are set one by one, which gives the
 * same state (the library does not look at MACs of patches, and our own reading checks each record). Where
 * there is something already, it is thrown away first (`AppStateSync`), and the snapshot asked for once more.
 */
export class AppStateAnswers {
  readonly #parts: AppStateAnswersParts;

  constructor(parts: AppStateAnswersParts) {
    this.#parts = parts;
  }

  attach({ ws }: Pick<Socket, 'ws'>): void {
    ws.prependListener('frame', (frame: unknown) => {
      if (typeof frame !== 'object' || frame === null || !('tag' in frame)) return;
      const answer = frame as BinaryNode;
      if (answer.tag === 'iq' && answer.attrs.type === 'error') this.#parts.refused();
      fillUp(answer);
      const collections = collectionsIn(answer);
      if (collections.every(isWhole)) {
        if (collections.length > 0) this.#parts.see(answer);
        return;
      }
      const held = { ...answer, attrs: { ...answer.attrs } };
      // The library looks for who waits by the id once its listeners have returned (socket.js onMessageReceived).
      answer.attrs = {};
      void this.#completed(held).then((completed) => {
        this.#parts.see(completed);
        ws.emit(`TAG:${held.attrs.id}`, completed);
      });
    });
  }

  async #completed(answer: BinaryNode): Promise<BinaryNode> {
    const content = await Promise.all(
      childrenOf(answer).map(async (sync) => {
        if (sync.tag !== 'sync') return sync;
        const collections = childrenOf(sync)
          .filter(isKnown)
          .map((collection) => this.#collection(collection));
        return { ...sync, content: await Promise.all(collections) };
      }),
    );
    return { ...answer, content };
  }

  async #collection(collection: BinaryNode): Promise<BinaryNode> {
    if (isWhole(collection)) return collection;
    try {
      const snapshot = bytesOf(snapshotIn(collection));
      if (snapshot && this.#parts.replaces(collection.attrs.name ?? '')) return withoutContent(collection);
      const patches: Uint8Array[] = snapshot ? [await this.#fromSnapshot(snapshot)] : [];
      for (const patch of patchesIn(collection)) patches.push(await this.#inlined(patch));
      const nodes = patches.map((content) => ({ tag: 'patch', attrs: {}, content }));
      return { ...collection, content: [{ tag: 'patches', attrs: {}, content: nodes }] };
    } catch (error) {
      this.#parts.failed(error);
      return withoutContent(collection);
    }
  }

  async #fromSnapshot(reference: Uint8Array): Promise<Uint8Array> {
    const file = await this.#parts.read(decodeProtobuf(proto.ExternalBlobReference, reference));
    const { version, records, mac, keyId } = decodeProtobuf(proto.SyncdSnapshot, file);
    const { SET } = proto.SyncdMutation.SyncdOperation;
    const mutations = records.map((record) => ({ operation: SET, record }));
    return proto.SyncdPatch.encode({
      version: version ?? null,
      mutations,
      snapshotMac: mac ?? null,
      keyId: keyId ?? null,
    }).finish();
  }

  async #inlined(bytes: Uint8Array): Promise<Uint8Array> {
    const patch = decodeProtobuf(proto.SyncdPatch, bytes);
    if (!patch.externalMutations) return bytes;
    const file = await this.#parts.read(patch.externalMutations);
    const { mutations } = decodeProtobuf(proto.SyncdMutations, file);
    const { externalMutations: _, ...rest } = patch;
    return proto.SyncdPatch.encode({ ...rest, mutations: [...patch.mutations, ...mutations] }).finish();
  }
}

/** The library asks on and on for what is not in the answer (chats.js `resyncAppState`). */
function fillUp(answer: BinaryNode): void {
  const sync = childrenOf(answer).find(({ tag }) => tag === 'sync');
  if (answer.tag !== 'iq' || answer.attrs.type !== 'result' || !sync) return;
  const collections = childrenOf(sync);
  const missing = ALL_WA_PATCH_NAMES.filter((name) => !collections.some(({ attrs }) => attrs.name === name));
  const absent = missing.map((name) => withoutContent({ tag: 'collection', attrs: { name } }));
  sync.content = [...collections, ...absent];
}

/** The collection is not there this time: as it was, it is asked for again. A refusal of ours stays one. */
function withoutContent(collection: BinaryNode): BinaryNode {
  const { tag, attrs } = collection;
  const content = childrenOf(collection).filter((child) => child.tag === 'error');
  return { tag, attrs: { ...attrs, type: 'error', has_more_patches: 'false' }, content };
}

function collectionsIn(answer: BinaryNode): BinaryNode[] {
  if (answer.tag !== 'iq' || answer.attrs.type !== 'result') return [];
  return childrenOf(answer)
    .filter(({ tag }) => tag === 'sync')
    .flatMap(childrenOf)
    .filter(({ tag }) => tag === 'collection');
}

/** True for what can go on to the library as it is: it refers to no file, and each patch can be read. */
function isWhole(collection: BinaryNode): boolean {
  return (
    isKnown(collection) &&
    bytesOf(snapshotIn(collection)) === null &&
    patchesIn(collection).every(isWholePatch)
  );
}

/** The library gives up all collections over one that it did not ask for (chats.js `resyncAppState`). */
function isKnown({ tag, attrs }: BinaryNode): boolean {
  return tag === 'collection' && ALL_WA_PATCH_NAMES.some((name) => name === attrs.name);
}

function isWholePatch(patch: Uint8Array): boolean {
  try {
    return decodeProtobuf(proto.SyncdPatch, patch).externalMutations == null;
  } catch {
    return false;
  }
}

function snapshotIn(collection: BinaryNode): BinaryNode | undefined {
  return childrenOf(collection).find(({ tag }) => tag === 'snapshot');
}

/** Within `<patches>`, or beside it (Baileys chat-utils.js extractSyncdPatches). */
function patchesIn(collection: BinaryNode): Uint8Array[] {
  const patches = childrenOf(collection).find(({ tag }) => tag === 'patches') ?? collection;
  return childrenOf(patches).flatMap((node) => (node.tag === 'patch' ? (bytesOf(node) ?? []) : []));
}

/** The library's own look-up keeps an index of a node's children, which would outlive what is changed here. */
function childrenOf(node: BinaryNode): BinaryNode[] {
  return Array.isArray(node.content) ? node.content : [];
}

function bytesOf(node: BinaryNode | undefined): Uint8Array | null {
  return node?.content instanceof Uint8Array && node.content.length > 0 ? node.content : null;
}
