import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Phone } from '@wuts/sandbox';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DATABASE_FILE } from '../../src/storage/database.ts';
import { until, World } from '../end-to-end/harness.ts';

const MESSAGES = 12;
/** Too long for a page: each takes new ones. */
const LONG = 'x'.repeat(20_000);

let world: World;
let token: string;
let deviceId: string;
let shop: Phone;
let contact: Phone;
let companion: string;

beforeEach(async () => {
  world = await World.create();
  token = await world.tenant('storage');
  shop = await world.sandbox.createPhone({ number: '5511999996001', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999996002', name: 'Contact' });
  deviceId = await world.linkByQr(token, shop);
  companion = `${shop.number}:${shop.companions[0]}@s.whatsapp.net`;
  const first = await contact.sendText(shop, 'before');
  await contact.waitForReceipt(
    ({ messageId, fromDevice }) => messageId === first.id && /:\d/.test(fromDevice),
  );
});
afterEach(() => world.destroy());

async function pragma(text: string): Promise<number> {
  const { rows } = await sql<Record<string, number>>`${sql.raw(`pragma ${text}`)}`.execute(
    world.gateway.parts.db,
  );
  return Object.values(rows[0] ?? {})[0] ?? 0;
}

async function storedTexts(): Promise<string[]> {
  const rows = await world.gateway.parts.db
    .selectFrom('messages')
    .select('text')
    .where('device_id', '=', deviceId)
    .where('kind', '=', 'text')
    .where('from_me', '=', 0)
    .orderBy('timestamp')
    .execute();
  return rows.map(({ text }) => (text ?? '').slice(0, 20).trim());
}

/** Fills the table until a key that sorts just behind `id` has no room on its page. */
async function leaveNoRoomFor(type: string, id: string): Promise<void> {
  const { db } = world.gateway.parts;
  const { tenant_id } = await db
    .selectFrom('devices')
    .select('tenant_id')
    .where('id', '=', deviceId)
    .executeTakeFirstOrThrow();
  const value = Buffer.alloc(8);
  await expect(async () => {
    for (let n = 0; n < 10_000; n += 1) {
      const row = { tenant_id, device_id: deviceId, type, id: `${id}${n}`, value };
      await db.insertInto('signal_keys').values(row).execute();
    }
  }).rejects.toThrow('full');
}

const hasTicks = (id: string, from = contact): boolean =>
  from.receivedReceipts.some(
    ({ messageId, type, fromDevice }) => messageId === id && type !== 'retry' && /:[1-9]/.test(fromDevice),
  );

/** Everything arrives in the end, once each and readable. */
async function expectAll(sent: readonly { id: string; text: string; from?: Phone }[]): Promise<void> {
  await until('everything is stored', async () => {
    const texts = await storedTexts();
    return sent.every(({ text }) => texts.includes(text));
  });
  await until('every sender has two ticks', async () => sent.every(({ id, from }) => hasTicks(id, from)));
  expect((await storedTexts()).sort()).toEqual(['before', ...sent.map(({ text }) => text)].sort());
  await world.sandbox.waitForAcknowledged(companion);
  await until('the journal is empty', async () => {
    const left = await world.gateway.parts.db.selectFrom('inbound_journal').select('id').execute();
    return left.length === 0;
  });
}

async function sendMessages(label: string): Promise<{ id: string; text: string }[]> {
  const sent: { id: string; text: string }[] = [];
  for (let n = 1; n <= MESSAGES; n += 1) {
    const text = `${label} ${n}`;
    const { id } = await contact.sendText(shop, text.padEnd(20) + LONG);
    sent.push({ id, text });
  }
  return sent;
}

test('a full disk loses nothing that was acknowledged, says so, and is got over', async () => {
  await pragma(`max_page_count = ${await pragma('page_count')}`);
  const sent = await sendMessages('full');
  const api = world.as(token);
  const refused = await until('the disk is full', async () => {
    const answer = await api.post('/send/text', { number: contact.number, text: LONG.slice(0, 4000) });
    return answer.status === 200 ? null : answer;
  });
  expect([refused.status, refused.body.error_code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const stored = await storedTexts();
  const journaled = await world.gateway.parts.db.selectFrom('inbound_journal').select('id').execute();
  const held = new Set(journaled.map(({ id }) => id.split('|')[2]));
  for (const { id, text } of sent.filter((each) => hasTicks(each.id))) {
    expect(stored.includes(text) || held.has(id), `${text} has two ticks`).toBe(true);
  }
  expect(sent.some(({ id }) => !hasTicks(id))).toBe(true);

  await pragma('max_page_count = 1000000');
  await expectAll(sent);
  const answer = await api.post('/send/text', { number: contact.number, text: 'after' });
  expect(answer.status).toBe(200);
});

test('a stranger who writes while the disk is full is not turned away', async () => {
  const stranger = await world.sandbox.createPhone({ number: '5511999996003', name: 'Stranger' });
  await pragma(`max_page_count = ${await pragma('page_count')}`);
  await leaveNoRoomFor('lid-mapping', stranger.number);
  const { id } = await stranger.sendText(shop, 'hello');
  // The library gives up within a second. Nothing tells that it has not.
  const started = Date.now();
  await until('it had the time to turn the message away', async () => Date.now() - started > 1500);
  expect(hasTicks(id, stranger)).toBe(false);
  expect(world.sandbox.pendingFor(companion)).toBe(1);

  await pragma('max_page_count = 1000000');
  await until('the message is stored', async () => (await storedTexts()).includes('hello'));
  await until('the stranger has two ticks', async () => hasTicks(id, stranger));
});

test('a locked database is waited for', async () => {
  // Shorter than in production, so that the lock outlasts it.
  await pragma('busy_timeout = 100');
  const locker = await lock(join(world.dataDir, DATABASE_FILE));
  const sent = await sendMessages('locked');
  const api = world.as(token);
  const refused = await api.post('/send/text', { number: contact.number, text: 'not now' });
  expect([refused.status, refused.body.error_code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
  expect(sent.filter(({ id }) => hasTicks(id))).toEqual([]);
  await locker.release();
  await expectAll(sent);
  const answer = await api.post('/send/text', { number: contact.number, text: 'now' });
  expect(answer.status).toBe(200);
});

/** Holds the write lock from another thread, as a backup or another program does. */
async function lock(file: string): Promise<{ release(): Promise<void> }> {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const Database = require(workerData.library);
    const db = new Database(workerData.file);
    db.exec('BEGIN EXCLUSIVE');
    parentPort.postMessage('locked');
    parentPort.once('message', () => {
      db.exec('ROLLBACK');
      db.close();
    });`;
  const library = import.meta.resolve('better-sqlite3').replace('file://', '');
  const worker = new Worker(code, { eval: true, workerData: { file, library } });
  await once(worker, 'message');
  return {
    async release() {
      const ended = once(worker, 'exit');
      worker.postMessage('release');
      await ended;
    },
  };
}
