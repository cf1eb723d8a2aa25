import { randomBytes } from 'node:crypto';
import {
  type BinaryNode,
  decodePatches,
  encodeSyncdPatch,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type LTHashState,
  newLTHashState,
  proto,
  type WAPatchName,
} from 'baileys';
import type { PhoneConnection } from './connection.ts';

/** One change of the account's state, as a client writes it. */
export interface AppStateChange {
  readonly collection: WAPatchName;
  /** What it is about: `['pin_v1', jid]`. */
  readonly index: readonly string[];
  readonly action: proto.ISyncActionValue;
  /** Version of the action's format. */
  readonly apiVersion: number;
  /** Takes the entry away instead of setting it. */
  readonly remove?: boolean;
}

/** Two clients may write at one moment; the later one fetches and writes again. */
const MAX_ATTEMPTS = 5;
const { SyncdOperation } = proto.SyncdMutation;

/**
 * A phone's hand on its account's app state: encrypts changes under the key it shares with its companions
 * and uploads them as patches, each on the version before it (whatsmeow appstate/encode.go, appstate.go
 * SendAppState). The server only numbers them and tells the other devices.
 */
export class PhoneAppState {
  /** Shared with companions; `id` is six bytes, device and counter. */
  readonly key = { id: Buffer.concat([Buffer.from([0, 0]), randomBytes(4)]), data: randomBytes(32) };
  readonly #connection: PhoneConnection;
  readonly #states = new Map<WAPatchName, LTHashState>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connection: PhoneConnection) {
    this.#connection = connection;
  }

  /** Resolves when the server took the change; one after the other. */
  write(change: AppStateChange): Promise<void> {
    const written = this.#turn.then(() => this.#write(change));
    this.#turn = written.catch(() => undefined);
    return written;
  }

  /** Everything that the collection says by now, whoever wrote it. */
  async entries(name: WAPatchName): Promise<{ index: readonly string[]; action: proto.ISyncActionValue }[]> {
    const { mutationMap } = await decodePatches(
      name,
      await this.#patchesAfter(name, 0),
      newLTHashState(),
      async () => ({ keyData: this.key.data }),
      {},
      undefined,
      undefined,
      true,
    );
    return Object.values(mutationMap).map(({ index, syncAction }) => ({
      index,
      action: syncAction.value ?? {},
    }));
  }

  async #write(change: AppStateChange): Promise<void> {
    const { collection: name, index, action, apiVersion, remove } = change;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const before = await this.#fetch(name);
      const { patch, state } = await encodeSyncdPatch(
        {
          type: name,
          index: [...index],
          syncAction: { ...action, timestamp: action.timestamp ?? Date.now() },
          apiVersion,
          operation: remove ? SyncdOperation.REMOVE : SyncdOperation.SET,
        },
        this.key.id.toString('base64'),
        before,
        async () => ({ keyData: this.key.data }),
      );
      const answer = await this.#sync(name, before.version, [
        { tag: 'patch', attrs: {}, content: proto.SyncdPatch.encode(patch).finish() },
      ]);
      if (answer.attrs.type === 'error') continue;
      this.#states.set(name, state);
      return;
    }
    throw new Error(`the app-state collection ${name} kept changing`);
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
    return getBinaryNodeChildren(getBinaryNodeChild(answer, 'patches'), 'patch').flatMap((node) =>
      node.content instanceof Uint8Array ? [proto.SyncdPatch.decode(node.content)] : [],
    );
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
