/** What a whatsmeow store holds of other people's devices, in the shape of the key store here. */
import { addressId, byLid, byNumber, parseAddress, type SignalAddress, senderKeyId } from './addresses.ts';
import type { Entry } from './app-state.ts';
import { typedKey, UnreadableRecord } from './json-values.ts';
import type { People } from './people.ts';
import { readSenderKey } from './sender-key.ts';
import { readStates, type SessionState, sessionRecord } from './signal-session.ts';
import {
  IDENTITY_KEYS,
  needed,
  SENDER_KEY_NAMES,
  SENDER_KEYS,
  SESSION_NAMES,
  SESSIONS,
  type StoredTables,
} from './tables.ts';

/** What stays behind, counted while the rest is read. */
export interface Losses {
  sessions: number;
  senderKeys: number;
  identityKeys: number;
}

export class SignalKeys {
  readonly losses: Losses = { sessions: 0, senderKeys: 0, identityKeys: 0 };
  readonly #tables: StoredTables;
  readonly #jid: string;
  readonly #people: People;
  readonly #ownIdentity: Uint8Array;

  /** @param ownIdentity the device's public key: 32 bytes */
  constructor(tables: StoredTables, jid: string, people: People, ownIdentity: Uint8Array) {
    this.#tables = tables;
    this.#jid = jid;
    this.#people = people;
    this.#ownIdentity = typedKey(ownIdentity);
  }

  /**
   * Sessions under the LID wherever it is known: the library here looks nowhere else then. whatsmeow moves one when
   * it next meets the person (sqlstore/store.go MigratePNToLID). Where there is one under each name, they become one
   * record, and what comes under either can be opened.
   */
  *sessions(): Iterable<Entry> {
    const halves = new Map<string, SessionState[] | null>();
    for (const id of this.#namedTwice()) halves.set(id, null);
    for (const row of this.#tables.rows(SESSIONS, this.#jid)) {
      const address = parseAddress(row.their_id ?? '');
      const read = address ? this.#read(row.session) : null;
      if (!address || !read) {
        this.losses.sessions += 1;
        continue;
      }
      const lid = byLid(address, this.#people);
      const id = addressId(lid ?? address);
      const other = halves.get(id);
      if (other === undefined) yield { id, value: sessionRecord(read) };
      else if (other === null) halves.set(id, read);
      else {
        halves.delete(id);
        // The one by number is the older one: since there is one by LID, none is begun by number.
        const [newer, older] = lid ? [other, read] : [read, other];
        yield { id, value: sessionRecord([...newer, ...older]) };
      }
    }
    for (const [id, half] of halves) if (half) yield { id, value: sessionRecord(half) };
  }

  /** Addresses under which two rows end up. */
  #namedTwice(): Set<string> {
    const seen = new Set<string>();
    const twice = new Set<string>();
    for (const { their_id } of this.#tables.rows(SESSION_NAMES, this.#jid)) {
      const address = parseAddress(their_id ?? '');
      if (!address) continue;
      const id = addressId(byLid(address, this.#people) ?? address);
      if (seen.has(id)) twice.add(id);
      seen.add(id);
    }
    return twice;
  }

  #read(session: Uint8Array | null): SessionState[] | null {
    return readable(() => (session ? readStates(session, this.#ownIdentity) : null));
  }

  *identityKeys(): Iterable<Entry> {
    const at = { table: IDENTITY_KEYS, column: 'identity', file: this.#tables.file };
    const byNumberOnly: Entry[] = [];
    const there = new Set<string>();
    for (const { their_id, identity } of this.#tables.rows(IDENTITY_KEYS, this.#jid)) {
      const address = parseAddress(their_id ?? '');
      if (!address) {
        this.losses.identityKeys += 1;
        continue;
      }
      const lid = byLid(address, this.#people);
      const entry = { id: addressId(lid ?? address), value: typedKey(needed(identity, at, 32)) };
      if (lid) byNumberOnly.push(entry);
      else {
        there.add(entry.id);
        yield entry;
      }
    }
    for (const entry of byNumberOnly) if (!there.has(entry.id)) yield entry;
  }

  /**
   * Sender keys under both names of their owner. whatsmeow has them by LID, also those of groups whose members are
   * named by number; the library here goes by the name in the stanza. The account's own are left as they are: two
   * copies of a key to write with would use its numbers twice.
   */
  *senderKeys(): Iterable<Entry> {
    const names = new Set<string>();
    for (const row of this.#tables.rows(SENDER_KEY_NAMES, this.#jid)) {
      const address = parseAddress(row.sender_id ?? '');
      if (address && row.chat_id) names.add(senderKeyId(row.chat_id, address));
    }
    for (const row of this.#tables.rows(SENDER_KEYS, this.#jid)) {
      const address = parseAddress(row.sender_id ?? '');
      const stored = row.sender_key;
      const value = address && row.chat_id && stored ? readable(() => readSenderKey(stored)) : null;
      if (!value || !address || !row.chat_id) {
        this.losses.senderKeys += 1;
        continue;
      }
      yield { id: senderKeyId(row.chat_id, address), value };
      const other = this.#people.isOwn(address.user) ? null : this.#otherName(address);
      const otherId = other && senderKeyId(row.chat_id, other);
      if (otherId && !names.has(otherId)) yield { id: otherId, value };
    }
  }

  #otherName(address: SignalAddress): SignalAddress | null {
    return byLid(address, this.#people) ?? byNumber(address, this.#people);
  }
}

/** Null for a record that cannot be read: it is one of many, and its other device begins anew with the next message. */
function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableRecord) return null;
    throw error;
  }
}
