import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MediaLinks } from '../../src/media/links.ts';
import type { StoredMessage } from '../../src/messages/stored-message.ts';
import { ArchiveWorld, inbound, type TestDevice } from '../messages/archive-world.ts';

const TTL_MS = 3600_000;
const encryptionKey = randomBytes(32);

let world: ArchiveWorld;
let device: TestDevice;
let message: StoredMessage;
let now: number;
beforeAll(async () => {
  world = await ArchiveWorld.create();
});
afterAll(() => world.destroy());
beforeEach(async () => {
  now = world.clock.now();
  device = await world.device(await world.tenant('user'));
  const stored = await world.archive.storeInbound(device, inbound());
  if (!stored) throw new Error('it was not stored');
  message = stored;
});

const links = (more: { publicUrl?: string | null; ttlMs?: number; key?: Buffer } = {}) =>
  new MediaLinks({
    db: world.db,
    clock: world.clock,
    encryptionKey: more.key ?? encryptionKey,
    publicUrl: more.publicUrl ?? null,
    ttlMs: more.ttlMs ?? TTL_MS,
  });

/** The claim of a link that was told for the path. */
function claimOf(path: string, of = device) {
  const { pathname, searchParams } = new URL(links().told(path, of.id), 'http://gateway');
  return {
    recordId: pathname.split('/')[2] ?? '',
    index: Number(searchParams.get('index') ?? 0),
    expires: searchParams.get('expires') ?? '',
    issued: searchParams.get('issued') ?? '',
    signature: searchParams.get('signature') ?? '',
  };
}
const pathOf = () => `/messages/${message.rowId}/media`;
const letIn = () => ({
  caller: { tenantId: device.tenantId, userId: device.userId, role: 'user' },
  deviceId: device.id,
});

test('a link lets in whoever has it, to one file of one message, as its owner', async () => {
  const first = claimOf(pathOf());
  expect(await links().open(first)).toEqual(letIn());
  const third = claimOf(`${pathOf()}?index=2`);
  expect([first.index, third.index]).toEqual([0, 2]);
  expect(await links().open(third)).toEqual(letIn());
  const expires = String(Number(first.expires) + 1);
  const another = { ...first, signature: third.signature };
  for (const claim of [
    another,
    { ...first, index: 1 },
    { ...first, expires },
    { ...first, issued: `${now + 1}` },
  ]) {
    expect(await links().open(claim)).toBeNull();
  }
  expect(await links().open(claimOf(pathOf(), { ...device, id: 'another' }))).toBeNull();
  expect(await links({ key: randomBytes(32) }).open(first)).toBeNull();
});

test('it works to its second, or for as long as is set by now', async () => {
  const claim = claimOf(pathOf());
  expect(claim).toMatchObject({ issued: String(now), expires: String((now + TTL_MS) / 1000) });
  world.clock.advance(TTL_MS / 2);
  expect(await links({ ttlMs: TTL_MS / 2 }).open(claim)).toBeNull();
  expect(await links({ ttlMs: TTL_MS / 2 + 1 }).open(claim)).toEqual(letIn());
  world.clock.advance(TTL_MS / 2 - 1);
  expect(await links({ ttlMs: 2 * TTL_MS }).open(claim)).toEqual(letIn());
  world.clock.advance(1);
  expect(await links({ ttlMs: 2 * TTL_MS }).open(claim)).toBeNull();
});

test.each(['', '-1', '1.5', '0x10', '1'.repeat(16)])('a time of %j is none', async (time) => {
  const claim = claimOf(pathOf());
  expect(await links().open({ ...claim, expires: time })).toBeNull();
  expect(await links().open({ ...claim, issued: time })).toBeNull();
});

test('it ends with its message, its device, and with any change of its user', async () => {
  const claim = claimOf(pathOf());
  const { db } = world;
  const user = db.updateTable('users').where('id', '=', device.userId);
  await user.set({ updated_at: now }).execute();
  expect(await links().open(claim)).toEqual(letIn());
  for (const [change, back] of [
    [{ updated_at: now + 1 }, { updated_at: now }],
    [{ active: 0 }, { active: 1 }],
    [{ deleting_at: now }, { deleting_at: null }],
  ]) {
    await user.set(change ?? {}).execute();
    expect(await links().open(claim)).toBeNull();
    await user.set(back ?? {}).execute();
    expect(await links().open(claim)).toEqual(letIn());
  }
  const row = db.updateTable('devices').where('id', '=', device.id);
  await row.set({ deleting_at: now }).execute();
  expect(await links().open(claim)).toBeNull();
  await row.set({ deleting_at: null }).execute();
  await db.updateTable('messages').where('id', '=', message.rowId).set({ revoked_at: now }).execute();
  expect(await links().open(claim)).toBeNull();
});

test('only paths of our media are signed, at the address that clients have', async () => {
  const base = 'https://gateway.example/api';
  for (const publicUrl of [base, `${base}/`]) {
    expect(links({ publicUrl }).told(pathOf(), device.id)).toMatch(
      new RegExp(`^${base}/messages/[^/]+/media\\?expires=`),
    );
  }
  expect(links({ publicUrl: base }).told(`${pathOf()}?index=1`, device.id)).toContain(
    '/media?index=1&expires=',
  );
  expect(links({ publicUrl: base }).told(`${pathOf()}?index=123`, device.id)).toContain(
    '?index=123&expires=',
  );
  const id = message.rowId;
  for (const path of [
    `x/messages/${id}/media`,
    `/messages/${id}/media/x`,
    `/messages/${id.slice(1)}/media`,
    `/messages/${id}/media?index=1000`,
    `/messages/${id}/media?index=x`,
    'https://evil.example/',
  ]) {
    expect(links({ publicUrl: base }).told(path, device.id)).toBe(path);
  }
});

test('without a time nothing is signed, and nothing opens', async () => {
  const claim = claimOf(pathOf());
  const none = links({ publicUrl: 'https://gateway.example', ttlMs: 0 });
  expect(none.told(pathOf(), device.id)).toBe(`https://gateway.example${pathOf()}`);
  expect(await none.open(claim)).toBeNull();
  world.clock.setBack(1);
  expect(await none.open(claim)).toBeNull();
});
