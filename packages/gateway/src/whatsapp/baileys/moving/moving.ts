/** Takes over a session that another program holds: checks it, and brings it into the form in which it is stored here. */
import { pause } from '../../../clock.ts';
import type { KeyChange } from '../../port/credentials.ts';
import {
  type CheckedSession,
  HELD_KEY_TYPES,
  type HeldKey,
  type HeldKeyType,
  type HeldSessionReader,
  HeldSessionRefused,
  type NotTaken,
} from '../../port/moving.ts';
import { decodeCredentials, encodeCredentials, encodeStoredValue } from '../connection/stored-values.ts';
import { type AuthenticationCreds, jidDecode } from '../library.ts';
import { heldCredentials, identityOf, MOST_KEY_ID } from './credentials.ts';
import { type ReadKey, readKey, tokenIndex } from './held-keys.ts';
import { HeldValue } from './held-value.ts';
import type { SenderKey } from './signal-records.ts';

/** Some 5 ms of work, most of it for the key pairs. */
const KEYS_PER_TURN = 100;
/** Of keys that stay behind: enough to look at them. */
const PLACES_TOLD = 3;

const WHY: { [type in HeldKeyType]: string } = {
  'pre-key': 'cannot be read; whoever begins a chat with one of them is asked to send again',
  session: 'cannot be read; the next message from or to these devices makes a new one',
  'identity-key': 'cannot be read; the next message from these devices tells it again',
  'sender-key': 'cannot be read; the next group message of these members is asked for again',
  'sender-key-memory': 'cannot be read; the next message to these groups hands out our key again',
  'app-state-sync-key':
    'cannot be read; what the account keeps under them (pins, labels, contacts) is not known here',
  'app-state-sync-version':
    'not needed: the state of the account is fetched anew, so that its chats, contacts and labels are known here',
  'lid-mapping': 'cannot be read; they are learned again from the next messages',
  'device-list': 'cannot be read; they are asked for again',
  tctoken: 'cannot be read; they are given anew with the next messages',
  'nct-salt':
    'cannot be read; until the phone tells it again, WhatsApp may refuse the first message to somebody new',
};

const MEMORY_BEFORE_LID =
  'kept under another name than the one that messages go out under now: the next message hands out our key again';

/** See `HeldSessionReader`. */
export const heldSessions: HeldSessionReader = {
  async check(held) {
    const { creds, identity, unknown } = heldCredentials(new HeldValue(held.creds, 'creds', held.place));
    const keys = new TakenKeys();
    let count = 0;
    for await (const key of held.keys) {
      keys.take(key);
      count += 1;
      if (count % KEYS_PER_TURN === 0) await pause(0);
    }
    keys.leaveMemory(creds);
    const changes = keys.changes();
    const notTaken = [...keys.notTaken(), ...unknownMembers(unknown), ...held.notTaken];
    const missing = missingStateKey(creds, changes);
    if (missing) notTaken.push(missing);
    return {
      identity,
      credentials: encodeCredentials(withFreeIds(creds, changes)),
      changes,
      taken: HELD_KEY_TYPES.map((what) => ({ what, count: keys.count(what) })).filter(
        (each) => each.count > 0,
      ),
      notTaken,
    } satisfies CheckedSession;
  },

  identityOf(credentials) {
    const creds = decodeCredentials(credentials);
    return creds.me && creds.account ? identityOf(creds) : null;
  },
};

/** A key as it is stored. */
interface TakenKey {
  bytes: Uint8Array;
  /** Of a sender key: it is ours, with which we write to the group. */
  isOurs: boolean;
}

class TakenKeys {
  readonly #taken = new Map<HeldKeyType, Map<string, TakenKey>>();
  readonly #left = new Map<HeldKeyType, { count: number; places: string[] }>();
  readonly #leftMemory: string[] = [];

  take(key: HeldKey): void {
    try {
      // Of two of the same name the first counts.
      for (const { id, value } of this.#read(key)) {
        const taken = this.#taken.get(key.type) ?? new Map<string, TakenKey>();
        // Encoded as they come, a few at a time: all of them in one turn take a second.
        if (!taken.has(id)) taken.set(id, encoded(key.type, value));
        this.#taken.set(key.type, taken);
      }
    } catch (error) {
      if (!(error instanceof HeldSessionRefused)) throw error;
      this.#leave(key);
    }
  }

  count(type: HeldKeyType): number {
    return this.#taken.get(type)?.size ?? 0;
  }

  /**
   * Who has our key of a group is worth nothing without that key: a new one would be made and given to nobody. The
   * library sends under the LID where the account has one, and asks for that name alone (messages-send.ts
   * `groupSenderIdentity`); Baileys 6 knew numbers.
   */
  leaveMemory({ me }: AuthenticationCreds): void {
    const own = jidDecode(me?.lid ?? me?.id ?? '');
    const device = jidDecode(me?.id ?? '')?.device ?? 0;
    const name = `${own?.user}${me?.lid ? '_1' : ''}::${device}`;
    const senderKeys = this.#taken.get('sender-key');
    const memory = this.#taken.get('sender-key-memory');
    for (const group of [...(memory?.keys() ?? [])]) {
      if (senderKeys?.get(`${group}::${name}`)?.isOurs) continue;
      memory?.delete(group);
      this.#leftMemory.push(group);
    }
  }

  changes(): KeyChange[] {
    const tokens = this.#taken.get('tctoken');
    const index = tokens ? [tokenIndex([...tokens.keys()])] : [];
    const all = [...this.#taken].flatMap(([type, keys]) =>
      [...keys].map(([id, { bytes }]) => ({ type, id, value: bytes })),
    );
    return [
      ...all,
      ...index.map(({ id, value }) => ({ type: 'tctoken' as const, id, value: encodeStoredValue(value) })),
    ];
  }

  notTaken(): NotTaken[] {
    const left = [...this.#left].map(([what, { count, places }]) => ({
      what,
      count,
      why: WHY[what],
      places,
    }));
    if (this.#leftMemory.length === 0) return left;
    return [...left, { what: 'sender-key-memory', count: this.#leftMemory.length, why: MEMORY_BEFORE_LID }];
  }

  #read(key: HeldKey): ReadKey[] {
    if (key.type === 'app-state-sync-version') this.#leave(key);
    return readKey(key);
  }

  #leave({ type, place }: HeldKey): void {
    const left = this.#left.get(type) ?? { count: 0, places: [] };
    left.count += 1;
    if (left.places.length < PLACES_TOLD) left.places.push(place);
    this.#left.set(type, left);
  }
}

function encoded(type: HeldKeyType, value: unknown): TakenKey {
  const senderKey = type === 'sender-key' ? (value as SenderKey) : null;
  return {
    bytes: encodeStoredValue(senderKey ? senderKey.value : value),
    isOurs: senderKey?.isOurs ?? false,
  };
}

/**
 * No number is given out twice, and none is offered to the server whose key is not there: a program that was killed
 * may have stored keys and not the credentials that count them, or the other way round.
 */
function withFreeIds(creds: AuthenticationCreds, changes: readonly KeyChange[]): AuthenticationCreds {
  const ids = new Set(changes.filter(({ type }) => type === 'pre-key').map(({ id }) => Number(id)));
  let highest = 0;
  for (const id of ids) highest = Math.max(highest, id);
  const { nextPreKeyId, firstUnuploadedPreKeyId: first } = creds;
  if (highest >= nextPreKeyId) {
    const next = Math.min(highest + 1, MOST_KEY_ID);
    return { ...creds, nextPreKeyId: next, firstUnuploadedPreKeyId: next };
  }
  const waiting = Array.from({ length: Math.min(nextPreKeyId - first, ids.size + 1) }, (_, at) => first + at);
  return waiting.every((id) => ids.has(id)) ? creds : { ...creds, firstUnuploadedPreKeyId: nextPreKeyId };
}

/** The key under which the account's state is written now; without it the library can neither read nor change it. */
function missingStateKey(creds: AuthenticationCreds, changes: readonly KeyChange[]): NotTaken | null {
  const id = creds.myAppStateKeyId;
  if (!id || changes.some((change) => change.type === 'app-state-sync-key' && change.id === id)) return null;
  delete creds.myAppStateKeyId;
  const why =
    'the key of the account state is named and not there: the state is known once the phone shares a new one';
  return { what: 'app-state-sync-key', count: 1, why };
}

function unknownMembers(names: readonly string[]): NotTaken[] {
  if (names.length === 0) return [];
  const why = `members of creds that are not known here: ${names.slice(0, 10).join(', ')}`;
  return [{ what: 'creds', count: names.length, why }];
}
