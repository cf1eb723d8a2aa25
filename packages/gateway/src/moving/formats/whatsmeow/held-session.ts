/** One device of a whatsmeow store as a session to move in. */
import type { HeldKey, HeldKeyType, HeldSession, NotTaken } from '../../../whatsapp/port/moving.ts';
import { appStateKeys, appStateVersions, type Entry, newestAppStateKey } from './app-state.ts';
import { credentials, deviceRow, keyPair, ownIdentity } from './device.ts';
import { People } from './people.ts';
import { type Losses, SignalKeys } from './signal-keys.ts';
import {
  DEVICE,
  MESSAGE_SECRETS,
  NCT_SALT,
  needed,
  PRE_KEYS,
  PRIVACY_TOKENS,
  RETRY_BUFFER,
  type StoredTables,
  type Table,
} from './tables.ts';

/** Numbers of pre-keys have three bytes (Baileys' `xmppPreKey`). */
const MOST_PRE_KEY_ID = 0xff_ffff;

/** Reads one device of the store. Throws `HeldSessionRefused`, also while `keys` are read. */
export function heldSession(tables: StoredTables, jid: string): HeldSession {
  const row = deviceRow(tables, jid);
  const people = new People(tables, jid);
  const signal = new SignalKeys(tables, jid, people, ownIdentity(row, tables.file).public);
  const beside = {
    lid: people.ownLid,
    nextPreKeyId: nextPreKeyId(tables, jid),
    appStateKeyId: newestAppStateKey(tables, jid),
  };
  const parts: [HeldKeyType, string, Iterable<Entry>][] = [
    ['pre-key', 'whatsmeow_pre_keys', preKeys(tables, jid)],
    ['session', 'whatsmeow_sessions', signal.sessions()],
    ['identity-key', 'whatsmeow_identity_keys', signal.identityKeys()],
    ['sender-key', 'whatsmeow_sender_keys', signal.senderKeys()],
    ['app-state-sync-key', 'whatsmeow_app_state_sync_keys', appStateKeys(tables, jid)],
    ['app-state-sync-version', 'whatsmeow_app_state_version', appStateVersions(tables, jid)],
    ['lid-mapping', 'whatsmeow_lid_map', lidMappings(people)],
    ['tctoken', 'whatsmeow_privacy_tokens', chatTokens(tables, jid, people)],
    ['nct-salt', NCT_SALT.name, contactSecrets(tables, jid)],
  ];
  const notTaken: NotTaken[] = [];
  return {
    creds: credentials(row, beside, tables.file),
    place: placeOf(tables, DEVICE.name),
    keys: (function* (): Iterable<HeldKey> {
      for (const [type, table, entries] of parts) {
        const place = placeOf(tables, table);
        for (const { id, value } of entries) yield { type, id, value, place };
      }
      notTaken.push(...leftBehind(tables, jid, signal.losses));
    })(),
    notTaken,
  };
}

function placeOf(tables: StoredTables, table: string): string {
  return `${tables.file}, table ${table}`;
}

/** As whatsmeow numbers them (sqlstore/store.go getNextPreKeyID), from 1 again when there are no more. */
function nextPreKeyId(tables: StoredTables, jid: string): number {
  let last = 0;
  for (const { key_id } of tables.rows(PRE_KEYS, jid)) last = Math.max(last, key_id ?? 0);
  return last >= MOST_PRE_KEY_ID ? 1 : last + 1;
}

function* preKeys(tables: StoredTables, jid: string): Iterable<Entry> {
  const at = (column: string) => ({ table: PRE_KEYS, column, file: tables.file });
  for (const row of tables.rows(PRE_KEYS, jid)) {
    const id = String(needed(row.key_id, at('key_id')));
    yield { id, value: keyPair(needed(row.key, at('key'), 32)) };
  }
}

function* lidMappings(people: People): Iterable<Entry> {
  for (const [number, lid] of people.pairs()) {
    yield { id: number, value: lid };
    yield { id: `${lid}_reverse`, value: number };
  }
}

/** Tokens that contacts gave the account, by LID where it is known: there the library here looks. */
function* chatTokens(tables: StoredTables, jid: string, people: People): Iterable<Entry> {
  const at = (column: string) => ({ table: PRIVACY_TOKENS, column, file: tables.file });
  for (const row of tables.rows(PRIVACY_TOKENS, jid)) {
    const theirs = needed(row.their_jid, at('their_jid'));
    const [, number] = /^(\d{1,20})@s\.whatsapp\.net$/.exec(theirs) ?? [];
    const lid = number === undefined ? undefined : people.lidOf(number);
    yield {
      id: lid === undefined ? theirs : `${lid}@lid`,
      value: {
        token: needed(row.token, at('token')),
        timestamp: String(needed(row.timestamp, at('timestamp'))),
        ...(row.sender_timestamp === null ? {} : { senderTimestamp: row.sender_timestamp }),
      },
    };
  }
}

/** What proves to WhatsApp that the account itself begins a chat (whatsmeow cstoken.go). */
function* contactSecrets(tables: StoredTables, jid: string): Iterable<Entry> {
  if (!tables.has(NCT_SALT.name)) return;
  for (const { salt } of tables.rows(NCT_SALT, jid)) if (salt?.length) yield { id: 'own', value: salt };
}

function leftBehind(tables: StoredTables, jid: string, losses: Losses): NotTaken[] {
  const rows = (table: Table): number => (tables.has(table.name) ? tables.count(table, jid) : 0);
  const all: NotTaken[] = [
    {
      what: 'session',
      count: losses.sessions,
      why: 'they could not be read, or are of another identity: a new one is begun with the next message',
    },
    {
      what: 'identity-key',
      count: losses.identityKeys,
      why: 'nobody is known by these names: the next key of such a device is taken as it comes',
    },
    {
      what: 'sender-key',
      count: losses.senderKeys,
      why: 'they could not be read: the next message of each of these senders to the group is asked for again',
    },
    {
      what: 'message secret',
      count: rows(MESSAGE_SECRETS),
      why: 'messages from before the move are not here: votes, edits and comments on them cannot be opened',
    },
    {
      what: 'message for retry',
      count: rows(RETRY_BUFFER),
      why: 'a device that could not open one of the last messages sent before the move gets no second copy of it',
    },
  ];
  return all.filter(({ count }) => count > 0);
}
