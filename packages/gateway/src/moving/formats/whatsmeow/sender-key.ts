/**
 * Sender keys of go.mau.fi/libsignal in the form in which the key store here holds them: the bytes of a JSON list of
 * states (Baileys' Signal/Group/sender-key-record.js). Chains are counted alike, and of messages that were passed
 * over the seed is kept on both sides. There the newest state is the first (groups/state/record/SenderKeyRecord.go),
 * here the last.
 */
import { createHmac } from 'node:crypto';
import {
  asBytes,
  asList,
  asObject,
  asPublicKey,
  asUint32,
  type JsonObject,
  parseRecord,
} from './json-values.ts';

interface TaggedBytes {
  type: 'Buffer';
  data: string;
}

interface SenderKeyState {
  senderKeyId: number;
  senderChainKey: { iteration: number; seed: TaggedBytes };
  senderSigningKey: { public: TaggedBytes; private: TaggedBytes };
  senderMessageKeys: { iteration: number; seed: TaggedBytes }[];
}

/** Keys of messages that were passed over: libsignal keeps no more, and makes no more in one go. */
const MOST_MESSAGE_KEYS = 2000;

/** Reads a `whatsmeow_sender_keys.sender_key`. Null when nothing is in it. Throws `UnreadableRecord`. */
export function readSenderKey(stored: Uint8Array): Uint8Array | null {
  const states = new Map<number, SenderKeyState>();
  for (const each of asList(parseRecord(stored).SenderKeyStates, 'SenderKeyStates')) {
    const state = readState(asObject(each, 'SenderKeyStates'));
    // A key that was distributed again is there twice. whatsmeow takes the newest, the library here the oldest, which
    // may be too far behind by now.
    const newer = states.get(state.senderKeyId);
    if (newer) addKeysBefore(newer, state);
    else states.set(state.senderKeyId, state);
  }
  return states.size > 0 ? Buffer.from(JSON.stringify([...states.values()].reverse())) : null;
}

/** What an older state of the same chain still opens: messages that were overtaken by the key's distribution. */
function addKeysBefore(newer: SenderKeyState, older: SenderKeyState): void {
  if (newer.senderSigningKey.public.data !== older.senderSigningKey.public.data) return;
  const end = newer.senderChainKey.iteration;
  const keys = new Map(older.senderMessageKeys.map((key) => [key.iteration, key]));
  let { iteration, seed } = older.senderChainKey;
  if (end - iteration <= MOST_MESSAGE_KEYS) {
    for (; iteration < end; iteration += 1) {
      keys.set(iteration, { iteration, seed: derived(seed, 1) });
      seed = derived(seed, 2);
    }
  }
  for (const key of newer.senderMessageKeys) keys.set(key.iteration, key);
  newer.senderMessageKeys = [...keys.values()]
    .filter((key) => key.iteration < end)
    .sort((a, b) => a.iteration - b.iteration)
    .slice(-MOST_MESSAGE_KEYS);
}

/** The key of a message, and that of the rest of the chain (groups/ratchet/SenderChainKey.go). */
function derived(seed: TaggedBytes, what: 1 | 2): TaggedBytes {
  const key = Buffer.from(seed.data, 'base64');
  return tagged(
    createHmac('sha256', key)
      .update(Buffer.from([what]))
      .digest(),
  );
}

function readState(state: JsonObject): SenderKeyState {
  const chainKey = asObject(state.SenderChainKey, 'SenderChainKey');
  return {
    senderKeyId: asUint32(state.KeyID, 'KeyID'),
    senderChainKey: {
      iteration: asUint32(chainKey.Iteration, 'SenderChainKey.Iteration'),
      seed: tagged(asBytes(chainKey.ChainKey, 32, 'SenderChainKey.ChainKey')),
    },
    senderSigningKey: {
      public: tagged(asPublicKey(state.SigningKeyPublic, 'SigningKeyPublic')),
      private: tagged(readPrivateKey(state.SigningKeyPrivate)),
    },
    senderMessageKeys: asList(state.Keys, 'Keys').map((each) => {
      const key = asObject(each, 'Keys');
      return {
        iteration: asUint32(key.Iteration, 'Keys.Iteration'),
        seed: tagged(asBytes(key.Seed, 32, 'Keys.Seed')),
      };
    }),
  };
}

/** Of somebody else's key there is none; once it was read and written again, Go has zeros in its place. */
function readPrivateKey(value: unknown): Buffer {
  if (value === null || value === undefined || value === '') return Buffer.alloc(0);
  const key = asBytes(value, 32, 'SigningKeyPrivate');
  return key.every((byte) => byte === 0) ? Buffer.alloc(0) : key;
}

function tagged(bytes: Buffer): TaggedBytes {
  return { type: 'Buffer', data: bytes.toString('base64') };
}
