import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { takeListeners } from '../../src/whatsapp/baileys/connection/taken-listeners.ts';

test('listeners that are taken are called by their taker alone; what listens once, once', async () => {
  const ws = new EventEmitter();
  const called: string[] = [];
  ws.on('CB:success', (node: string) => called.push(`first ${node}`));
  ws.once('CB:success', async (node: string) => {
    called.push(`once ${node}`);
    throw new Error('closed');
  });
  ws.on('CB:success', function (this: unknown, node: string) {
    if (this === ws) called.push(`last ${node}`);
  });
  const taken = takeListeners(ws, 'CB:success');
  ws.emit('CB:success', 'unheard');
  const all = (node: string) => Promise.allSettled(taken.map((listener) => listener(node)));
  const outcomes = [await all('a'), await all('b')].map((each) => each.map(({ status }) => status));
  expect(called).toEqual(['first a', 'once a', 'last a', 'first b', 'last b']);
  expect(outcomes).toEqual([
    ['fulfilled', 'rejected', 'fulfilled'],
    ['fulfilled', 'fulfilled', 'fulfilled'],
  ]);
});
