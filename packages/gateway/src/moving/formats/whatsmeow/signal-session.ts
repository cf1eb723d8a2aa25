/**
 * Signal sessions of go.mau.fi/libsignal in the form in which the key store here holds them.
 *
 * Both libraries keep the same double ratchet. What differs (state/record/SessionState.go against
 * libsignal's session_record.js and session_cipher.js):
 *
 * - There a chain's number is that of the message to come, here that of the last one.
 * - There is one state in use and a list of archived ones, newest first; here all lie in one map by their base
 *   key, each with when it was used and closed.
 * - Keys of messages that were passed over are derived there already, into cipher key, MAC key and IV; here it is
 *   the seed of these. Nothing leads back to it, so they are kept as they are, one after the other: the engine opens
 *   messages with either.
 */
import {
  asBytes,
  asList,
  asObject,
  asPublicKey,
  asUint32,
  type JsonObject,
  parseRecord,
  UnreadableRecord,
} from './json-values.ts';

/** Of the protocol, as in each message (protocol/Doc.go); older ones are not in use any more. */
const SESSION_VERSION = 3;
const SENDING = 1;
const RECEIVING = 2;
/** `baseKeyType` of libsignal-node. */
const OURS = 1;
const THEIRS = 2;
const STILL_OPEN = -1;
/** libsignal-node removes what is more (session_record.js `CLOSED_SESSIONS_MAX`). */
const MOST_STATES = 40;
/** Go counts down from a chain on which nothing was sent: `max(Index()-1, 0)` of unsigned numbers (SessionCipher.go). */
const NOTHING_SENT = 0xffff_ffff;

/** One state of a session, without its place among the others. */
export interface SessionState {
  baseKey: string;
  entry: Omit<StoredSession, 'indexInfo'> & { indexInfo: Pick<StoredSession['indexInfo'], BaseKeyMember> };
}

type BaseKeyMember = 'baseKey' | 'baseKeyType' | 'remoteIdentityKey';

interface StoredChain {
  chainKey: { counter: number; key: string };
  chainType: typeof SENDING | typeof RECEIVING;
  messageKeys: Record<string, string>;
}

/** What `SessionEntry.serialize` of libsignal-node writes. */
interface StoredSession {
  registrationId: number;
  currentRatchet: {
    ephemeralKeyPair: { pubKey: string; privKey: string };
    lastRemoteEphemeralKey: string;
    previousCounter: number;
    rootKey: string;
  };
  indexInfo: {
    baseKey: string;
    baseKeyType: typeof OURS | typeof THEIRS;
    closed: number;
    used: number;
    created: number;
    remoteIdentityKey: string;
  };
  _chains: Record<string, StoredChain>;
  pendingPreKey?: { signedKeyId: number; baseKey: string; preKeyId?: number };
}

/** What `SessionRecord.serialize` of libsignal-node writes. */
export interface StoredSessionRecord {
  version: 'v1';
  _sessions: Record<string, StoredSession>;
}

/**
 * Reads a `whatsmeow_sessions.session`: the state in use, then the archived ones, newest first. Throws
 * `UnreadableRecord`.
 * @param ownIdentity the device's public identity key, with its type: a session of another cannot be gone on with
 */
export function readStates(stored: Uint8Array, ownIdentity: Uint8Array): SessionState[] {
  const record = parseRecord(stored);
  const all = [
    asObject(record.SessionState, 'SessionState'),
    ...asList(record.PreviousStates, 'PreviousStates').map((each) => asObject(each, 'PreviousStates')),
  ];
  return all.map((state) => readState(state, ownIdentity));
}

/**
 * One record of some states, the newest first: that one is gone on with, the others only open what still comes
 * under them.
 */
export function sessionRecord(states: readonly SessionState[]): StoredSessionRecord {
  const newest = new Map<string, SessionState>();
  for (const state of states) {
    if (newest.size < MOST_STATES && !newest.has(state.baseKey)) newest.set(state.baseKey, state);
  }
  const sessions: Record<string, StoredSession> = {};
  for (const [index, { baseKey, entry }] of [...newest.values()].entries()) {
    // Nobody knows when it was; libsignal-node wants the order alone, and what happens from now on is later.
    const rank = newest.size - index;
    const times = { created: rank, used: rank, closed: index === 0 ? STILL_OPEN : rank };
    sessions[baseKey] = { ...entry, indexInfo: { ...entry.indexInfo, ...times } };
  }
  return { version: 'v1', _sessions: sessions };
}

function readState(state: JsonObject, ownIdentity: Uint8Array): SessionState {
  if (state.SessionVersion !== SESSION_VERSION) throw new UnreadableRecord('SessionVersion', '3');
  if (!asPublicKey(state.LocalIdentityPublic, 'LocalIdentityPublic').equals(ownIdentity)) {
    throw new UnreadableRecord('LocalIdentityPublic', "the device's own");
  }
  const baseKey = base64(asPublicKey(state.SenderBaseKey, 'SenderBaseKey'));
  const pendingPreKey = readPendingPreKey(state.PendingPreKey);
  const sender = asObject(state.SenderChain, 'SenderChain');
  const receivers = asList(state.ReceiverChains, 'ReceiverChains').map((each) =>
    asObject(each, 'ReceiverChains'),
  );
  const ourRatchetKey = base64(asPublicKey(sender.SenderRatchetKeyPublic, 'SenderChain'));
  const chains: Record<string, StoredChain> = { [ourRatchetKey]: readChain(sender, SENDING) };
  let lastRemoteKey = baseKey;
  for (const receiver of receivers) {
    lastRemoteKey = base64(asPublicKey(receiver.SenderRatchetKeyPublic, 'ReceiverChains'));
    const chain = readChain(receiver, RECEIVING);
    // Whoever begins a session makes a chain for the other's signed pre-key, on which nothing ever comes.
    // libsignal-node has none, and would fill it up to whatever number the first answer says.
    if (chain.chainKey.counter >= 0) chains[lastRemoteKey] = chain;
  }
  const previousCounter = asUint32(state.PreviousCounter, 'PreviousCounter');
  return {
    baseKey,
    entry: {
      registrationId: asUint32(state.RemoteRegistrationID, 'RemoteRegistrationID'),
      currentRatchet: {
        ephemeralKeyPair: {
          pubKey: ourRatchetKey,
          privKey: base64(asBytes(sender.SenderRatchetKeyPrivate, 32, 'SenderChain')),
        },
        lastRemoteEphemeralKey: lastRemoteKey,
        previousCounter: previousCounter === NOTHING_SENT ? -1 : previousCounter,
        rootKey: base64(asBytes(state.RootKey, 32, 'RootKey')),
      },
      indexInfo: {
        baseKey,
        // It is not kept who began. What was not answered yet was begun here; of the others libsignal-node asks it
        // only when somebody begins with the same key again, which is theirs then.
        baseKeyType: pendingPreKey ? OURS : THEIRS,
        remoteIdentityKey: base64(asPublicKey(state.RemoteIdentityPublic, 'RemoteIdentityPublic')),
      },
      _chains: chains,
      ...(pendingPreKey ? { pendingPreKey } : {}),
    },
  };
}

function readChain(chain: JsonObject, chainType: StoredChain['chainType']): StoredChain {
  const chainKey = asObject(chain.ChainKey, 'ChainKey');
  return {
    chainKey: {
      counter: asUint32(chainKey.Index, 'ChainKey.Index') - 1,
      key: base64(asBytes(chainKey.Key, 32, 'ChainKey.Key')),
    },
    chainType,
    messageKeys: Object.fromEntries(asList(chain.MessageKeys, 'MessageKeys').map(readMessageKey)),
  };
}

/** What goes with each message until the other has answered. */
function readPendingPreKey(value: unknown): StoredSession['pendingPreKey'] {
  if (value === null || value === undefined) return undefined;
  const pending = asObject(value, 'PendingPreKey');
  const preKeyId = pending.PreKeyID ? asObject(pending.PreKeyID, 'PreKeyID') : { IsEmpty: true };
  return {
    signedKeyId: asUint32(pending.SignedPreKeyID, 'SignedPreKeyID'),
    baseKey: base64(asPublicKey(pending.BaseKey, 'PendingPreKey.BaseKey')),
    ...(preKeyId.IsEmpty === true ? {} : { preKeyId: asUint32(preKeyId.Value, 'PreKeyID.Value') }),
  };
}

function readMessageKey(value: unknown): [index: number, key: string] {
  const key = asObject(value, 'MessageKeys');
  const derived = [
    asBytes(key.CipherKey, 32, 'MessageKeys.CipherKey'),
    asBytes(key.MacKey, 32, 'MessageKeys.MacKey'),
    asBytes(key.IV, 16, 'MessageKeys.IV'),
  ];
  return [asUint32(key.Index, 'MessageKeys.Index'), base64(Buffer.concat(derived))];
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
