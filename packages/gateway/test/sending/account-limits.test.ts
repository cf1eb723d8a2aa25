import { afterAll, expect, test } from 'vitest';
import { assertMayWrite, isPerson } from '../../src/sending/account-limits.ts';
import type { Recipient } from '../../src/sending/recipients.ts';
import { ALICE, ArchiveWorld, BOB, CAROL, GROUP, inbound, NOW } from '../messages/archive-world.ts';

const world = await ArchiveWorld.create();
const device = await world.device(await world.tenant());
await world.archive.storeInbound(device, inbound());
afterAll(() => world.destroy());

const to = (jid: string | null, chat = { jid, lid: null as string | null }): Recipient => ({
  to: jid ?? '',
  chat,
  isGroup: jid?.endsWith('@g.us') ?? false,
});
const CHANNEL = '120363039000000001@newsletter';

/** What becomes of a message while the account may begin no chats until then. */
function written(recipient: Recipient, until: number | null): Promise<string> {
  const { archive, clock } = world;
  const limitOf = () => (until === null ? null : { until, reason: 'reachout' });
  return assertMayWrite({ archive, clock, limitOf }, device, recipient).then(
    () => 'sent',
    (error) => error.code,
  );
}

test.each([
  ['a stranger', to(CAROL.jid, CAROL), 'ACCOUNT_LIMITED'],
  ['a stranger by LID', to(CAROL.lid, CAROL), 'ACCOUNT_LIMITED'],
  ['somebody who has written', to(BOB.jid, BOB), 'sent'],
  ['the same by LID', to(BOB.lid, { jid: null, lid: BOB.lid }), 'sent'],
  ['the account itself', to(ALICE.jid, ALICE), 'sent'],
  ['a group', to(GROUP.jid, GROUP), 'sent'],
  ['a channel', to(CHANNEL), 'sent'],
])('to %s: %s', async (_whom, recipient, end) => {
  expect(await written(recipient, NOW + 1)).toBe(end);
});

test('the limit is over at its time, and without one everybody may be written to', async () => {
  expect(await written(to(CAROL.jid, CAROL), NOW)).toBe('sent');
  expect(await written(to(CAROL.jid, CAROL), null)).toBe('sent');
});

test.each([
  [to(BOB.jid), true],
  [to(BOB.lid), true],
  [to(GROUP.jid), false],
  [to(CHANNEL), false],
  [{ ...to(BOB.jid), isGroup: true }, false],
])('%j is a chat of two: %s', (recipient, two) => {
  expect(isPerson(recipient)).toBe(two);
});
