/** Each format is recognised, and the same session comes out of it. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../end-to-end/harness.ts';
import { folderOf, json, madeRecord, madeSession } from '../made-session.ts';
import { zipOf } from '../zip.ts';
import { Desk, packed } from './desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.open();
});
afterAll(() => desk.close());

const LID = '236395184570386';
const GROUP = '120363000000000001@g.us';
const session = madeSession();
const senderKey = [
  {
    senderKeyId: 7,
    senderChainKey: { iteration: 1, seed: Buffer.alloc(32, 1) },
    senderSigningKey: { public: Buffer.alloc(33, 5) },
    senderMessageKeys: [],
  },
];
Object.assign(session.keys, {
  'session-5511999990002.0': madeRecord(),
  [`session-${LID}.0`]: madeRecord(),
  // As Baileys 6 had it before 6.7.19, and as 7 has it.
  [`sender-key-${GROUP}::5511999990002::0`]: senderKey,
  [`sender-key-${GROUP}::5511999990003::4`]: Buffer.from(JSON.stringify(senderKey)),
  'app-state-sync-key-AAAAAA/+': { keyData: Buffer.alloc(32, 2).toString('base64'), timestamp: '1718000000' },
  'app-state-sync-version-regular': { version: 3, hash: Buffer.alloc(128), indexValueMap: {} },
  'lid-mapping-5511999990002': '111222333444555',
  'lid-mapping-111222333444555_reverse': '5511999990002',
  'tctoken-111222333444555@lid': { token: Buffer.from('token'), timestamp: '1718000000' },
  'tctoken-__index': { token: Buffer.from('["111222333444555@lid"]') },
});
const named: [string, unknown][] = Object.entries({ creds: session.creds, ...session.keys });
/** As `fixFileName` does it. */
const escaped = (name: string): string => name.replaceAll('/', '__').replaceAll(':', '-');
const files = (prefix: string, without = ''): Record<string, string> =>
  Object.fromEntries(
    named
      .filter(([name]) => name !== without)
      .map(([name, value]) => [`${prefix}${escaped(name)}.json`, json(value)]),
  );
const rows = (columns: [string, string, string], value: (value: unknown) => unknown) =>
  named.map(([name, each]) => ({ [columns[0]]: 'default', [columns[1]]: name, [columns[2]]: value(each) }));
const hash = (without = ''): string =>
  JSON.stringify(
    Object.fromEntries(named.filter(([name]) => name !== without).map(([n, v]) => [n, json(v)])),
  );
const instance = 'b0a3c9f6-0000-4000-8000-000000000001';
/** JSON of a JSON text, as its table has it. */
const evolutionRow = JSON.stringify([
  { id: 'x', sessionId: instance, creds: JSON.stringify(json(session.creds)) },
]);
const zipped = Object.entries(files('auth/')).map(([path, text]) => ({ path, bytes: Buffer.from(text) }));

const fromWindows = zipped.map(({ path, bytes }) => ({ path: path.replaceAll('/', '\\'), bytes }));

const FORMATS: [name: string, format: string, found: string, file: Uint8Array][] = [
  ['a folder', 'baileys', '.', packed(files(''))],
  ['a folder in a folder, compressed', 'baileys', 'auth', gzipSync(packed(files('auth/')))],
  ['a folder as a zip archive', 'baileys', 'auth', zipOf(zipped)],
  ['a folder as Windows PowerShell 5 zips it', 'baileys', 'auth', zipOf(fromWindows)],
  ["WAHA's folder", 'waha', 'noweb/default', packed(files('noweb/default/'))],
  [
    "WAHA's rows",
    'waha-postgres',
    'default',
    Buffer.from(JSON.stringify(rows(['session_id', 'key', 'value'], (v) => v))),
  ],
  [
    "baileys-api's rows",
    'baileys-api',
    'default',
    Buffer.from(
      JSON.stringify(
        rows(['sessionId', 'id', 'data'], json).map((row) => ({ ...row, id: escaped(row.id as string) })),
      ),
    ),
  ],
  [
    'rows, one a line',
    'baileys-api',
    'default',
    Buffer.from(
      rows(['sessionId', 'id', 'data'], json)
        .map((row) => JSON.stringify(row))
        .join('\n'),
    ),
  ],
  [
    "Evolution's row with its folder",
    'evolution',
    instance,
    packed({ 'session.json': evolutionRow, ...files(`instances/${instance}/`, 'creds') }),
  ],
  [
    "Evolution's row with its hash",
    'evolution',
    instance,
    packed({ 'row.json': evolutionRow, 'keys.json': hash('creds') }),
  ],
  ["Evolution's hash alone", 'evolution', 'file', Buffer.from(hash())],
];

test.each(FORMATS)('%s', async (_name, format, found, file) => {
  const { status, body } = await desk.look(file);
  expect([status, body.error]).toEqual([200, undefined]);
  expect(body).toMatchObject({
    dry_run: true,
    device_id: desk.deviceId,
    source: { format, session: found },
    account: { jid: '5511999999999@s.whatsapp.net', lid: `${LID}@lid`, push_name: 'Shop', device: 7 },
    status: 'new',
  });
  expect(Object.fromEntries(body.taken.map(({ what, count }: Json) => [what, count]))).toEqual({
    'pre-key': 2,
    // Digits that are no number are a LID; where it is not certain the session lies under both names.
    session: 3,
    'sender-key': 2,
    'app-state-sync-key': 1,
    'lid-mapping': 2,
    tctoken: 1,
  });
  expect(body.not_taken).toMatchObject([{ what: 'app-state-sync-version', count: 1 }]);
});

test('of several sessions one has to be named', async () => {
  const [one, two] = [madeSession(), madeSession({ number: '5511999990009' })];
  const archive = packed({ ...folderOf(one, 'noweb/one/'), ...folderOf(two, 'noweb/two/') });
  const open = await desk.look(archive);
  expect(open.body).toMatchObject({ error_code: 'IMPORT_AMBIGUOUS', sessions: ['noweb/one', 'noweb/two'] });
  const named = await desk.look(archive, { session: 'two' });
  expect(named.body.account.phone_number).toBe('5511999990009');
  const wrong = await desk.look(archive, { session: 'three' });
  expect(wrong.body.validation[0]).toMatchObject({ field: 'session' });
});

test('the address can say that it is a dry run, whatever the body holds', async () => {
  const file_base64 = Buffer.from(packed(files(''))).toString('base64');
  const api = desk.world.as(desk.token);
  const { status, body } = await api.post(`/devices/${desk.deviceId}/import?dry_run=1`, { file_base64 });
  expect([status, body.dry_run, body.status]).toEqual([200, true, 'new']);
});

test('a format that is named is the only one that is tried', async () => {
  const { body } = await desk.look(packed(files('')), { format: 'evolution' });
  expect(body).toMatchObject({ error_code: 'IMPORT_FORMAT_UNKNOWN', formats: ['evolution'] });
});
