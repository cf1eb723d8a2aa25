/** Files that WhatsApp made for the device alone: history and state of the account. */
import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { AccountFiles } from '../../src/media/download/account-files.ts';
import { expandMediaKey } from '../../src/media/keys.ts';
import { FolderBlobStore } from '../../src/storage/blobs.ts';
import { type AccountFile, AccountFileLost } from '../../src/whatsapp/port/account-files.ts';
import { MediaWorld } from './media-world.ts';
import { readAll } from './received.ts';

let world: MediaWorld;
beforeEach(async () => {
  world = await MediaWorld.create();
});
afterEach(() => world.close());

const kept = () => readdir(join(world.dataDir, 'account', 'tmp'));

const open = (
  file: AccountFile,
  { hosts = [world.cdn.hostname], signal = new AbortController().signal } = {},
) =>
  new AccountFiles({
    http: world.http,
    clock: systemClock,
    blobs: new FolderBlobStore(join(world.dataDir, 'account')),
    timeoutMs: 60_000,
  }).open(file, { hosts, auth: '', expiresAt: 0, route: null }, signal);

/** A file of the server's, as it lies on the media hosts. */
function made(plain: Buffer): AccountFile {
  const mediaKey = randomBytes(32);
  const { iv, cipherKey, macKey } = expandMediaKey('history', mediaKey);
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const mac = createHmac('sha256', macKey).update(iv).update(encrypted).digest().subarray(0, 10);
  const ciphertext = Buffer.concat([encrypted, mac]);
  const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
  return {
    kind: 'history',
    mediaKey,
    directPath: world.cdn.keep('md-msg-hist', ciphertext),
    fileSha256: hash(plain),
    fileEncSha256: hash(ciphertext),
    fileLength: plain.length,
  };
}

test('it is read from the disk as often as wanted, and then removed', async () => {
  const plain = randomBytes(300_000);
  const opened = await open(made(plain));
  for (const _time of [1, 2]) expect((await readAll(await opened.read())).equals(plain)).toBe(true);
  expect(await kept()).toHaveLength(1);
  await opened.close();
  expect(await kept()).toEqual([]);
});

test('one that is gone or broken is lost', async () => {
  const file = made(randomBytes(100));
  world.cdn.corrupt(file.directPath);
  await expect(open(file)).rejects.toThrow(new AccountFileLost('corrupt'));
  world.cdn.expire(file.directPath);
  await expect(open(file)).rejects.toThrow(new AccountFileLost('expired'));
  expect(await kept()).toEqual([]);
});

test('one whose hosts say nothing is not lost, and an end from outside is told as it is', async () => {
  const file = made(randomBytes(100));
  const unreachable = open(file, { hosts: [] });
  await expect(unreachable).rejects.toThrow('the media hosts: no media host is known');
  await expect(unreachable).rejects.not.toBeInstanceOf(AccountFileLost);
  const ending = new AbortController();
  const reason = new Error('the session ends');
  ending.abort(reason);
  await expect(open(file, { signal: ending.signal })).rejects.toBe(reason);
  expect(await kept()).toEqual([]);
});
