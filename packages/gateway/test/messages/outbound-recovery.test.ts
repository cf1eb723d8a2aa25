import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INTERRUPTED } from '../../src/messages/outbound-recovery.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import {
  ALICE,
  ArchiveWorld,
  BOB,
  CAROL,
  inbound,
  messageId,
  NOW,
  type TestDevice,
} from './archive-world.ts';

let world: ArchiveWorld;
let caller: Caller;
let device: TestDevice;
beforeEach(async () => {
  world = await ArchiveWorld.create();
  caller = await world.tenant();
  device = await world.device(caller);
});
afterEach(() => world.destroy());

/** A message whose row is written and whose ack never came. */
async function underWay(on: TestDevice = device, id = messageId()): Promise<string> {
  await world.archive.outbound.create({
    device: on,
    messageId: id,
    chat: BOB,
    isGroup: false,
    message: { conversation: 'x' },
    content: { kind: 'text', text: 'x' },
  });
  return id;
}

const conclude = () => world.archive.outbound.concludeInterrupted(caller.tenantId);
const receipt = (id: string) => ({
  chat: BOB,
  isGroup: false,
  recipient: BOB,
  messageIds: [id],
  kind: 'delivered' as const,
  timestamp: NOW + 1000,
});
const ownCopy = (id: string, timestamp = NOW + 5000) =>
  inbound({ id, fromMe: true, sender: ALICE, timestamp });

describe('messages that were on their way out when the process ended', () => {
  it('are of unknown end, in batches, and only those', async () => {
    const sent = await world.sentText(device);
    const ids: string[] = [];
    for (let n = 0; n < 210; n += 1) ids.push(await underWay());
    const stranger = await world.tenant();
    const elsewhere = await underWay(await world.device(stranger));
    expect(await conclude()).toEqual({ sent: 0, uncertain: 210 });
    expect(await world.only(caller.tenantId, ids[209] ?? '')).toMatchObject({
      sendState: 'pending',
      sendError: INTERRUPTED,
    });
    expect((await world.only(caller.tenantId, sent.messageId)).sendState).toBe('sent');
    expect((await world.only(stranger.tenantId, elsewhere)).sendError).toBeNull();
    expect(await conclude()).toEqual({ sent: 0, uncertain: 0 });
  });

  it('are sent when a receipt had come', async () => {
    const id = await underWay();
    await world.archive.applyReceipt(device, receipt(id));
    expect(await conclude()).toEqual({ sent: 0, uncertain: 0 });
    expect((await world.only(caller.tenantId, id)).sendState).toBe('sent');
  });

  it('are sent when another device of the account has the copy', async () => {
    const second = await world.device(caller);
    const id = await underWay();
    await world.archive.storeInbound(second, ownCopy(id));
    const other = await underWay();
    await world.archive.storeInbound(second, { ...ownCopy(other), chat: CAROL });
    expect(await conclude()).toEqual({ sent: 0, uncertain: 1 });
    const [ours] = (await world.archive.stored.withId(caller.tenantId, id)).filter(
      (copy) => copy.deviceId === device.id,
    );
    expect(ours).toMatchObject({ sendState: 'sent', sendError: null, timestamp: NOW + 5000 });
  });

  it("are not proved by another account's message of the same id", async () => {
    const other = await world.device(caller, CAROL);
    const id = await underWay();
    await world.archive.storeInbound(other, { ...ownCopy(id), sender: CAROL });
    expect(await conclude()).toEqual({ sent: 0, uncertain: 1 });
    await world.archive.storeInbound(other, { ...ownCopy(id), sender: CAROL, source: 'history' });
    const ours = (await world.archive.stored.withId(caller.tenantId, id)).find(
      (copy) => copy.deviceId === device.id,
    );
    expect(ours?.sendState).toBe('pending');
  });

  it('are sent when our own phone says that it has its copy', async () => {
    const id = await underWay();
    await conclude();
    await world.archive.applyReceipt(device, { ...receipt(id), recipient: ALICE });
    expect(await world.only(caller.tenantId, id)).toMatchObject({ sendState: 'sent', deliveredAt: null });
  });

  it('turn to sent by the receipt or the copy that comes afterwards', async () => {
    const second = await world.device(caller);
    const [receipted, copied, historic] = [await underWay(), await underWay(), await underWay()];
    await conclude();
    await world.archive.applyReceipt(device, receipt(receipted));
    await world.archive.storeInbound(second, ownCopy(copied));
    await world.archive.storeInbound(device, { ...ownCopy(historic), source: 'history' });
    for (const id of [receipted, copied, historic]) {
      const states = (await world.archive.stored.withId(caller.tenantId, id)).map((copy) => copy.sendState);
      expect(new Set(states)).toEqual(new Set(['sent']));
    }
  });

  it('bring the edit with them that a late receipt proves', async () => {
    const target = await world.sentText(device, { text: 'old' });
    const editId = messageId();
    await world.archive.outbound.create({
      device,
      messageId: editId,
      chat: BOB,
      isGroup: false,
      message: { conversation: 'new' },
      content: { kind: 'edit', text: 'new', targetId: target.messageId },
    });
    await conclude();
    expect((await world.only(caller.tenantId, target.messageId)).text).toBe('old');
    await world.archive.applyReceipt(device, receipt(editId));
    expect(await world.only(caller.tenantId, target.messageId)).toMatchObject({
      text: 'new',
      editedAt: expect.any(Number),
    });
  });
});
