/** Sessions that are no sessions, and archives that were made to do harm: refused as a whole, and by name. */
import { gzipSync } from 'node:zlib';
import { Curve } from 'baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderOf, json, type MadeSession, madeSession } from '../made-session.ts';
import { zipOf } from '../zip.ts';
import { Desk, packed } from './desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open();
});
afterAll(() => desk.close());

type Creds = Record<string, never> & MadeSession['creds'];
const pair = () => Curve.generateKeyPair();

const SPOILT: [name: string, code: string, field: string, spoil: (creds: Creds) => void][] = [
  ['nobody has linked it', 'SESSION_NOT_LINKED', 'creds', (creds) => delete creds.me],
  ['its linking was not finished', 'SESSION_NOT_LINKED', 'creds', (creds) => delete creds.account],
  [
    'a key is missing',
    'SESSION_MALFORMED',
    'creds.noiseKey',
    (creds) => Object.assign(creds, { noiseKey: null }),
  ],
  [
    'a key is too short',
    'SESSION_MALFORMED',
    'creds.noiseKey.private',
    (creds) => Object.assign(creds.noiseKey, { private: Buffer.alloc(31) }),
  ],
  [
    'a key is no bytes',
    'SESSION_MALFORMED',
    'creds.noiseKey.private',
    (creds) => Object.assign(creds.noiseKey, { private: 'secret' }),
  ],
  [
    'halves of two pairs',
    'SESSION_INCONSISTENT',
    'creds.noiseKey',
    (creds) => Object.assign(creds.noiseKey, { private: pair().private }),
  ],
  [
    'another identity',
    'SESSION_INCONSISTENT',
    'creds.account',
    (creds) => Object.assign(creds, { signedIdentityKey: pair() }),
  ],
  [
    'another signed pre-key',
    'SESSION_INCONSISTENT',
    'creds.signedPreKey',
    (creds) => Object.assign(creds.signedPreKey, { keyPair: pair() }),
  ],
  [
    'an account that has not signed',
    'SESSION_INCONSISTENT',
    'creds.account',
    (creds) => Object.assign(creds.account ?? {}, { accountSignatureKey: pair().public }),
  ],
  [
    'a device that has not signed',
    'SESSION_INCONSISTENT',
    'creds.account',
    (creds) => Object.assign(creds.account ?? {}, { deviceSignature: Buffer.alloc(64) }),
  ],
  [
    'a LID of another device',
    'SESSION_INCONSISTENT',
    'creds.me.lid',
    (creds) => Object.assign(creds.me ?? {}, { lid: '236395184570386:9@lid' }),
  ],
  [
    'the phone itself',
    'SESSION_MALFORMED',
    'creds.me.id',
    (creds) => Object.assign(creds.me ?? {}, { id: '5511999999999@s.whatsapp.net' }),
  ],
  [
    'no registration id',
    'SESSION_MALFORMED',
    'creds.registrationId',
    (creds) => Object.assign(creds, { registrationId: 'many' }),
  ],
];

test.each(SPOILT)('%s', async (_name, code, field, spoil) => {
  const session = madeSession();
  const secrets = secretsOf(session);
  spoil(session.creds as Creds);
  const { status, body, bytes } = await desk.look(packed(folderOf(session)));
  expect([status, body.error_code, body.validation?.[0].field]).toEqual([422, code, field]);
  expect(body.error).toContain('creds.json: ');
  for (const secret of secrets) expect(bytes.toString()).not.toContain(secret);
});

// One of 256 devices of Baileys has it.
test('a registration id of 0 is one', async () => {
  const session = madeSession();
  Object.assign(session.creds, { registrationId: 0 });
  expect((await desk.look(packed(folderOf(session)))).status).toBe(200);
});

function secretsOf({ creds }: MadeSession): string[] {
  const keys = [creds.noiseKey, creds.signedIdentityKey, creds.signedPreKey.keyPair].map(
    (each) => each.private,
  );
  return keys.flatMap((key) => [Buffer.from(key).toString('base64'), Buffer.from(key).toString('hex')]);
}

test('credentials that are cut short, and none', async () => {
  const { 'creds.json': creds = Buffer.alloc(0), ...keys } = folderOf(madeSession());
  const cut = await desk.look(packed({ ...keys, 'creds.json': creds.subarray(0, 500) }));
  expect(cut.body).toMatchObject({ error_code: 'SESSION_MALFORMED', validation: [{ field: 'creds' }] });
  // As a file system leaves them after a power cut.
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(500)]) {
    const { body } = await desk.look(packed({ ...keys, 'creds.json': bytes }));
    expect(body).toMatchObject({ error_code: 'SESSION_MALFORMED', validation: [{ field: 'creds' }] });
  }
  const without = await desk.look(packed(keys));
  expect(without.body.error_code).toBe('IMPORT_FORMAT_UNKNOWN');
  expect(without.body.error).toContain('it has 2 files: pre-key-1.json, pre-key-2.json');
});

test('a key that is none stays behind, and the others come', async () => {
  const session = madeSession();
  Object.assign(session.keys, {
    'pre-key-1': { ...pair(), private: pair().private },
    'session-5511999990002.0': { _sessions: { x: {} }, version: 'v1' },
    'sender-key-memory-120363000000000001@g.us': { '5511999990002:1@s.whatsapp.net': true },
    'no-key': 1,
  });
  const files = { ...folderOf(session), 'identity-key-5511999990002.0.json': '{"type":"Buffer","da' };
  const { body } = await desk.look(packed(files));
  expect(body.taken).toEqual([{ what: 'pre-key', count: 1 }]);
  expect(body.not_taken).toMatchObject([
    { what: 'identity-key', count: 1, places: ['identity-key-5511999990002.0.json'] },
    { what: 'pre-key', count: 1, places: ['pre-key-1.json'] },
    { what: 'session', count: 1, places: ['session-5511999990002.0.json'] },
    { what: 'sender-key-memory', count: 1 },
    { what: 'other', count: 1, places: ['no-key.json'] },
  ]);
});

test('members that are named like those of every object', async () => {
  const session = madeSession();
  const text = json(session.creds).replace(
    '{',
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},',
  );
  const record = '{"version":"v1","_sessions":{"__proto__":{"polluted":1}}}';
  const files = { ...folderOf(session), 'creds.json': text, 'session-5511999990002.0.json': record };
  const { status, body } = await desk.look(packed(files));
  expect(status).toBe(200);
  expect(body.not_taken).toMatchObject([{ what: 'session' }, { what: 'creds', count: 2 }]);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

const good = packed(folderOf(madeSession()));

const ARCHIVES: [name: string, code: string, says: RegExp, file: () => Uint8Array][] = [
  [
    'what is nothing',
    'IMPORT_FORMAT_UNKNOWN',
    /it has 1 files: file/,
    () => Buffer.from('MZ\u0090 no archive'),
  ],
  ['an empty archive', 'IMPORT_FORMAT_UNKNOWN', /it is empty/, () => zipOf([])],
  [
    'a tar that is cut short',
    'IMPORT_UNREADABLE',
    /ends too early/,
    () => good.subarray(0, good.length - 2000),
  ],
  [
    'a gzip that is cut short',
    'IMPORT_UNREADABLE',
    /damaged or ends too early/,
    () => gzipSync(good).subarray(0, 1000),
  ],
  [
    'a zip that is damaged',
    'IMPORT_UNREADABLE',
    /zip archive is damaged/,
    () => Buffer.concat([zipOf([entry('creds.json')]).subarray(0, 60), Buffer.alloc(50)]),
  ],
  [
    'a path out of the archive',
    'IMPORT_UNREADABLE',
    /leads out of the archive/,
    () => packed({ 'a/../../creds.json': '{}' }),
  ],
  [
    'an absolute path',
    'IMPORT_UNREADABLE',
    /has no relative path/,
    () => packed({ '/etc/creds.json': '{}' }),
  ],
  ['a path out of a zip archive', 'IMPORT_UNREADABLE', /zip archive/, () => zipOf([entry('../creds.json')])],
  ['a link', 'IMPORT_UNREADABLE', /is a link or a device/, () => retyped(good, '2')],
  [
    'a link in a zip archive',
    'IMPORT_UNREADABLE',
    /is a link or a device/,
    () => zipOf([{ ...entry('creds.json'), mode: 0o120777 }]),
  ],
  [
    'a file that is there twice',
    'IMPORT_UNREADABLE',
    /is there twice/,
    () => packed({ 'creds.json': '{}', './creds.json': '{}' }),
  ],
  [
    'more than is announced',
    'IMPORT_UNREADABLE',
    /zip archive/,
    () => zipOf([{ ...entry('creds.json', Buffer.alloc(1e6)), size: 10 }]),
  ],
  ['a gzip bomb', 'IMPORT_TOO_LARGE', /unpacks to more than/, () => gzipSync(Buffer.alloc(3e8))],
  [
    'a zip bomb',
    'IMPORT_TOO_LARGE',
    /more than \d+ bytes/,
    () => zipOf([{ ...entry('creds.json'), size: 3e8 }]),
  ],
  ['files without number', 'IMPORT_TOO_LARGE', /more than 200000 files/, () => gzipSync(manyFiles(200_001))],
];

test.each(ARCHIVES)('%s', async (_name, code, says, file) => {
  const { status, body } = await desk.look(file());
  expect([status, body.error_code]).toEqual([code === 'IMPORT_TOO_LARGE' ? 413 : 422, code]);
  expect(body.error).toMatch(says);
  expect(body.validation?.[0].field).toBe('file');
});

test('what is larger than any session is refused while it comes', async () => {
  const { status, body } = await desk.look(Buffer.alloc(65 * 1024 * 1024));
  expect([status, body.error_code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
});

function entry(path: string, bytes: Uint8Array = Buffer.from('{}')) {
  return { path, bytes };
}

/** The archive with its last file as something else. */
function retyped(archive: Uint8Array, kind: string): Uint8Array {
  const copy = Buffer.from(archive);
  const at = copy.lastIndexOf('ustar\u0000') - 257;
  copy.write(kind, at + 156, 'latin1');
  return summed(copy, at);
}

function summed(archive: Buffer, at: number): Buffer {
  archive.write('        ', at + 148, 'latin1');
  const sum = archive.subarray(at, at + 512).reduce((all, byte) => all + byte, 0);
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  return archive;
}

/** Empty ones, each with a name of its own. */
function manyFiles(count: number): Buffer {
  const header = Buffer.from(packed({ 'f0000000.json': '' })).subarray(0, 512);
  const archive = Buffer.alloc((count + 2) * 512);
  for (let at = 0; at < count; at += 1) {
    archive.set(header, at * 512);
    archive.write(`f${String(at).padStart(7, '0')}\0`, at * 512, 'latin1');
    summed(archive, at * 512);
  }
  return archive;
}
