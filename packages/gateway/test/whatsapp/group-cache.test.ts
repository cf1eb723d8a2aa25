/** The member lists that sends go by, and what is told of members elsewhere, are of the same moment. */
import { expect, test } from 'vitest';
import type { GroupMetadata, Socket } from '../../src/whatsapp/baileys/library.ts';
import { GroupCache } from '../../src/whatsapp/baileys/outbound/group-cache.ts';

const GROUP = '120363039000000000@g.us';

function socketThat(answers: (() => Promise<string>)[]): Pick<Socket, 'groupMetadata'> {
  return {
    groupMetadata: async (id) => ({ id, subject: (await answers.shift()?.()) ?? '' }) as GroupMetadata,
  };
}

test('a list is asked for once, and anew after a change', async () => {
  const cache = new GroupCache();
  const socket = socketThat([async () => 'first', async () => 'second']);
  expect((await cache.fetched(socket, GROUP)).subject).toBe('first');
  expect((await cache.fetched(socket, GROUP)).subject).toBe('first');
  cache.forget(GROUP);
  expect((await cache.fetched(socket, GROUP)).subject).toBe('second');
});

test('an answer that a change has overtaken is not kept', async () => {
  const cache = new GroupCache();
  const socket = socketThat([
    async () => {
      cache.forget(GROUP);
      return 'before the change';
    },
    async () => 'after it',
  ]);
  expect((await cache.fetched(socket, GROUP)).subject).toBe('before the change');
  expect(cache.get(GROUP)).toBeUndefined();
  expect((await cache.fetched(socket, GROUP)).subject).toBe('after it');
  expect(cache.get(GROUP)?.subject).toBe('after it');
});
