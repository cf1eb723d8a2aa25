import { afterAll, describe, expect, it } from 'vitest';
import { ArchiveWorld, BOB, CAROL, GROUP, inbound, messageId, NOW } from './archive-world.ts';

const world = await ArchiveWorld.create();
const caller = await world.tenant();
const device = await world.device(caller);
afterAll(() => world.destroy());

type Options = NonNullable<Parameters<typeof inbound>[0]>;
const store = (options: Options) => world.archive.storeInbound(device, inbound(options));
const edit = (targetId: string, text: string, options: Options = {}) =>
  store({ ...options, content: { kind: 'edit', text, targetId } });
const revoke = (
  targetId: string,
  options: Options = {},
  byAdmin = false,
  targetSender: string | null = null,
) => store({ ...options, content: { kind: 'revoke', text: null, targetId, byAdmin, targetSender } });
const inGroup: Options = { chat: GROUP, isGroup: true };

describe('what comes before its target', () => {
  it('is applied when the target comes, the latest edit last', async () => {
    const id = messageId();
    await edit(id, 'third', { timestamp: NOW + 3000 });
    await edit(id, 'second', { timestamp: NOW + 2000 });
    const stored = await store({ id, content: { text: 'first' } });
    expect(stored).toMatchObject({ text: 'third', editedAt: NOW + 3000 });
    expect(await world.only(caller.tenantId, id)).toMatchObject({ text: 'third', editedAt: NOW + 3000 });
  });

  it('waits for an undecryptable message to become readable', async () => {
    const id = messageId();
    await store({ id, content: { kind: 'undecryptable', text: null }, raw: new Uint8Array() });
    await edit(id, 'edited', { timestamp: NOW + 1000 });
    expect(await world.only(caller.tenantId, id)).toMatchObject({ kind: 'undecryptable', text: null });
    await store({ id, content: { text: 'first' } });
    expect(await world.only(caller.tenantId, id)).toMatchObject({ text: 'edited', editedAt: NOW + 1000 });
  });

  it('counts only from the author, in the same chat', async () => {
    const id = messageId();
    await edit(id, 'by Carol', { ...inGroup, sender: CAROL });
    await revoke(id, { ...inGroup, sender: CAROL });
    await edit(id, 'elsewhere');
    const stored = await store({ id, ...inGroup, content: { text: 'mine' } });
    expect(stored).toMatchObject({ text: 'mine', editedAt: null, revokedAt: null });
  });

  it('is a revoke too, of an admin as well', async () => {
    const [own, ruled] = [messageId(), messageId()];
    await revoke(own);
    await revoke(ruled, { ...inGroup, sender: CAROL }, true, BOB.lid);
    expect((await store({ id: own }))?.revokedAt).toBe(NOW);
    expect((await store({ id: ruled, ...inGroup }))?.revokedAt).toBe(NOW);
  });
});

describe("an admin's revoke", () => {
  it('counts in a group for the message of the named author alone', async () => {
    const id = messageId();
    await store({ id, ...inGroup });
    await store({ id, ...inGroup, sender: CAROL });
    await revoke(id, { ...inGroup, sender: CAROL }, true, BOB.jid);
    const copies = await world.archive.stored.withId(caller.tenantId, id);
    const revoked = copies.filter((copy) => copy.revokedAt !== null).map((copy) => copy.senderJid);
    expect(revoked).toEqual([BOB.jid]);
  });

  it('counts for a message of ours, and not outside of groups', async () => {
    const ours = await world.sentText(device, { chat: GROUP });
    await revoke(ours.messageId, inGroup, true);
    expect((await world.only(caller.tenantId, ours.messageId)).revokedAt).toBe(NOW);
    const direct = await world.sentText(device);
    await revoke(direct.messageId, {}, true);
    expect((await world.only(caller.tenantId, direct.messageId)).revokedAt).toBeNull();
  });
});
