import { describe, expect, it } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import {
  canonicalJid,
  contradicts,
  formatJid,
  identityOf,
  isNewsletter,
  normaliseJid,
  parseJid,
  sameIdentity,
  serverOf,
  storedIdentity,
} from '../../src/identity/jid.ts';

describe('JIDs', () => {
  it.each([
    ['5511999990001@s.whatsapp.net', '5511999990001@s.whatsapp.net'],
    ['5511999990001@c.us', '5511999990001@s.whatsapp.net'],
    ['5511999990001:12@s.whatsapp.net', '5511999990001@s.whatsapp.net'],
    ['5511999990001_1:12@S.WHATSAPP.NET', '5511999990001@s.whatsapp.net'],
    ['5511999990001_123@s.whatsapp.net', '5511999990001@s.whatsapp.net'],
    ['112233445566778@lid', '112233445566778@lid'],
    ['112233445566778:3@lid', '112233445566778@lid'],
    ['120363039000000000@g.us', '120363039000000000@g.us'],
    ['5511999990001-1400000000@g.us', '5511999990001-1400000000@g.us'],
    ['120363039000000000@newsletter', '120363039000000000@newsletter'],
    ['status@broadcast', 'status@broadcast'],
    ['1400000000@broadcast', '1400000000@broadcast'],
  ])('%s is %s', (text, expected) => {
    expect(normaliseJid(text)).toBe(expected);
  });

  it.each([
    '',
    '@',
    '@lid',
    'abc@lid',
    '12@example.com',
    '5511999990001',
    '5511 99999@s.whatsapp.net',
    '1@2@lid@',
    'constructor@constructor',
    '120363039000000000:1@g.us',
    `${'9'.repeat(10_000)}@g.us`,
    'status@g.us',
    'x120363039000000000@g.us',
    'x120363039000000000@newsletter',
    '120363039000000000x@newsletter',
    'xstatus@broadcast',
    'statusx@broadcast',
    '5511999990001@s.whatsapp.net\n',
  ])('%j is no JID', (text) => {
    expect(parseJid(text)).toBeNull();
    expect(serverOf(text)).toBeNull();
  });

  it('tells channels from the rest', () => {
    expect(isNewsletter('120363039000000000@newsletter')).toBe(true);
    expect(isNewsletter('120363039000000000@g.us')).toBe(false);
  });

  it('reads the device and writes it back', () => {
    expect(parseJid('5511999990001:7@s.whatsapp.net')).toEqual({
      user: '5511999990001',
      server: 's.whatsapp.net',
      device: 7,
    });
    expect(formatJid({ user: '1234567', server: 'lid', device: 7 })).toBe('1234567:7@lid');
    expect(formatJid({ user: '1234567', server: 'lid', device: 0 })).toBe('1234567@lid');
  });

  it('never throws, and what it normalises stays as it is', () => {
    const servers = fc.constantFrom('s.whatsapp.net', 'c.us', 'lid', 'g.us', 'newsletter', 'broadcast', 'x');
    const jidLike = fc
      .tuple(fc.oneof(fc.stringMatching(/^\d{0,22}(_\d)?(:\d{1,3})?$/), fc.string()), servers)
      .map(([user, server]) => `${user}@${server}`);
    fc.assert(
      fc.property(fc.oneof(jidLike, fc.string()), (text) => {
        const once = normaliseJid(text);
        if (once === null) return;
        expect(normaliseJid(once)).toBe(once);
        expect(parseJid(once)?.device).toBeNull();
      }),
    );
  });

  it('reads back every JID it writes', () => {
    const user = fc.stringMatching(/^[1-9]\d{6,14}$/);
    const device = fc.option(fc.integer({ min: 1, max: 99 }));
    fc.assert(
      fc.property(user, fc.constantFrom('s.whatsapp.net', 'lid' as const), device, (name, server, id) => {
        const jid = { user: name, server, device: id } as const;
        expect(parseJid(formatJid(jid))).toEqual(jid);
      }),
    );
  });
});

describe('identities', () => {
  const phone = '5511999990001@s.whatsapp.net';
  const other = '5511999990002@s.whatsapp.net';
  const lid = '112233445566778@lid';
  const otherLid = '112233445566779@lid';

  it('prefers the phone number as the canonical name', () => {
    expect(canonicalJid({ jid: phone, lid })).toBe(phone);
    expect(canonicalJid({ jid: null, lid })).toBe(lid);
    expect(identityOf(lid)).toEqual({ jid: null, lid });
    expect(identityOf(phone)).toEqual({ jid: phone, lid: null });
    expect(storedIdentity(phone, lid)).toEqual({ jid: phone, lid });
    // Stored under the LID, it has no other name, whatever the column beside it says.
    expect(storedIdentity(lid, null)).toEqual({ jid: null, lid });
  });

  it('tells same, different and undecidable apart', () => {
    expect(sameIdentity({ jid: phone, lid }, { jid: null, lid })).toBe(true);
    expect(sameIdentity({ jid: phone, lid: null }, { jid: phone, lid })).toBe(true);
    expect(sameIdentity({ jid: null, lid }, { jid: null, lid: otherLid })).toBe(false);
    expect(sameIdentity({ jid: null, lid: null }, { jid: null, lid: null })).toBe(false);
    expect(contradicts({ jid: phone, lid: null }, { jid: other, lid: null })).toBe(true);
    expect(contradicts({ jid: null, lid }, { jid: null, lid: otherLid })).toBe(true);
    expect(contradicts({ jid: phone, lid }, { jid: phone, lid: otherLid })).toBe(false);
    expect(contradicts({ jid: phone, lid: null }, { jid: null, lid })).toBe(false);
    expect(contradicts({ jid: null, lid }, { jid: phone, lid: null })).toBe(false);
  });
});
