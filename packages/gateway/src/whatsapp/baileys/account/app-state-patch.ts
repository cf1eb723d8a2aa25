import { createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { proto } from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import { delimitedField } from '../parse/protobuf-fields.ts';

/** One decoded change of the account's state. */
export interface AppStateMutation {
  operation: 'set' | 'remove';
  /** What it is about, for example `['mute', '5511…@s.whatsapp.net']`. */
  index: string[];
  action: proto.ISyncActionValue;
  /** The action as it came, with what our schema does not have. */
  bytes: Uint8Array;
}

interface MutationKeys {
  index: Buffer;
  encryption: Buffer;
  valueMac: Buffer;
}

const IV_BYTES = 16;
const VALUE_MAC_BYTES = 32;
/** `SyncActionData.value`. */
const ACTION = 2;

/**
 * Opens the mutations of a patch, verifying each against its MACs (whatsmeow appstate/decode.go, keys.go).
 * One that cannot be opened is left out, as the library leaves it out of its own state.
 * @param keyFor the 32 bytes of an app-state sync key by its id, null when we do not have it
 */
export async function decodeMutations(
  mutations: readonly proto.ISyncdMutation[],
  keyFor: (id: Uint8Array) => Promise<Uint8Array | null>,
): Promise<AppStateMutation[]> {
  const known = new Map<string, MutationKeys | null>();
  const decoded: AppStateMutation[] = [];
  for (const { operation, record } of mutations) {
    const keyId = record?.keyId?.id;
    const value = record?.value?.blob;
    const indexMac = record?.index?.blob;
    if (!keyId || !value || !indexMac || value.length < IV_BYTES + VALUE_MAC_BYTES) continue;
    const name = Buffer.from(keyId).toString('base64');
    if (!known.has(name)) known.set(name, expand(await keyFor(keyId)));
    const keys = known.get(name);
    const removes = operation === proto.SyncdMutation.SyncdOperation.REMOVE;
    const opened = keys && open(keys, { keyId, value, indexMac, removes });
    if (opened) decoded.push({ operation: removes ? 'remove' : 'set', ...opened });
  }
  return decoded;
}

function expand(key: Uint8Array | null): MutationKeys | null {
  if (!key) return null;
  const bytes = Buffer.from(hkdfSync('sha256', key, new Uint8Array(0), 'WhatsApp Mutation Keys', 160));
  return {
    index: bytes.subarray(0, 32),
    encryption: bytes.subarray(32, 64),
    valueMac: bytes.subarray(64, 96),
  };
}

function open(
  keys: MutationKeys,
  sealed: { keyId: Uint8Array; value: Uint8Array; indexMac: Uint8Array; removes: boolean },
): Omit<AppStateMutation, 'operation'> | null {
  const content = sealed.value.subarray(0, -VALUE_MAC_BYTES);
  const mac = sealed.value.subarray(-VALUE_MAC_BYTES);
  if (!same(valueMac(keys.valueMac, content, sealed.keyId, sealed.removes), mac)) return null;
  try {
    const decipher = createDecipheriv('aes-256-cbc', keys.encryption, content.subarray(0, IV_BYTES));
    const plain = Buffer.concat([decipher.update(content.subarray(IV_BYTES)), decipher.final()]);
    const { index, value } = decodeProtobuf(proto.SyncActionData, plain);
    if (!index || !same(createHmac('sha256', keys.index).update(index).digest(), sealed.indexMac))
      return null;
    const parts: unknown = JSON.parse(Buffer.from(index).toString('utf8'));
    if (!Array.isArray(parts)) return null;
    const bytes = delimitedField(plain, ACTION) ?? new Uint8Array(0);
    return { index: parts.map(String), action: value ?? {}, bytes };
  } catch {
    return null;
  }
}

/** HMAC-SHA512 over operation, key id, content and the length of the first two, cut to 32 bytes. */
function valueMac(key: Buffer, content: Uint8Array, keyId: Uint8Array, removes: boolean): Buffer {
  const head = Buffer.concat([Buffer.from([removes ? 2 : 1]), keyId]);
  const length = Buffer.alloc(8);
  length.writeUInt32BE(head.length, 4);
  const mac = createHmac('sha512', key).update(head).update(content).update(length).digest();
  return mac.subarray(0, VALUE_MAC_BYTES);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
