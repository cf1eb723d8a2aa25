import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectRefused, LinkedShop } from './linked-shop.ts';

let linked: LinkedShop;
let sentId: string;
beforeAll(async () => {
  linked = await LinkedShop.create();
  sentId = await linked.sendMarker();
});
afterAll(() => linked.world.destroy());
afterEach(() => linked.expectNothingSent());

const MEMBERS = { '/send/text': { text: 'x' }, '/send/document': { document: 'aGk=' } };
const PATHS = Object.keys(MEMBERS) as (keyof typeof MEMBERS)[];

const NOBODY: [string, string][] = [
  ['three digits', '123'],
  ['nine digits', '551199999'],
  ['sixteen digits', '5511999990001234'],
  ['a leading zero', '05511999990001'],
  ['letters', 'somebody'],
  ['digits among letters', '5511abc9999'],
  ['spaces', '   '],
  ['10 kB of digits', '5'.repeat(10 * 1024)],
  ['10 kB of separators', '(-) '.repeat(2560)],
  ['a JID without user', '@s.whatsapp.net'],
  ['a JID of another server', '5511999994002@example.com'],
  ['a JID of a member of every object', '5511999994002@constructor'],
  ['a JID with letters', 'abc@s.whatsapp.net'],
  ['two JIDs', '5511999994002@s.whatsapp.net@lid'],
  ['a group without digits', 'team@g.us'],
  ['the status list', 'status@broadcast'],
  ['a broadcast list', '1234567890@broadcast'],
  ['an e-mail address', 'ana@example.com'],
];

describe.each(PATHS)('%s', (path) => {
  test.each(NOBODY)('%s: 400 INVALID_RECIPIENT', async (_what, recipient) => {
    for (const field of ['number', 'to']) {
      const answer = await linked.api.post(path, { ...MEMBERS[path], [field]: recipient });
      expectRefused(answer, { status: 400, code: 'INVALID_RECIPIENT', field });
    }
  });

  test('no recipient at all: 400 names number', async () => {
    for (const none of [{}, { number: '' }, { to: null }, { number: '', to: '' }]) {
      const answer = await linked.api.post(path, { ...MEMBERS[path], ...none });
      expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field: 'number' });
    }
  });

  test.each([
    '5511999990000',
    '5511999990000@s.whatsapp.net',
    '+55 (11) 99999-0000',
  ])('%s is not on WhatsApp: 404', async (recipient) => {
    const answer = await linked.api.post(path, { ...MEMBERS[path], number: recipient });
    expectRefused(answer, { status: 404, code: 'NOT_ON_WHATSAPP' });
  });
});

describe('an edit', () => {
  test.each(NOBODY)('to %s: 400', async (_what, recipient) => {
    const answer = await linked.api.put(`/messages/${sentId}`, { to: recipient, message: 'new' });
    expectRefused(answer, { status: 400, code: 'INVALID_RECIPIENT', field: 'to' });
  });

  test('in another chat: 400', async () => {
    const answer = await linked.api.put(`/messages/${sentId}`, { to: '5511999994009', message: 'new' });
    expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field: 'to' });
  });

  test('without a chat: 400', async () => {
    const answer = await linked.api.put(`/messages/${sentId}`, { message: 'new' });
    expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field: 'to' });
  });
});

test('a pairing code for a number that is none: 400 and no device is made', async () => {
  for (const phone of ['123', 'abc', '', '5'.repeat(10_000)]) {
    const answer = await linked.api.post('/paircode', { phone });
    expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field: 'phone' });
  }
  expect((await linked.api.get('/devices')).body.devices).toHaveLength(1);
});
