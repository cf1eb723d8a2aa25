import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/index.ts';
import { Client } from './baileys-client.ts';

let sandbox: Sandbox | undefined;
const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end();
  await sandbox?.stop();
  sandbox = undefined;
});

function client(on: Sandbox, options: Record<string, unknown> = {}): Client {
  const made = new Client({ url: on.url, rootPublic: Buffer.from(on.rootKey, 'hex') }, undefined, options);
  clients.push(made);
  return made.connect();
}

describe('startSandbox', () => {
  it('links an unmodified Baileys client to a phone and carries text both ways', async () => {
    sandbox = await startSandbox({ companionRegRefresh: 'never' });
    const alice = await sandbox.createPhone({ number: '5511999990001', name: 'Alice' });
    const bob = await sandbox.createPhone({ number: '5511999990002', name: 'Bob' });
    // History sync on, as by default: the phone's bootstrap has to end the first buffering.
    const companion = client(sandbox, { shouldSyncHistoryMessage: () => true });
    const linked = await companion.linkTo(alice);
    await sandbox.waitForOnline(linked.jid);
    expect(sandbox.online(linked.jid)).toBe(true);

    await bob.sendText(alice.number, 'hello alice');
    const got = await companion.message('hello alice');
    expect(got.pushName).toBe('Bob');
    await companion.socket.sendMessage(bob.jid, { text: 'hello bob' });
    const received = await bob.waitForMessage((message) => message.text === 'hello bob');
    expect(received.from).toBe(alice.jid);
    await expect.poll(() => sandbox?.pendingFor(linked.jid)).toBe(0);
  });

  it('hands app-state changes of one companion to the other', async () => {
    sandbox = await startSandbox({ companionRegRefresh: 'never' });
    const alice = await sandbox.createPhone({ number: '5511999990001', name: 'Alice' });
    const companions: Client[] = [];
    for (let n = 0; n < 2; n += 1) {
      const companion = client(sandbox, { shouldSyncHistoryMessage: () => true });
      await companion.linkTo(alice);
      await companion.until('the app-state key', () => companion.auth.creds.myAppStateKeyId);
      companions.push(companion);
    }
    const [first, second] = companions;
    await first?.socket.chatModify({ pin: true }, '5511999990002@s.whatsapp.net');
    await second?.event('chats.update', (chats) => chats.some(({ pinned }) => Boolean(pinned)));
    await second?.socket.chatModify({ pin: false }, '5511999990002@s.whatsapp.net');
    await first?.event('chats.update', (chats) => chats.some(({ pinned }) => pinned === null));
  });

  it('leaves nothing behind', async () => {
    const stopped = await startSandbox();
    await stopped.createPhone({ number: '5511999990001', name: 'Alice' });
    expect(existsSync(stopped.caFile)).toBe(true);
    await stopped.stop();
    expect(existsSync(stopped.caFile)).toBe(false);
    await expect(fetch(stopped.url.replace('ws:', 'http:'))).rejects.toThrow();
  });
});
