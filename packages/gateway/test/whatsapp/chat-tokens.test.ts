import { expect, test } from 'vitest';
import { storeChatTokens } from '../../src/whatsapp/baileys/account/chat-tokens.ts';
import { storedLids } from '../../src/whatsapp/baileys/account/stored-lids.ts';
import { loadAuthState } from '../../src/whatsapp/baileys/connection/auth-state.ts';
import { MemoryCredentials } from './memory-credentials.ts';

const token = (text: string) => Buffer.from(text);

test('contact tokens from history are kept by LID, in the form that the library reads, the newest of each', async () => {
  const { keys } = await loadAuthState(new MemoryCredentials());
  await keys.set({ 'lid-mapping': { '5511999990001': '111', '111_reverse': '5511999990001' } });
  const directory = storedLids(keys);
  expect(await directory.getPNForLID('111:3@lid')).toBe('5511999990001@s.whatsapp.net');
  expect(await directory.getLIDForPN('5511999990002@s.whatsapp.net')).toBeNull();

  await storeChatTokens(keys, directory, [
    { chat: '5511999990001@s.whatsapp.net', token: token('first'), timestamp: 100, senderTimestamp: 90 },
    { chat: '222@lid', token: token('other'), timestamp: 100, senderTimestamp: null },
  ]);
  await storeChatTokens(keys, directory, [
    { chat: '111@lid', token: token('older'), timestamp: 50, senderTimestamp: null },
    { chat: '222@lid', token: token('newer'), timestamp: 101, senderTimestamp: null },
  ]);
  const stored = await keys.get('tctoken', ['111@lid', '222@lid', '__index']);
  expect(stored['111@lid']).toMatchObject({ timestamp: '100', senderTimestamp: 90 });
  expect(Buffer.from(stored['111@lid']?.token ?? []).toString()).toBe('first');
  expect(Buffer.from(stored['222@lid']?.token ?? []).toString()).toBe('newer');
  const index = Buffer.from(stored.__index?.token ?? []).toString();
  expect(JSON.parse(index).sort()).toEqual(['111@lid', '222@lid']);
});
