import { describe, expect, test } from 'vitest';
import {
  mentionedJids,
  namesOf,
  notOnWhatsApp,
  parseRecipient,
  personJid,
  recipientOf,
  spellingsOf,
  writtenNames,
} from '../../src/sending/recipients.ts';

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
    ['123', 'must be 10 to 15 digits with country code: is the country code missing?'],
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

test('of a number that nobody has it is said when no country gives it out', () => {
  const known = 'the number 5511987654321 is not on WhatsApp';
  expect(notOnWhatsApp('5511987654321')).toMatchObject({ code: 'NOT_ON_WHATSAPP', message: known });
  expect(notOnWhatsApp('11987654321').message).toMatch(/is its country code missing\?$/);
});
