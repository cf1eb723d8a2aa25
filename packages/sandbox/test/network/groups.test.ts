import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { childNamed } from '../../src/wire/stanza.ts';
import type { Client } from './baileys-client.ts';
import { type BarePhone, startTestNetwork, type TestNetwork } from './test-network.ts';

let net: TestNetwork;
let phones: BarePhone[];
let alice: Client;
let bob: Client;
let carol: Client;

const CAROL = '5511999990003@s.whatsapp.net';
const BOB = '5511999990002@s.whatsapp.net';

beforeEach(async () => {
  net = await startTestNetwork();
  phones = [
    net.phone('5511999990001', 'Alice'),
    net.phone('5511999990002', 'Bob'),
    net.phone('5511999990003', 'Carol'),
  ];
  const [a, b, c] = phones as [BarePhone, BarePhone, BarePhone];
  alice = await net.linked(a);
  bob = await net.linked(b);
  carol = await net.linked(c);
});
afterEach(() => net.stop());

describe('groups', () => {
  it('are made by a client, known to their members, and carry messages to every member device', async () => {
    const group = await alice.socket.groupCreate('Friends', [BOB]);
    expect(group.subject).toBe('Friends');
    expect(group.addressingMode).toBe('lid');
    await bob.event('groups.upsert', (groups) => groups.some(({ id }) => id === group.id));
    const seen = await bob.socket.groupMetadata(group.id);
    expect(seen.participants.map(({ phoneNumber, admin }) => [phoneNumber, admin])).toEqual([
      ['5511999990001@s.whatsapp.net', 'superadmin'],
      [BOB, null],
    ]);
    expect(Object.keys(await bob.socket.groupFetchAllParticipating())).toEqual([group.id]);

    await alice.socket.sendMessage(group.id, { text: 'hello group' });
    const got = await bob.message('hello group');
    expect(got.key.remoteJid).toBe(group.id);
    expect(got.key.participant).toBe(`${phones[0]?.account.lid}@lid`);
    const copy = phones[1]?.received.find(({ tag }) => tag === 'message');
    expect(copy?.attrs).toMatchObject({
      from: group.id,
      participant: `${phones[0]?.account.lid}:1@lid`,
      participant_pn: '5511999990001@s.whatsapp.net',
      addressing_mode: 'lid',
    });
    // The sender key for this device comes first, then the message for all.
    const encs = (Array.isArray(copy?.content) ? copy.content : []).filter(({ tag }) => tag === 'enc');
    expect(encs.map(({ attrs }) => attrs.type)).toEqual(['pkmsg', 'skmsg']);

    await bob.socket.sendMessage(group.id, { text: 'hello from bob' });
    await alice.message('hello from bob');
    await bob.socket.sendMessage(group.id, { text: 'and again' });
    await alice.message('and again');

    const read = alice.event('message-receipt.update', (updates) =>
      updates.some(({ receipt }) => Boolean(receipt.readTimestamp)),
    );
    await bob.socket.readMessages([got.key]);
    await read;
  });

  it('change their members and subject, each change told to all', async () => {
    const group = await alice.socket.groupCreate('Team', [BOB]);
    const added = await alice.socket.groupParticipantsUpdate(group.id, [CAROL, BOB], 'add');
    expect(added.map(({ status }) => status)).toEqual(['200', '409']);
    await bob.event('group-participants.update', ({ action }) => action === 'add');
    await carol.event('groups.upsert', (groups) => groups.some(({ id }) => id === group.id));
    await carol.socket.sendMessage(group.id, { text: 'thanks' });
    await bob.message('thanks');

    await bob.socket.groupUpdateSubject(group.id, 'The team');
    await carol.event('groups.update', (updates) => updates.some(({ subject }) => subject === 'The team'));
    await expect(bob.socket.groupParticipantsUpdate(group.id, [CAROL], 'remove')).rejects.toThrow(
      'forbidden',
    );

    await carol.socket.groupLeave(group.id);
    await alice.event('group-participants.update', ({ action }) => action === 'remove');
    await expect(carol.socket.groupMetadata(group.id)).rejects.toThrow('forbidden');
  });

  it('refuse messages of those who are not members, and of unknown groups', async () => {
    const group = await alice.socket.groupCreate('Closed', [BOB]);
    const send = async (to: string, id: string): Promise<string | undefined> => {
      const ack = carol.socket.waitForMessage(id, 60_000) as Promise<{ attrs: Record<string, string> }>;
      await carol.socket.sendNode({ tag: 'message', attrs: { to, id, type: 'text' }, content: [] });
      return (await ack).attrs.error;
    };
    expect(await send(group.id, 'OUTSIDER1')).toBe('403');
    expect(await send('120363000000000000@g.us', 'OUTSIDER2')).toBe('404');
    expect(phones[1]?.received.some((node) => childNamed(node, 'enc'))).toBe(false);
  });

  it('are joined by invite code and set by admins', async () => {
    const group = await alice.socket.groupCreate('Open', [BOB]);
    const code = (await alice.socket.groupInviteCode(group.id)) ?? '';
    expect((await carol.socket.groupGetInviteInfo(code)).subject).toBe('Open');
    expect(await carol.socket.groupAcceptInvite(code)).toBe(group.id);
    await alice.socket.groupSettingUpdate(group.id, 'announcement');
    await alice.socket.groupUpdateDescription(group.id, 'What it is about');
    const seen = await carol.socket.groupMetadata(group.id);
    expect(seen).toMatchObject({ announce: true, desc: 'What it is about' });
  });
});
