import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { chooseSession } from '../../../src/moving/choosing.ts';
import { WHATSMEOW } from '../../../src/moving/formats/whatsmeow/format.ts';
import { proofOfContact } from '../../../src/whatsapp/baileys/account/contact-secret.ts';
import { loadAuthState } from '../../../src/whatsapp/baileys/connection/auth-state.ts';
import { heldSessions } from '../../../src/whatsapp/baileys/moving/moving.ts';
import { MemoryCredentials } from '../../whatsapp/memory-credentials.ts';
import { handedFiles } from '../handed-files.ts';
import { MovedIn } from './moved-in.ts';
import { ALICE, changedStore, SAMPLE_STORE, unclosedStore } from './sample-store.ts';

const BOB = '551199990002:3@s.whatsapp.net';
/** Written by pg_dump 15 of a store that whatsmeow kept in PostgreSQL: Alice and Bob of another sample. */
const DUMP = readFileSync(join(import.meta.dirname, 'store.sql'));

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

describe('a whatsmeow store', () => {
  it('is known by its tables, and each of its devices can be chosen', () => {
    const found = WHATSMEOW.recognise(
      handedFiles({ 'a/main.db': SAMPLE_STORE, 'readme.txt': text('hello') }),
    );
    expect(found?.saw).toBe('the tables of whatsmeow in a/main.db');
    expect(found?.sessions).toHaveLength(8);
    expect(found?.sessions.map(({ name }) => name)).toContain(BOB);
  });

  it('is not seen in what is something else', () => {
    const other = new SqliteDatabase(':memory:');
    other.exec('CREATE TABLE users (id TEXT)');
    const files = {
      'other.db': other.serialize(),
      'dump.sql': text('-- a dump\nCOPY public.users (id) FROM stdin;\n1\n\\.\n'),
      'empty.db': new Uint8Array(0),
      'creds.json': text('{}'),
    };
    other.close();
    expect(WHATSMEOW.recognise(handedFiles(files))).toBeNull();
  });

  it('gives the credentials of the device', () => {
    const { creds, place } = new MovedIn(ALICE).held;
    expect(place).toBe('store.db, table whatsmeow_device');
    expect(creds).toMatchObject({
      me: { id: ALICE, lid: '10000000000001:2@lid', name: 'alice' },
      platform: 'android',
      // Five keys are there, of which the server has three for certain: none of the five is offered to it again.
      nextPreKeyId: 6,
      firstUnuploadedPreKeyId: 6,
      // The newer one of two.
      myAppStateKeyId: Buffer.from([0, 0, 0, 0, 1, 2]).toString('base64'),
    });
  });

  it('finds the LID of the account among those of others, where the device has none yet', () => {
    const store = changedStore((db) => {
      db.exec('UPDATE whatsmeow_device SET lid = NULL');
      db.prepare('INSERT INTO whatsmeow_lid_map (lid, pn) VALUES (?, ?)').run(
        '10000000000001',
        '551199990001',
      );
    });
    expect(new MovedIn(ALICE, store).lid).toBe('10000000000001:2@lid');
  });

  it('gives the keys of the account state, and leaves the versions to be fetched anew', () => {
    const alice = new MovedIn(ALICE);
    expect(alice.of('app-state-sync-key').get(Buffer.from([0, 0, 0, 0, 1, 1]).toString('base64'))).toEqual({
      keyData: expect.any(Uint8Array),
      fingerprint: { rawId: 1234, currentIndex: 1, deviceIndexes: [0, 2] },
      timestamp: 1_790_000_000_000,
    });
    expect(alice.of('app-state-sync-version')).toEqual(new Map([['regular_high', null]]));
  });

  it('gives who is who, and the tokens of contacts under their LID', () => {
    const alice = new MovedIn(ALICE);
    expect(alice.of('lid-mapping').get('551199990002')).toBe('10000000000002');
    expect(alice.of('lid-mapping').get('10000000000002_reverse')).toBe('551199990002');
    expect(alice.of('lid-mapping').get('551199990001')).toBe('10000000000001');
    const at = '1790000000';
    expect(alice.of('tctoken')).toEqual(
      new Map<string, unknown>([
        ['10000000000002@lid', { token: expect.any(Uint8Array), timestamp: at, senderTimestamp: Number(at) }],
        ['10000000000003@lid', { token: expect.any(Uint8Array), timestamp: at }],
      ]),
    );
  });

  it('gives the secret by which the account proves that it begins a chat, where the store has it', async () => {
    expect(new MovedIn(ALICE).of('nct-salt').size).toBe(0);
    const secret = randomBytes(32);
    const store = changedStore((db) =>
      db.prepare('INSERT INTO whatsmeow_nct_salt (our_jid, salt) VALUES (?, ?)').run(ALICE, secret),
    );
    const found = WHATSMEOW.recognise(handedFiles({ 'store.db': store }));
    const session = found?.sessions.find(({ name }) => name === ALICE)?.read();
    if (!session) throw new Error(`the store has no ${ALICE}`);
    const { changes, notTaken } = await heldSessions.check(session);
    expect(notTaken.map(({ what }) => what).sort()).toEqual(['app-state-sync-version', 'message secret']);
    const credentials = new MemoryCredentials();
    await credentials.write(changes);
    const { keys } = await loadAuthState(credentials);
    const stranger = '10000000000099@lid';
    const content = createHmac('sha256', secret).update(stranger).digest();
    expect(await proofOfContact(keys, stranger, 0)).toEqual([{ tag: 'cstoken', attrs: {}, content }]);
  });

  it('says what has no place here', () => {
    expect(new MovedIn(ALICE).held.notTaken.map(({ what, count }) => [what, count])).toEqual([
      ['message secret', 1],
    ]);
  });

  it('is read without the tables of which nothing is taken', () => {
    const unread = ['message_secrets', 'contacts', 'app_state_mutation_macs', 'event_buffer', 'retry_buffer'];
    const small = changedStore((db) => {
      for (const table of unread) db.exec(`DROP TABLE whatsmeow_${table}`);
    });
    expect(new MovedIn(ALICE, small).keys).toEqual(new MovedIn(ALICE).keys);
  });

  it('of version 8 is taken, where later columns and tables are not there yet', () => {
    const old = changedStore((db) => {
      db.exec('DROP TABLE whatsmeow_nct_salt; DROP TABLE whatsmeow_retry_buffer');
      db.exec('DROP INDEX idx_whatsmeow_privacy_tokens_our_jid_timestamp');
      db.exec('ALTER TABLE whatsmeow_privacy_tokens DROP COLUMN sender_timestamp');
      db.exec('ALTER TABLE whatsmeow_device DROP COLUMN companion_meta_nonce');
      db.exec('UPDATE whatsmeow_version SET version = 8, compat = 8');
    });
    const alice = new MovedIn(ALICE, old);
    expect(alice.of('tctoken').size).toBe(2);
    expect(alice.of('session').size).toBe(new MovedIn(ALICE).of('session').size);
  });
});

/** Tables that programs keep in the same database, in the forms in which they have them. */
const BESIDE = [
  // wuzapi (db.go, main.go), mautrix-whatsapp (bridgev2 and connector/wadb), and what SQLite makes of searches.
  'CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL, token TEXT NOT NULL, jid TEXT NOT NULL DEFAULT "")',
  'CREATE TABLE version (version INTEGER, compat INTEGER)',
  'CREATE TABLE database_owner (key INTEGER PRIMARY KEY DEFAULT 0, owner TEXT NOT NULL)',
  'CREATE TABLE portal (bridge_id TEXT, id TEXT, metadata jsonb, PRIMARY KEY (bridge_id, id)) WITHOUT ROWID',
  'CREATE TABLE whatsapp_poll_option_id (msg_mxid TEXT, opt_id TEXT, opt_hash bytea CHECK (length(opt_hash) = 32))',
  'CREATE TABLE message (id TEXT, day TEXT GENERATED ALWAYS AS (substr(id, 1, 3)))',
  'CREATE VIRTUAL TABLE message_words USING fts5(body)',
  'CREATE VIEW devices_of_users AS SELECT * FROM users',
  'CREATE TRIGGER noted AFTER INSERT ON users BEGIN SELECT 1; END',
];

describe('a whatsmeow store in the database of its program', () => {
  it('is read as it is alone', () => {
    const store = changedStore((db) => {
      for (const table of BESIDE) db.exec(table);
    });
    expect(new MovedIn(ALICE, store).keys).toEqual(new MovedIn(ALICE).keys);
  });

  it('is read of a dump of the whole database', () => {
    const portals = 'COPY public.portal (bridge_id, id, metadata) FROM stdin;\nx\ty\t{"a": "\\\\n"}\n\\.\n';
    const whole = Buffer.concat([
      text(`SET statement_timeout = 0;\n${portals}`),
      DUMP,
      text(portals.replace('portal', 'puppet')),
    ]);
    expect(new MovedIn(ALICE, whole).keys).toEqual(new MovedIn(ALICE, DUMP).keys);
  });
});

describe('a whatsmeow store in two files, as GOWA keeps it with DB_KEYS_URI', () => {
  const signal = ['identity_keys', 'sessions', 'pre_keys', 'sender_keys', 'message_secrets'];
  const without = (tables: readonly string[]) =>
    changedStore((db) => {
      for (const table of tables) db.exec(`DELETE FROM whatsmeow_${table}`);
    });
  const state = [
    'app_state_sync_keys',
    'app_state_version',
    'app_state_mutation_macs',
    'lid_map',
    'privacy_tokens',
  ];

  it('is one session, with the Signal keys of the one and the rest of the other', () => {
    const found = WHATSMEOW.recognise(
      handedFiles({ 'whatsapp.db': without(signal), 'whatsapp-keys.db': without(state) }),
    );
    const [session, ...others] = found?.sessions.filter(({ name }) => name === ALICE) ?? [];
    expect(others).toEqual([]);
    const held = session?.read();
    const of = (keys: Iterable<{ type: string; id: string; value: unknown }>) =>
      [...keys].map(({ type, id, value }) => [type, id, value]);
    expect(of(held?.keys ?? [])).toEqual(of(new MovedIn(ALICE).keys));
  });

  it('has what the first file has while the second one is new', () => {
    const fresh = without([...signal, ...state]);
    const found = WHATSMEOW.recognise(handedFiles({ 'keys.db': fresh, 'whatsapp.db': SAMPLE_STORE }));
    const held = found?.sessions.find(({ name }) => name === ALICE)?.read();
    expect([...(held?.keys ?? [])]).toHaveLength(new MovedIn(ALICE).keys.length);
  });
});

it('of two whole stores with the same device neither is chosen for somebody', () => {
  const files = handedFiles({ 'old/main.db': SAMPLE_STORE, 'new/main.db': SAMPLE_STORE });
  expect(() => chooseSession(files, { session: ALICE })).toThrow(
    expect.objectContaining({ code: 'IMPORT_AMBIGUOUS' }),
  );
  const { session } = chooseSession(files, { session: `new/main.db/${ALICE}` });
  expect(session.read().place).toBe('new/main.db, table whatsmeow_device');
});

describe('what pg_dump wrote of a whatsmeow store', () => {
  it('goes on in both directions', async () => {
    const [alice, bob] = [new MovedIn(ALICE, DUMP), new MovedIn(BOB, DUMP)];
    expect(alice.held.creds).toMatchObject({ me: { id: ALICE, name: 'Alice \\ tab\there' } });
    const there = await alice.write(bob.lid, 'from a dump');
    expect(there.type).toBe('msg');
    expect(await bob.open(alice.lid, there.type, there.ciphertext)).toBe('from a dump');
    expect(await alice.open(bob.lid, 'skmsg', await bob.writeToGroup('to all'))).toBe('to all');
  });

  it('gives the same keys as the SQLite file, as far as both have them', () => {
    const types = (alice: MovedIn) => [...new Set(alice.keys.map(({ type }) => type))];
    expect(types(new MovedIn(ALICE, DUMP))).toEqual(types(new MovedIn(ALICE)));
  });

  it.each([
    [
      'ends too early',
      DUMP.subarray(0, DUMP.indexOf('COPY public.whatsmeow_sessions') + 500),
      'ends in the middle',
    ],
    [
      'has INSERT statements',
      text(DUMP.toString().replace(/COPY .*?\\\./gs, 'INSERT INTO public.whatsmeow_device VALUES (1);')),
      '--inserts',
    ],
    ['has two schemas', Buffer.concat([DUMP, DUMP]), 'twice'],
    ['has no bytes where keys are', text(DUMP.toString().replaceAll('\\\\x', '')), 'bytes in hex'],
  ])('is refused when it %s', (_, bytes, why) => {
    expect(() => new MovedIn(ALICE, bytes)).toThrow(why);
  });
});

describe('a whatsmeow store that was not closed', () => {
  it('is read with what its log holds, up to the last whole commit', async () => {
    const { database, log } = await unclosed();
    expect(nameIn({ 'store.db': database, 'store.db-wal': log })).toBe('third');
    // Cut within the frames of the last commit, and with one byte of them changed.
    expect(nameIn({ 'store.db': database, 'store.db-wal': log.subarray(0, log.length - 100) })).toBe(
      'second',
    );
    const damaged = Buffer.from(log);
    damaged[damaged.length - 100] = (damaged.at(-100) ?? 0) ^ 1;
    expect(nameIn({ 'store.db': database, 'store.db-wal': damaged })).toBe('second');
  });

  it('is read as it was written last when its log is not there, or of no use', async () => {
    const { database } = await unclosed();
    expect(nameIn({ 'store.db': database })).toBe('first');
    expect(nameIn({ 'store.db': database, 'store.db-wal': new Uint8Array(0) })).toBe('first');
    expect(nameIn({ 'store.db': database, 'store.db-wal': new Uint8Array(5000).fill(7) })).toBe('first');
  });

  it('is refused while a journal has to be rolled back', () => {
    const journal = Buffer.alloc(512);
    journal.set([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    const files = { 'store.db': SAMPLE_STORE, 'store.db-journal': journal };
    expect(() => nameIn(files)).toThrow('start it once more and stop it');
    expect(nameIn({ 'store.db': SAMPLE_STORE, 'store.db-journal': new Uint8Array(512) })).toBe('alice');
  });
});

function text(content: string): Buffer {
  return Buffer.from(content);
}

function nameIn(files: Record<string, Uint8Array>): string {
  const found = WHATSMEOW.recognise(handedFiles(files))?.sessions.find(({ name }) => name === ALICE);
  return (found?.read().creds as { me: { name: string } }).me.name;
}

/** `first` is in the file itself, `second` and `third` in its log alone. */
async function unclosed(): Promise<{ database: Buffer; log: Buffer }> {
  const named = (name: string) => (db: SqliteDatabase.Database) =>
    db.prepare('UPDATE whatsmeow_device SET push_name = ? WHERE jid = ?').run(name, ALICE);
  const folder = await unclosedStore(named('first'), named('second'), named('third'));
  folders.push(folder);
  return { database: readFileSync(join(folder, 'main.db')), log: readFileSync(join(folder, 'main.db-wal')) };
}
