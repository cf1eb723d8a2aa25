import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlServer, startControl } from '../../src/control/control.ts';
import type { Phone } from '../../src/phones/phone.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox.ts';
import { Client } from '../network/baileys-client.ts';

let sandbox: Sandbox;
let control: ControlServer;
let alice: Phone;
let bob: Phone;
/** An unmodified Baileys client linked to Bob: what the real client understands is what it reports. */
let client: Client;

beforeAll(async () => {
  sandbox = await startSandbox({ companionRegRefresh: 'never' });
  control = await startControl(sandbox);
  alice = await sandbox.createPhone({ number: '5511999990001', name: 'Alice' });
  bob = await sandbox.createPhone({ number: '5511999990002', name: 'Bob' });
  client = new Client({ url: sandbox.url, rootPublic: Buffer.from(sandbox.rootKey, 'hex') }).connect();
  await client.linkTo(bob);
  await alice.sendText(bob, 'hello');
  await client.message('hello');
});
afterAll(async () => {
  const problems = [...alice.problems, ...bob.problems];
  await client.end();
  await control.stop();
  await sandbox.stop();
  expect(problems).toEqual([]);
});

async function call(method: string, path: string, body: object = {}): Promise<Record<string, unknown>> {
  const response = await fetch(`${control.url}${path}`, { method, body: JSON.stringify(body) });
  const answer = (await response.json()) as Record<string, unknown>;
  expect(answer.error, `${method} ${path}`).toBeUndefined();
  return answer;
}

describe('an unmodified client is told of', () => {
  test('presence it subscribed to, and of typing', async () => {
    const presence = (state: string) =>
      client.event('presence.update', ({ presences }) =>
        Object.values(presences).some(({ lastKnownPresence }) => lastKnownPresence === state),
      );
    await client.socket.presenceSubscribe(alice.jid);
    await presence('unavailable');
    await call('POST', `/phones/${alice.number}/presence`, { state: 'available' });
    await presence('available');
    await call('POST', `/phones/${alice.number}/typing`, { chat: bob.number, media: 'audio' });
    expect(Object.keys((await presence('recording')).presences)).toEqual([alice.lid]);
    await alice.typing(bob, 'composing');
    await presence('composing');
  });

  test('calls and their end', async () => {
    const seen = (status: string) =>
      client.event('call', ([signal]) => signal?.id === id && signal?.status === status);
    const { id } = (await call('POST', `/phones/${alice.number}/calls`, {
      to: bob.number,
      video: true,
    })) as { id: string };
    const [offer] = await seen('offer');
    expect(offer).toMatchObject({
      isVideo: true,
      from: alice.lid,
      callerPn: alice.jid,
      chatId: alice.lid,
    });
    await bob.waitForCall(({ callId, video }) => callId === id && video);
    await call('POST', `/phones/${bob.number}/calls/${id}`, { signal: 'preaccept' });
    await alice.waitForCall(({ signal, from }) => signal === 'preaccept' && from === bob.jid);
    await call('POST', `/phones/${alice.number}/calls/${id}`, { signal: 'relaylatency', latencyMs: 20 });
    await seen('relaylatency');
    await call('POST', `/phones/${alice.number}/calls/${id}`, { signal: 'terminate', reason: 'timeout' });
    await seen('timeout');
    const { signals } = await call('POST', `/phones/${bob.number}/calls`, { to: alice.number }).then(() =>
      fetch(`${control.url}/phones/${bob.number}/calls`).then(
        (r) => r.json() as Promise<{ signals: unknown }>,
      ),
    );
    expect(signals).toContainEqual(expect.objectContaining({ callId: id, signal: 'offer', from: alice.jid }));
  });

  test('groups, their settings and pictures', async () => {
    const group = await alice.createGroup('Lunch', [bob]);
    await client.event('groups.upsert', (groups) => groups.some(({ id }) => id === group.jid));
    const at = `/groups/${group.jid}`;
    const patch = (body: object) => call('PATCH', at, { by: alice.number, ...body });
    const update = (
      fits: (update: { subject?: string; announce?: boolean; restrict?: boolean }) => boolean,
    ) => client.event('groups.update', (updates) => updates.some(fits));
    // One by one: the library's event buffer keeps only the first of several updates of a group.
    await patch({ subject: 'Dinner' });
    await update(({ subject }) => subject === 'Dinner');
    await patch({ announcement: true });
    await update(({ announce }) => announce === true);
    await patch({ locked: true });
    await update(({ restrict }) => restrict === true);
    await patch({
      description: 'Where we eat',
      ephemeral: 86_400,
      picture: Buffer.from('picture').toString('base64'),
    });
    await client.event('contacts.update', (updates) =>
      updates.some(({ id, imgUrl }) => id === group.jid && imgUrl === 'changed'),
    );
    expect(await client.socket.groupMetadata(group.jid)).toMatchObject({
      subject: 'Dinner',
      desc: 'Where we eat',
      announce: true,
      restrict: true,
      ephemeralDuration: 86_400,
    });
    const { code } = (await call('POST', `${at}/invite`, { by: alice.number })) as { code: string };
    const carol = await sandbox.createPhone({ number: '5511999990003', name: 'Carol' });
    await call('POST', `${at}/join`, { by: carol.number, code });
    await client.event('group-participants.update', ({ action }) => action === 'add');
    await call('POST', `${at}/leave`, { by: carol.number });
    await client.event('group-participants.update', ({ action }) => action === 'remove');
  });

  test('pictures of contacts, and the block list of its account', async () => {
    await call('PATCH', `/phones/${alice.number}/profile`, {
      about: 'Gone fishing',
      picture: Buffer.from('picture').toString('base64'),
    });
    const changed = (imgUrl: string) =>
      client.event('contacts.update', (updates) =>
        updates.some((update) => update.id === alice.jid && update.imgUrl === imgUrl),
      );
    await changed('changed');
    await call('PATCH', `/phones/${alice.number}/profile`, { picture: null });
    await changed('removed');
    const [status] = (await client.socket.fetchStatus(alice.jid)) ?? [];
    expect(status).toMatchObject({ status: { status: 'Gone fishing' } });
    await call('POST', `/phones/${bob.number}/block`, { contact: alice.number });
    await client.event('blocklist.update', ({ type }) => type === 'add');
    await call('POST', `/phones/${bob.number}/block`, { contact: alice.number, blocked: false });
    await client.event('blocklist.update', ({ type }) => type === 'remove');
    await call('POST', `/phones/${bob.number}/privacy`, { category: 'last', value: 'none' });
    expect(await client.socket.fetchPrivacySettings(true)).toMatchObject({ last: 'none' });
  });
});

test('a number that registers again has new keys, no companions and no history, and is written to', async () => {
  const dora = await sandbox.createPhone({ number: '5511999990004', name: 'Dora' });
  const companion = new Client({
    url: sandbox.url,
    rootPublic: Buffer.from(sandbox.rootKey, 'hex'),
  }).connect();
  await companion.linkTo(dora);
  const atOpen = companion.events.length;
  await alice.sendText(dora, 'to the old phone');
  await dora.waitForMessage(({ text }) => text === 'to the old phone');

  await call('POST', `/phones/${dora.number}/reregister`);
  expect(await companion.closed(atOpen)).toBe(401);
  await companion.end();
  const again = sandbox.phones.find(({ number }) => number === dora.number);
  expect(again).not.toBe(dora);
  expect(again?.inbox).toEqual([]);
  await alice.idle();
  await alice.sendText(dora.jid, 'to the new phone');
  await again?.waitForMessage(({ text }) => text === 'to the new phone');
});

test('a silenced device hears nothing until it is resumed', async () => {
  const device = `${bob.number}:1@s.whatsapp.net`;
  await call('POST', '/faults/silence', { device });
  await alice.sendText(bob, 'into the void');
  await bob.waitForMessage(({ text }) => text === 'into the void');
  expect(sandbox.online(device)).toBe(true);
  expect(sandbox.pendingFor(device)).toBeGreaterThan(0);
  await call('POST', '/faults/resume', { device });
  await client.message('into the void');
});
