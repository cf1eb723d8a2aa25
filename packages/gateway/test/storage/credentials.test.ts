import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { StoredCredentials } from '../../src/storage/credentials.ts';
import { journalSize, setAsideRows } from '../../src/storage/journal.ts';
import { Vault, VaultError } from '../../src/storage/vault.ts';
import { LeaseEnded } from '../../src/whatsapp/port/credentials.ts';
import { TestStore } from './stored.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const plain = (found: Map<string, Uint8Array>): Record<string, string> =>
  Object.fromEntries([...found].map(([id, value]) => [id, Buffer.from(value).toString()]));

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());

describe('keys of a device', () => {
  it('are read back by this and by a later process', async () => {
    const device = await store.device();
    const first = store.credentials(device);
    await first.write([
      { type: 'session', id: 'a', value: bytes('one') },
      { type: 'session', id: 'b', value: bytes('two') },
      { type: 'sender-key', id: 'a', value: bytes('three') },
    ]);
    for (const reader of [first, store.credentials(device)]) {
      expect(plain(await reader.readKeys('session', ['a', 'b', 'c', 'a']))).toEqual({ a: 'one', b: 'two' });
      expect(plain(await reader.readKeys('sender-key', ['a', 'b']))).toEqual({ a: 'three' });
      expect(plain(await reader.readKeys('session', []))).toEqual({});
    }
  });

  it('are replaced and deleted, the last change of a key winning', async () => {
    const device = await store.device();
    const keys = store.credentials(device);
    await keys.write([{ type: 'session', id: 'a', value: bytes('old') }]);
    await keys.write([
      { type: 'session', id: 'a', value: bytes('new') },
      { type: 'session', id: 'b', value: bytes('first') },
      { type: 'session', id: 'b', value: bytes('last') },
      { type: 'session', id: 'c', value: bytes('gone') },
      { type: 'session', id: 'c', value: null },
    ]);
    expect(plain(await keys.readKeys('session', ['a', 'b', 'c']))).toEqual({ a: 'new', b: 'last' });
    await keys.write([{ type: 'session', id: 'a', value: null }]);
    for (const reader of [keys, store.credentials(device)]) {
      expect(plain(await reader.readKeys('session', ['a', 'b', 'c']))).toEqual({ b: 'last' });
    }
  });

  it('come from memory once they were read, absent ones too', async () => {
    const device = await store.device();
    const keys = store.credentials(device);
    await keys.write([{ type: 'session', id: 'a', value: bytes('cached') }]);
    await keys.readKeys('session', ['a', 'missing']);
    // Behind the cache's back: a query would notice.
    await store.db.deleteFrom('signal_keys').where('device_id', '=', device.id).execute();
    await store.credentials(device).write([{ type: 'session', id: 'missing', value: bytes('late') }]);
    expect(plain(await keys.readKeys('session', ['a', 'missing']))).toEqual({ a: 'cached' });
  });

  it('are not cached from a read that a write has overtaken', async () => {
    const device = await store.device();
    const keys = store.credentials(device);
    await keys.write([{ type: 'session', id: 'a', value: bytes('0') }]);
    for (let round = 1; round <= 50; round += 1) {
      const fresh = store.credentials(device);
      const read = fresh.readKeys('session', ['a']);
      await fresh.write([{ type: 'session', id: 'a', value: bytes(String(round)) }]);
      await read;
      expect(plain(await fresh.readKeys('session', ['a']))).toEqual({ a: String(round) });
    }
  });

  it('are written by the holder of the newest lease alone', async () => {
    const device = await store.device();
    const keys = store.credentials(device);
    const first = await keys.lease();
    const a = (text: string) => [{ type: 'session', id: 'a', value: bytes(text) }];
    // What was under way when the lease ended is written before the next one is given, or not at all.
    const under = Promise.allSettled([first.write(a('first')), first.writeCredentials(bytes('first'))]);
    const second = await keys.lease();
    await under;
    await second.write(a('second'));
    const entry = { id: 'm', stanza: bytes('s'), plaintext: bytes('p'), receivedAt: 1 };
    await second.write([], [entry]);
    for (const late of [
      () => first.write(a('late'), [{ ...entry, id: 'late' }]),
      () => first.writeCredentials(bytes('late')),
      () => first.deleteJournal(['m']),
      () => first.clear(),
    ]) {
      await expect(late()).rejects.toThrow(LeaseEnded);
    }
    expect(plain(await second.readKeys('session', ['a']))).toEqual({ a: 'second' });
    expect((await second.readJournal()).map(({ id }) => id)).toEqual(['m']);
    await keys.clear();
    await expect(second.write(a('after the logout'))).rejects.toThrow(LeaseEnded);
    expect((await keys.readKeys('session', ['a'])).size).toBe(0);
  });

  it('come in thousands', async () => {
    const device = await store.device();
    const ids = Array.from({ length: 3000 }, (_, index) => String(index));
    await store
      .credentials(device)
      .write(ids.map((id) => ({ type: 'pre-key', id, value: randomBytes(100) })));
    const found = await store.credentials(device).readKeys('pre-key', ids);
    expect(found.size).toBe(3000);
    await store.credentials(device).write(ids.map((id) => ({ type: 'pre-key', id, value: null })));
    expect((await store.credentials(device).readKeys('pre-key', ids)).size).toBe(0);
  });

  it('are those of one device, and sealed for their place', async () => {
    const [one, other] = [await store.device(), await store.device()];
    await store.credentials(one).write([{ type: 'session', id: 'a', value: bytes('very secret') }]);
    expect((await store.credentials(other).readKeys('session', ['a'])).size).toBe(0);
    const foreign = new StoredCredentials({
      db: store.db,
      vault: store.vault,
      clock: systemClock,
      device: { id: one.id, tenantId: other.tenantId },
    });
    expect((await foreign.readKeys('session', ['a'])).size).toBe(0);
    const { value } = await store.db
      .selectFrom('signal_keys')
      .select('value')
      .where('device_id', '=', one.id)
      .executeTakeFirstOrThrow();
    expect(Buffer.from(value).includes('very secret')).toBe(false);
    const moved = { device_id: one.id, tenant_id: one.tenantId, type: 'session', id: 'b', value };
    await store.db.insertInto('signal_keys').values(moved).execute();
    await expect(store.credentials(one).readKeys('session', ['b'])).rejects.toThrow(VaultError);
  });
});

describe('one write', () => {
  it('is all or nothing', async () => {
    const device = await store.device();
    const keys = store.credentials(device);
    const broken = { type: 'session', id: 'b', value: undefined as unknown as Uint8Array };
    const journal = [{ id: 'j', stanza: bytes('s'), plaintext: bytes('p'), receivedAt: 1 }];
    await expect(
      keys.write([{ type: 'session', id: 'a', value: bytes('one') }, broken], journal),
    ).rejects.toThrow();
    const foreign = { id: 'x', stanza: bytes('s'), plaintext: bytes('p'), receivedAt: Number.NaN };
    await expect(
      keys.write([{ type: 'session', id: 'a', value: bytes('two') }], [foreign]),
    ).rejects.toThrow();
    expect((await keys.readKeys('session', ['a', 'b'])).size).toBe(0);
    expect(await store.credentials(device).readJournal()).toEqual([]);
  });

  it('is there after kill -9 in the moment it was reported', async () => {
    const device = await store.device();
    const script = fileURLToPath(new URL('./write-and-wait.ts', import.meta.url));
    const child = spawn(process.execPath, [script, store.dataDir, device.id, device.tenantId], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    let written = 0;
    for await (const chunk of child.stdout) {
      written = Number(String(chunk).trim().split('\n').at(-1));
      if (written >= 20) child.kill('SIGKILL');
    }
    expect((await ended)[1]).toBe('SIGKILL');
    const reader = new StoredCredentials({
      db: store.db,
      vault: new Vault(Buffer.alloc(32, 7)),
      clock: systemClock,
      device,
    });
    const journal = await reader.readJournal();
    expect(journal.length).toBeGreaterThanOrEqual(written);
    const ratchet = Number(plain(await reader.readKeys('session', ['peer'])).peer);
    // Ratchet and journal never differ: that is the promise.
    expect(ratchet).toBe(journal.length);
  });
});

describe('the journal', () => {
  it('keeps entries in order until they are stored elsewhere, once each', async () => {
    const device = await store.device();
    const keys = store.credentials(device);
    const entry = (id: string, receivedAt: number, text = id) => ({
      id,
      stanza: bytes(`<${id}>`),
      plaintext: bytes(text),
      receivedAt,
    });
    await keys.write([], [entry('late', 30), entry('early', 10)]);
    await keys.write([], [entry('middle', 20), entry('early', 10, 'redelivered')]);
    const read = await store.credentials(device).readJournal();
    expect(
      read.map((each) => [each.id, Buffer.from(each.plaintext ?? []).toString(), each.receivedAt]),
    ).toEqual([
      ['early', 'early', 10],
      ['middle', 'middle', 20],
      ['late', 'late', 30],
    ]);
    await keys.deleteJournal(['early', 'late', 'unknown']);
    expect((await keys.readJournal()).map((each) => each.id)).toEqual(['middle']);
    await keys.deleteJournal([]);
  });

  it('gives rows that it cannot open as such, and none that was set aside', async () => {
    const device = await store.device();
    const keys = store.credentials(device);
    const entry = (id: string, receivedAt: number) => ({
      id,
      stanza: bytes(`<${id}>`),
      plaintext: bytes(id),
      receivedAt,
    });
    const before = await journalSize(store.db);
    await keys.write([], [entry('good', 1), entry('damaged', 2), entry('odd', 3)]);
    await store.db
      .updateTable('inbound_journal')
      .set({ plaintext: bytes('not sealed') })
      .where('id', '=', 'damaged')
      .execute();
    await keys.setAside('odd', 'RangeError');
    expect((await keys.readJournal()).map(({ id, plaintext }) => [id, plaintext && 'opened'])).toEqual([
      ['good', 'opened'],
      ['damaged', null],
    ]);
    const { waiting, setAside } = await journalSize(store.db);
    expect([waiting - before.waiting, setAside - before.setAside]).toEqual([2, 1]);
    const { value: aside } = await setAsideRows(store).next();
    expect(aside).toMatchObject({ id: 'odd', deviceId: device.id, receivedAt: 3, reason: 'RangeError' });
    expect(Buffer.from(aside?.plaintext ?? []).toString()).toBe('odd');
  });
});

describe('credentials', () => {
  it('are written, replaced, and forgotten with everything else', async () => {
    const device = await store.device();
    const keys = store.credentials(device);
    expect(await keys.readCredentials()).toBeNull();
    await keys.writeCredentials(bytes('first'));
    await keys.writeCredentials(bytes('second'));
    expect(Buffer.from((await store.credentials(device).readCredentials()) ?? []).toString()).toBe('second');
    await keys.write(
      [{ type: 'session', id: 'a', value: bytes('one') }],
      [{ id: 'j', stanza: bytes('s'), plaintext: bytes('p'), receivedAt: 1 }],
    );
    await keys.clear();
    expect(await keys.readCredentials()).toBeNull();
    expect((await keys.readKeys('session', ['a'])).size).toBe(0);
    expect(await keys.readJournal()).toEqual([]);
  });
});
