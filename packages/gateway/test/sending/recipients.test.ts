import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { NumberLookUps } from '../../src/sending/number-look-ups.ts';
import {
  mentionedJids,
  namesOf,
  parseRecipient,
  personJid,
  Recipients,
  recipientOf,
  spellingsOf,
  writtenNames,
} from '../../src/sending/recipients.ts';
import type { Identity, Jid } from '../../src/whatsapp/port/identity.ts';
import { idleContacts, idleGroups, idleSession } from '../whatsapp/idle-session.ts';

const USER = '5511987654321@s.whatsapp.net';
const WITHOUT_NINE = '551187654321@s.whatsapp.net';
const LID = '112233445566778@lid';
const GROUP = '120363039000000000@g.us';
const CHANNEL = '120363039000000001@newsletter';

describe('a recipient', () => {
  test.each([
    ['+55 (11) 98765-4321', { kind: 'number', digits: '5511987654321' }],
    [USER, { kind: 'number', digits: '5511987654321' }],
    [` 5511987654321:3@c.us\n`, { kind: 'number', digits: '5511987654321' }],
    ['+55 11 98765-4321 @s.whatsapp.net', { kind: 'number', digits: '5511987654321' }],
    [` ${LID} `, { kind: 'chat', jid: LID }],
    ['112233445566778:3@lid', { kind: 'chat', jid: LID }],
    [GROUP, { kind: 'chat', jid: GROUP }],
    [CHANNEL, { kind: 'chat', jid: CHANNEL }],
  ])('%j is %j', (text, address) => {
    expect(parseRecipient(text, 'number')).toEqual(address);
  });

  test.each([
    ['somebody', 'must be 10 to 15 digits with country code, or a JID'],
    [
      '123',
      'must be 10 to 15 digits with country code: is the country code missing? A shorter one of a small country begins with +',
    ],
    ['status@broadcast', 'broadcast lists and status are not recipients'],
    ['ana@example.com', 'is not a JID of WhatsApp'],
    [`+55 11 98765-4321@lid@s.whatsapp.net`, 'is not a JID of WhatsApp'],
    [`${USER}@`, 'is not a JID of WhatsApp'],
  ])('%j: %s', (value, message) => {
    expect(() => parseRecipient(value, 'to')).toThrow(
      expect.objectContaining({
        code: 'INVALID_RECIPIENT',
        message: `to ${message}`,
        detail: expect.objectContaining({ validation: [{ field: 'to', message, value }] }),
      }),
    );
  });

  test('of a refused value the beginning is told', () => {
    const validation = [expect.objectContaining({ value: 'x'.repeat(100) })];
    expect(() => parseRecipient('x'.repeat(101), 'to')).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ validation }) }),
    );
  });

  test('is named number or to, and both must mean one', () => {
    const same = { kind: 'number', digits: '5511987654321' };
    expect(recipientOf({ number: '5511987654321' })).toEqual(same);
    expect(recipientOf({ to: USER })).toEqual(same);
    expect(recipientOf({ number: '+55 11 98765-4321', to: USER })).toEqual(same);
    expect(() => recipientOf({ number: USER, to: LID })).toThrow(/^to: names another recipient/);
    expect(() => recipientOf({ number: USER, to: 'x' })).toThrow(/^to must be/);
    expect(() => recipientOf({})).toThrow(/^number: is required/);
    expect(() => recipientOf({}, 'to')).toThrow(/^to: is required/);
  });

  test('may be stored under every spelling of its number, as it is written first', () => {
    expect(namesOf({ kind: 'number', digits: '5511987654321' })).toEqual([USER, WITHOUT_NINE]);
    expect(namesOf({ kind: 'chat', jid: GROUP })).toEqual([GROUP]);
    expect(spellingsOf(USER)).toEqual([USER, WITHOUT_NINE]);
    for (const jid of [LID, GROUP, 'nobody']) expect(spellingsOf(jid)).toEqual([jid]);
  });
});

describe('a person', () => {
  test.each([
    [USER, USER],
    [` ${LID}\n`, LID],
    ['5511987654321:7@c.us', USER],
    ['+55 11 98765-4321', USER],
    ['+55 11 98765-4321@s.whatsapp.net', USER],
    [GROUP, null],
    [CHANNEL, null],
    ['status@broadcast', null],
    ['somebody', null],
    ['', null],
  ])('%j is %j', (text, jid) => {
    expect(personJid(text)).toBe(jid);
  });

  test('is mentioned by JID or number, with or without the @ of the text', () => {
    expect(mentionedJids(['@+55 11 98765-4321', LID])).toEqual([USER, LID]);
    expect(mentionedJids(undefined)).toEqual([]);
    expect(() => mentionedJids([LID, GROUP])).toThrow(/^mentioned\.1: must be/);
    expect(() => mentionedJids(['a@@'], 'people')).toThrow(/^people\.0: must be/);
  });

  test('is written once, by number when it is known', () => {
    const people = [
      { jid: USER, lid: LID },
      { jid: null, lid: LID },
      { jid: USER, lid: null },
      { jid: null, lid: null },
    ];
    expect(writtenNames(people)).toEqual([USER, LID]);
  });
});

describe('the account that is meant', () => {
  const DEVICE = {
    id: 'd',
    tenantId: 't',
    userId: 'u',
    jid: '4930123456@s.whatsapp.net',
    lid: '99999999999999@lid',
  };
  const ANA: Identity = { jid: WITHOUT_NINE, lid: LID };
  const none: Identity[] = [];

  /** WhatsApp knows these accounts; these chats are stored, and these people are in every group. */
  function known({ accounts = none, chats = none, members = none, silent = false }) {
    const asked: string[] = [];
    const groups: string[] = [];
    const session = idleSession({
      groups: {
        ...idleGroups,
        members: async (group) => {
          groups.push(group);
          return members.map((each) => ({ ...each, admin: false, superAdmin: false }));
        },
      },
      contacts: {
        ...idleContacts,
        lookUpNumbers: async (numbers) => {
          asked.push(numbers[0] ?? '');
          if (silent) throw new Error('silence');
          return numbers.map((number) => {
            const found = accounts.find(({ jid, lid }) => (jid ?? lid)?.startsWith(`${number}@`));
            return { number, exists: found !== undefined, jid: found?.jid ?? null, lid: found?.lid ?? null };
          });
        },
      },
    });
    const stored = {
      storedChat: async (_device: unknown, names: readonly Jid[]) =>
        chats.find(({ jid }) => jid !== null && names.includes(jid)) ?? null,
    };
    const lookUps = new NumberLookUps({ clock: new ManualClock(), chats: stored });
    const recipients = new Recipients({ chats: stored, lookUps });
    const people = (names: Jid[], chat: Identity | null = null, online = true) =>
      recipients.people(
        {
          session: online ? session : null,
          device: DEVICE,
          chat: chat && { to: chat.jid ?? '', chat, isGroup: chat.jid === GROUP },
        },
        names,
      );
    const resolve = (text: string) => recipients.resolve(session, DEVICE, parseRecipient(text, 'to'));
    return { asked, groups, people, resolve };
  }

  test('a chat is itself, a number is looked up', async () => {
    const { resolve } = known({ accounts: [ANA] });
    expect(await resolve(GROUP)).toEqual({ to: GROUP, chat: { jid: GROUP, lid: null }, isGroup: true });
    expect(await resolve(LID)).toEqual({ to: LID, chat: { jid: null, lid: LID }, isGroup: false });
    expect(await resolve(USER)).toEqual({ to: WITHOUT_NINE, chat: ANA, isGroup: false });
  });

  test('of a number that nobody has it is said when no country gives it out', async () => {
    const { resolve } = known({});
    const message = 'the number 5511987654321 is not on WhatsApp';
    await expect(resolve(USER)).rejects.toMatchObject({ code: 'NOT_ON_WHATSAPP', message });
    await expect(resolve('11987654321')).rejects.toThrow(/is its country code missing\?$/);
  });

  test('people of the chat and the account itself are meant before anybody is asked', async () => {
    const own = { jid: DEVICE.jid, lid: DEVICE.lid };
    const direct = known({ accounts: [{ jid: USER, lid: null }] });
    expect(await direct.people([USER, DEVICE.jid], ANA)).toEqual([ANA, { jid: DEVICE.jid, lid: null }]);
    const group = known({ members: [ANA, own], accounts: [{ jid: USER, lid: null }] });
    expect(await group.people([USER], { jid: GROUP, lid: null })).toEqual([ANA]);
    expect([direct.asked, group.asked]).toEqual([[], []]);
  });

  test('who is not in the group is not looked for', async () => {
    const { people, asked } = known({ accounts: [ANA] });
    expect(await people([USER], { jid: GROUP, lid: null })).toEqual([{ jid: USER, lid: null }]);
    expect(asked).toEqual([]);
  });

  test('the members of a group are asked for when somebody may be spelt in another way', async () => {
    const { people, groups } = known({ members: [ANA] });
    const group = { jid: GROUP, lid: null };
    await people([LID], group);
    expect(groups).toEqual([]);
    expect(await people([LID, USER], group)).toEqual([{ jid: null, lid: LID }, ANA]);
    expect(groups).toEqual([GROUP]);
  });

  test('else the stored chat, else whom WhatsApp names, else the name as it is written', async () => {
    const stored = known({ chats: [ANA] });
    expect(await stored.people([USER, LID])).toEqual([ANA, { jid: null, lid: LID }]);
    expect(stored.asked).toEqual([]);
    expect(await known({ accounts: [ANA] }).people([USER])).toEqual([ANA]);
    const written = [{ jid: USER, lid: null }];
    expect(await known({}).people([USER])).toEqual(written);
    expect(await known({ silent: true }).people([USER])).toEqual(written);
    expect(await known({ accounts: [ANA] }).people([USER], null, false)).toEqual(written);
  });

  test('in Argentina the other spelling may be somebody else: WhatsApp is asked before the chats', async () => {
    const mobile = '5491155552671@s.whatsapp.net';
    const landline = { jid: '541155552671@s.whatsapp.net', lid: null };
    const { people } = known({ chats: [landline], accounts: [{ jid: mobile, lid: LID }] });
    expect(await people([mobile])).toEqual([{ jid: mobile, lid: LID }]);
    expect(await known({ chats: [landline] }).people([mobile])).toEqual([landline]);
  });

  test('ten of one request are looked up', async () => {
    const { people, asked } = known({});
    const names = Array.from({ length: 11 }, (_, at) => `55119876543${10 + at}@s.whatsapp.net`);
    expect(await people(names)).toHaveLength(11);
    expect(asked).toHaveLength(10);
  });
});
