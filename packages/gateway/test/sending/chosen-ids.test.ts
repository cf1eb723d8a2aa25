import { afterAll, expect, test } from 'vitest';
import { ChosenIds } from '../../src/sending/chosen-ids.ts';
import type { SendId } from '../../src/sending/delivery.ts';
import type { Identity } from '../../src/whatsapp/port/identity.ts';
import { ArchiveWorld, BOB, CAROL, messageId } from '../messages/archive-world.ts';

const world = await ArchiveWorld.create();
const ids = new ChosenIds(world.archive);
const owner = await world.tenant();
const device = await world.device(owner);
const other = await world.device(owner, CAROL);
afterAll(() => world.destroy());

const take = (sendId: SendId, chat: Identity = BOB, by = device) =>
  ids.holding(by, { chat }, sendId, async () => 'sent').catch((error) => error.code);

/** A message of the device that is on its way, or what `then` makes of it. */
async function stored(then: 'pending' | 'failed' | 'uncertain', chat = BOB): Promise<string> {
  const id = messageId();
  const message = await world.archive.outbound.create({
    device,
    messageId: id,
    chat,
    isGroup: false,
    message: { conversation: 'hello' },
    content: { kind: 'text', text: 'hello' },
  });
  if (then === 'failed') await world.archive.outbound.markFailed(message.tenantId, message.rowId, 'refused');
  if (then === 'uncertain') await world.archive.outbound.markUncertain(message, 'silence');
  return id;
}

test('an id that a message of the device has is taken, on another device it is free', async () => {
  const { messageId: chosen } = await world.sentText(device);
  expect(await take({ chosen })).toBe('ALREADY_EXISTS');
  expect(await take({ chosen }, BOB, other)).toBe('sent');
  expect(await take({ chosen: messageId() })).toBe('sent');
});

test.each([
  ['pending', 'ALREADY_EXISTS'],
  ['failed', 'sent'],
  ['uncertain', 'sent'],
] as const)('what is %s, asked for once more: %s', async (state, end) => {
  expect(await take({ chosen: await stored(state) })).toBe(end);
});

test('what failed is repeated in its chat alone, by the account that it was of', async () => {
  const chosen = await stored('failed');
  expect(await take({ chosen }, CAROL)).toBe('ALREADY_EXISTS');
  const linkedAgain = { ...device, ...CAROL };
  expect(await take({ chosen }, BOB, linkedAgain)).toBe('ALREADY_EXISTS');
  expect(await take({ chosen }, { jid: null, lid: BOB.lid })).toBe('sent');
});

test('the attempt that claimed the id is the message itself', async () => {
  const { messageId: chosen } = await world.sentText(device);
  const attempt = (claimed: string) => ({
    claimed: { messageId: claimed, deviceId: device.id, account: null },
    claim: async () => undefined,
  });
  expect(await take({ chosen, attempt: attempt(chosen) })).toBe('sent');
  expect(await take({ chosen, attempt: attempt('3EB0OTHER') })).toBe('ALREADY_EXISTS');
});

test('nobody else takes an id that is being sent; then it is free again, however that ended', async () => {
  const chosen = messageId();
  await ids.holding(device, { chat: BOB }, { chosen }, async () => {
    expect(await take({ chosen })).toBe('ALREADY_EXISTS');
    expect(await take({ chosen }, BOB, other)).toBe('sent');
  });
  const failing = ids.holding(device, { chat: BOB }, { chosen }, () => Promise.reject(new Error('lost')));
  await expect(failing).rejects.toThrow('lost');
  expect(await take({ chosen })).toBe('sent');
});

test('sends without a chosen id do not wait for each other', async () => {
  await ids.holding(device, { chat: BOB }, {}, async () => {
    expect(await take({})).toBe('sent');
  });
});
