import { describe, expect, it } from 'vitest';
import { identity, isOwn, messageSource } from '../../../src/whatsapp/baileys/parse/message-source.ts';

const OWN = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const BOB = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
const GROUP = '120363039000000000@g.us';
const CHANNEL = '120363039000000001@newsletter';
const NOBODY = { getLIDForPN: async () => null, getPNForLID: async () => null };

const source = (attrs: Record<string, string>, directory = NOBODY) =>
  messageSource({ tag: 'message', attrs }, OWN, directory);

describe('who wrote, and where', () => {
  it.each([
    [
      { from: BOB.jid, sender_lid: BOB.lid },
      { sender: BOB, chat: BOB, fromMe: false, lidAddressed: false },
    ],
    [
      { from: BOB.lid, sender_pn: BOB.jid },
      { sender: BOB, chat: BOB, fromMe: false, lidAddressed: true },
    ],
    // From the device of a business that Meta hosts.
    [
      { from: '5511999990002:99@hosted', sender_lid: BOB.lid },
      { sender: BOB, chat: BOB, fromMe: false, lidAddressed: false },
    ],
    [
      { from: '222222222222222:99@hosted.lid', sender_pn: '5511999990002@hosted' },
      { sender: BOB, chat: BOB, fromMe: false, lidAddressed: true },
    ],
    [{ from: '111111111111111:99@hosted.lid' }, { sender: { jid: null, lid: OWN.lid }, fromMe: true }],
    [{ from: OWN.jid }, { sender: { jid: OWN.jid, lid: null }, fromMe: true }],
    [{ from: OWN.lid }, { sender: { jid: null, lid: OWN.lid }, fromMe: true }],
    [
      { from: OWN.jid, recipient: BOB.lid, peer_recipient_pn: BOB.jid },
      { sender: OWN, chat: BOB, fromMe: true, lidAddressed: true },
    ],
    [
      { from: OWN.jid, recipient: BOB.lid, recipient_pn: BOB.jid },
      { sender: OWN, chat: BOB, fromMe: true, lidAddressed: true },
    ],
    [
      { from: OWN.jid, recipient: BOB.jid, peer_recipient_lid: BOB.lid },
      { sender: OWN, chat: BOB, fromMe: true, lidAddressed: false },
    ],
    [
      { from: OWN.jid, recipient: BOB.jid, recipient_lid: BOB.lid },
      { sender: OWN, chat: BOB, fromMe: true, lidAddressed: false },
    ],
    [
      { from: OWN.jid, recipient: GROUP },
      { chat: { jid: GROUP, lid: null }, isGroup: true, fromMe: true },
    ],
  ])('in a chat of two: %j', async (attrs, expected) => {
    expect(await source(attrs)).toMatchObject({ isGroup: false, ...expected });
  });

  it.each([
    [
      { participant: '222222222222222:3@lid', participant_pn: BOB.jid },
      { sender: BOB, lidAddressed: true },
    ],
    [
      { participant: '222222222222222:99@hosted.lid', participant_pn: BOB.jid },
      { sender: BOB, lidAddressed: true },
    ],
    [
      { participant: BOB.jid, participant_lid: BOB.lid },
      { sender: BOB, lidAddressed: false },
    ],
    [{ participant: OWN.lid }, { fromMe: true }],
    [{}, { sender: { jid: null, lid: null } }],
  ])('in a group: %j', async (attrs, expected) => {
    const chat = { jid: GROUP, lid: null };
    expect(await source({ from: GROUP, ...attrs })).toMatchObject({
      chat,
      isGroup: true,
      fromMe: false,
      ...expected,
    });
  });

  const LIST = '1700000000@broadcast';
  it.each([
    [{ participant: `222222222222222:3@lid`, participant_pn: BOB.jid }, { lidAddressed: true }],
    [{ participant: BOB.jid, participant_lid: BOB.lid }, { lidAddressed: false }],
  ])('by the list of somebody, in the chat with him: %j', async (attrs, expected) => {
    expect(await source({ from: LIST, ...attrs })).toEqual({
      chat: BOB,
      sender: BOB,
      isGroup: false,
      fromMe: false,
      broadcast: { list: LIST },
      ...expected,
    });
  });

  it('by a list of our own phone, or of nobody, in that of the list', async () => {
    const chat = { jid: LIST, lid: null };
    const own = await source({ from: LIST, participant: OWN.lid });
    expect(own).toMatchObject({ chat, fromMe: true, broadcast: { list: LIST } });
    const nobody = await source({ from: LIST });
    expect(nobody).toMatchObject({ chat, sender: { jid: null, lid: null }, fromMe: false });
  });

  it('a broadcast and a channel are no groups', async () => {
    const status = await source({ from: 'status@broadcast', participant: BOB.jid });
    expect(status).toMatchObject({
      chat: { jid: 'status@broadcast' },
      broadcast: null,
      isGroup: false,
      sender: { jid: BOB.jid },
    });
    const chat = { jid: CHANNEL, lid: null };
    expect(await source({ from: CHANNEL })).toEqual({
      chat,
      isGroup: false,
      sender: chat,
      fromMe: false,
      lidAddressed: false,
      broadcast: null,
    });
  });
});

describe('the two names of a person', () => {
  const asked: string[] = [];
  const directory = {
    getLIDForPN: async (pn: string) => {
      asked.push(pn);
      return '222222222222222:4@lid';
    },
    getPNForLID: async (lid: string) => {
      asked.push(lid);
      return '5511999990002:4@s.whatsapp.net';
    },
  };

  it('are looked up when the stanza says only one of them', async () => {
    expect(await identity('5511999990002:9@s.whatsapp.net', undefined, directory)).toEqual(BOB);
    expect(await identity(BOB.lid, undefined, directory)).toEqual(BOB);
    expect(asked).toEqual([BOB.jid, BOB.lid]);
  });

  it('are not looked up when it says both, or when there can be one only', async () => {
    asked.length = 0;
    expect(await identity(BOB.jid, BOB.lid, directory)).toEqual(BOB);
    expect(await identity(GROUP, undefined, directory)).toEqual({ jid: GROUP, lid: null });
    expect(await identity('', undefined, directory)).toEqual({ jid: null, lid: null });
    expect(asked).toEqual([]);
  });

  it('the first of a kind counts', async () => {
    const other = '5511999990003@s.whatsapp.net';
    expect(await identity(BOB.jid, other, NOBODY)).toEqual({ jid: BOB.jid, lid: null });
    expect(await identity(BOB.lid, '333333333333333@lid', NOBODY)).toEqual({ jid: null, lid: BOB.lid });
  });

  it('one of them in common is enough to be us', () => {
    expect(isOwn({ jid: OWN.jid, lid: null }, OWN)).toBe(true);
    expect(isOwn({ jid: BOB.jid, lid: OWN.lid }, OWN)).toBe(true);
    expect(isOwn(BOB, OWN)).toBe(false);
    expect(isOwn({ jid: null, lid: null }, { ...OWN, lid: null })).toBe(false);
  });
});
