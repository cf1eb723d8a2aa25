/** A chain of message keys, and the keys of what was passed over in it (Double Ratchet, "symmetric-key ratchet"). */
import { calculateMAC, deriveSecrets } from './crypto.ts';
import { MessageCounterError, SessionError } from './errors.ts';
import { base64, fromBase64, RECEIVING, type SENDING, type StoredChain, secretOf } from './stored-session.ts';

/** Messages that may be passed over at once, and whose keys are kept of one chain, as in the official library. */
export const MOST_SKIPPED = 2000;

const MESSAGE = Buffer.of(1);
const NEXT = Buffer.of(2);
const NO_SALT = Buffer.alloc(32);
const MESSAGE_KEYS = Buffer.from('WhisperMessageKeys');
const SEED_BYTES = 32;
/** Cipher key, MAC key and IV, in the order in which they are derived, as go.mau.fi/libsignal keeps them. */
const DERIVED_BYTES = 80;

/** What a message is sealed with. */
export interface MessageKeys {
  readonly cipherKey: Buffer;
  readonly macKey: Buffer;
  readonly iv: Buffer;
}

/** A chain in which no message was. */
export function newChain(chainKey: Buffer, chainType: typeof SENDING | typeof RECEIVING): StoredChain {
  return { chainKey: { counter: -1, key: base64(chainKey) }, chainType, messageKeys: {} };
}

/** The keys of the next message to send, and the chain behind it. */
export function nextKeys(chain: StoredChain): { keys: MessageKeys; counter: number; after: StoredChain } {
  const chainKey = keyOf(chain);
  const counter = chain.chainKey.counter + 1;
  const after = { ...chain, chainKey: { counter, key: base64(nextKey(chainKey)) } };
  return { keys: messageKeys(seedOf(chainKey)), counter, after };
}

/**
 * The keys of a message that came, and the chain behind it. That chain is made when it is asked for: before the MAC is
 * right, nobody knows whether the counter is more than a number that makes us work.
 */
export function keysFor(
  chain: StoredChain,
  counter: number,
): { keys: MessageKeys; after: () => StoredChain } {
  if (chain.chainType !== RECEIVING) throw new SessionError('the message is in a chain of ours');
  const kept = chain.messageKeys[counter];
  if (kept !== undefined) {
    const { [counter]: _, ...others } = chain.messageKeys;
    return { keys: messageKeys(keptKey(kept)), after: () => ({ ...chain, messageKeys: others }) };
  }
  const last = chain.chainKey.counter;
  if (counter <= last) throw new MessageCounterError();
  if (counter - last > MOST_SKIPPED) throw new SessionError(`over ${MOST_SKIPPED} messages into the future`);
  const { passed, chainKey } = walked(keyOf(chain), counter - last - 1);
  const after = (): StoredChain => ({
    ...chain,
    chainKey: { counter, key: base64(nextKey(chainKey)) },
    messageKeys: withSeeds(chain, passed),
  });
  return { keys: messageKeys(seedOf(chainKey)), after };
}

/**
 * A chain on which no message comes behind the one of that counter: the keys of those that have not come are kept, and
 * what others could be derived of is not. Where there are too many of them, none is: that they exist is said by a
 * message that is right, and refusing it would refuse all that follow.
 */
export function ended(chain: StoredChain, lastCounter: number): StoredChain {
  const { counter, key } = chain.chainKey;
  if (key === undefined) return chain;
  const missing = lastCounter - counter;
  const { passed } = walked(secretOf(key), missing > 0 && missing <= MOST_SKIPPED ? missing : 0);
  return {
    ...chain,
    chainKey: { counter: counter + passed.length },
    messageKeys: withSeeds(chain, passed),
  };
}

function keyOf({ chainKey }: StoredChain): Buffer {
  if (chainKey.key === undefined) throw new SessionError('the chain is over');
  return secretOf(chainKey.key);
}

function seedOf(chainKey: Buffer): Buffer {
  return calculateMAC(chainKey, MESSAGE);
}

function nextKey(chainKey: Buffer): Buffer {
  return calculateMAC(chainKey, NEXT);
}

/** The chain keys of so many messages, and the one behind them. */
function walked(from: Buffer, messages: number): { passed: Buffer[]; chainKey: Buffer } {
  const passed: Buffer[] = [];
  let chainKey = from;
  for (let n = 0; n < messages; n += 1) {
    passed.push(chainKey);
    chainKey = nextKey(chainKey);
  }
  return { passed, chainKey };
}

/** What is kept already and the seeds of those that were passed over now; the oldest go where there are too many. */
function withSeeds(chain: StoredChain, passed: readonly Buffer[]): StoredChain['messageKeys'] {
  if (passed.length === 0) return chain.messageKeys;
  const first = chain.chainKey.counter + 1;
  const seeds = passed.map((key, n): [string, string] => [String(first + n), base64(seedOf(key))]);
  // Objects list such names by their number.
  return Object.fromEntries([...Object.entries(chain.messageKeys), ...seeds].slice(-MOST_SKIPPED));
}

function keptKey(text: string): Buffer {
  return fromBase64(text, SEED_BYTES, DERIVED_BYTES);
}

function messageKeys(kept: Buffer): MessageKeys {
  const derived =
    kept.length === DERIVED_BYTES ? kept : Buffer.concat(deriveSecrets(kept, NO_SALT, MESSAGE_KEYS));
  return {
    cipherKey: derived.subarray(0, 32),
    macKey: derived.subarray(32, 64),
    iv: derived.subarray(64, DERIVED_BYTES),
  };
}
