import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { type LTHashState, makeLtHashGenerator, proto, type WAPatchName } from 'baileys';

/** One change of the account's state, as a client writes it. */
export interface AppStateChange {
  readonly collection: WAPatchName;
  /** What it is about: `['pin_v1', jid]`. */
  readonly index: readonly string[];
  readonly action: proto.ISyncActionValue;
  /** A field of the action that the library's schema does not have, as it is written. */
  readonly bytes?: Uint8Array;
  /** Version of the action's format. */
  readonly apiVersion: number;
  /** Takes the entry away instead of setting it. */
  readonly remove?: boolean;
}

export interface AppStateKey {
  readonly id: Buffer;
  readonly data: Buffer;
}

const { SyncdOperation } = proto.SyncdMutation;
/** `SyncActionData.value`. */
const ACTION = 2;

/** A length-delimited field of protobuf, for what the library's schema does not have. */
export function delimitedField(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) + 0x80);
  bytes.push(Math.floor(value / 128 ** bytes.length));
  return Buffer.from(bytes);
}

/**
 * The patch that makes the changes, and the state after it. Keys, MACs and hashes are those of whatsmeow
 * appstate/encode.go EncodePatch, keys.go expandAppStateKeys and hash.go; unlike the library's own encoder it
 * takes more than one change.
 */
export function encodePatch(
  collection: WAPatchName,
  changes: readonly AppStateChange[],
  key: AppStateKey,
  before: LTHashState,
): { patch: proto.ISyncdPatch & { mutations: proto.ISyncdMutation[] }; state: LTHashState } {
  const keys = expand(key.data);
  const generator = makeLtHashGenerator(before);
  const sealed = changes.map((change) => seal(change, key.id, keys));
  for (const { operation, indexMac, valueMac } of sealed) generator.mix({ operation, indexMac, valueMac });
  const version = before.version + 1;
  const state: LTHashState = { ...generator.finish(), version };
  const tail = Buffer.concat([longOf(version), Buffer.from(collection)]);
  const snapshotMac = hmac('sha256', keys.snapshotMac, state.hash, tail);
  const valueMacs = sealed.map(({ valueMac }) => valueMac);
  const patchMac = hmac('sha256', keys.patchMac, snapshotMac, ...valueMacs, tail);
  const mutations = sealed.map(({ operation, record }) => ({ operation, record }));
  return { patch: { snapshotMac, patchMac, keyId: { id: key.id }, mutations }, state };
}

/** How a patch names an entry. */
export function nameOfEntry(index: readonly string[], key: AppStateKey): string {
  return hmac('sha256', expand(key.data).index, Buffer.from(JSON.stringify(index))).toString('base64');
}

/** Names of the entries that the patches have taken away. */
export function removedEntries(patches: readonly proto.ISyncdPatch[]): Set<string> {
  const removed = new Set<string>();
  for (const { operation, record } of patches.flatMap(({ mutations }) => mutations ?? [])) {
    const name = Buffer.from(record?.index?.blob ?? []).toString('base64');
    if (operation === SyncdOperation.REMOVE) removed.add(name);
    else removed.delete(name);
  }
  return removed;
}

type Keys = ReturnType<typeof expand>;

function seal({ index, action, bytes, apiVersion, remove }: AppStateChange, keyId: Buffer, keys: Keys) {
  const operation = remove ? SyncdOperation.REMOVE : SyncdOperation.SET;
  const indexBytes = Buffer.from(JSON.stringify(index));
  const value = { ...action, timestamp: action.timestamp ?? Date.now() };
  const plain = Buffer.concat([
    proto.SyncActionData.encode({
      index: indexBytes,
      padding: new Uint8Array(0),
      version: apiVersion,
    }).finish(),
    delimitedField(
      ACTION,
      Buffer.concat([proto.SyncActionValue.encode(value).finish(), bytes ?? new Uint8Array(0)]),
    ),
  ]);
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', keys.encryption, iv);
  const content = Buffer.concat([iv, cipher.update(plain), cipher.final()]);
  const head = Buffer.concat([Buffer.from([remove ? 2 : 1]), keyId]);
  const valueMac = hmac('sha512', keys.valueMac, head, content, longOf(head.length)).subarray(0, 32);
  const indexMac = hmac('sha256', keys.index, indexBytes);
  const record = {
    index: { blob: indexMac },
    value: { blob: Buffer.concat([content, valueMac]) },
    keyId: { id: keyId },
  };
  return { operation, indexMac, valueMac, record };
}

function expand(data: Buffer) {
  const bytes = Buffer.from(hkdfSync('sha256', data, new Uint8Array(0), 'WhatsApp Mutation Keys', 160));
  const [index, encryption, valueMac, snapshotMac, patchMac] = [0, 32, 64, 96, 128].map((from) =>
    bytes.subarray(from, from + 32),
  ) as [Buffer, Buffer, Buffer, Buffer, Buffer];
  return { index, encryption, valueMac, snapshotMac, patchMac };
}

function hmac(hash: 'sha256' | 'sha512', key: Buffer, ...parts: Uint8Array[]): Buffer {
  const made = createHmac(hash, key);
  for (const part of parts) made.update(part);
  return made.digest();
}

/** 64 bits, big-endian. */
function longOf(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(value, 4);
  return bytes;
}
