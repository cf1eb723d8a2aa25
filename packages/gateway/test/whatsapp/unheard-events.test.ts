/** The library tells what nobody listens to by `emit` of the one buffer, also what it holds back. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { dropUnheard } from '../../src/whatsapp/baileys/connection/unheard-events.ts';
import { initAuthCreds, makeWASocket } from '../../src/whatsapp/baileys/library.ts';
import { quiet } from './quiet.ts';

test('messages and chats are let go of, credentials are told', async () => {
  // Takes connections and says nothing.
  const server = createServer((connection) => connection.on('error', () => undefined)).unref();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const socket = makeWASocket({
    auth: {
      creds: { ...initAuthCreds(), me: { id: '1:1@s.whatsapp.net' } },
      keys: { get: async () => ({}), set: async () => undefined },
    },
    logger: quiet,
    waWebSocketUrl: `ws://127.0.0.1:${address.port}/ws`,
  });
  const heard: string[] = [];
  for (const name of ['messages.upsert', 'contacts.update', 'creds.update'] as const) {
    socket.ev.on(name, () => heard.push(name));
  }
  dropUnheard(socket.ev);
  const key = { remoteJid: '2@s.whatsapp.net', fromMe: false, id: '3EB0' };
  await socket.upsertMessage({ key, pushName: 'Ann', message: { conversation: 'Hi' } }, 'notify');
  socket.ev.emit('creds.update', {});
  // What was held back would be told now.
  socket.ev.flush();
  await Promise.resolve(socket.end(undefined)).catch(() => undefined);
  server.close();
  expect(heard).toEqual(['creds.update']);
});
