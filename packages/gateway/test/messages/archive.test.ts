import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { rememberOwnUpload } from '../../src/media/own-uploads.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { MediaDescriptor } from '../../src/whatsapp/port/media.ts';
import { ALICE, ArchiveWorld, BOB, CAROL, GROUP, inbound, messageId } from './archive-world.ts';

const world = await ArchiveWorld.create();
const caller = await world.tenant();
const device = await world.device(caller);
afterAll(() => world.destroy());

const picture = (): MediaDescriptor => ({
  kind: 'image',
  mimeType: 'image/jpeg',
  fileName: null,
  fileLength: 1234,
  mediaKey: randomBytes(32),
  directPath: '/v/t62/abc',
  fileSha256: randomBytes(32),
  fileEncSha256: randomBytes(32),
  seconds: null,
  width: 10,
  height: 20,
});

const mediaRows = (rowId: string) =>
  world.db.selectFrom('media').selectAll().where('message_row_id', '=', rowId).execute();

describe('storing what arrives', () => {
  it('keeps the message, its descriptor and its protobuf, and says so once', async () => {
    const message = inbound({
      content: { kind: 'image', text: 'look', media: picture(), mentions: ['1@lid'] },
    });
    const stored = await world.archive.storeInbound(device, message);
    expect(stored).toMatchObject({
      messageId: message.id,
      chatJid: BOB.jid,
      chatLid: BOB.lid,
      senderJid: BOB.jid,
      fromMe: false,
      kind: 'image',
      text: 'look',
      sendState: 'none',
      context: { mentions: ['1@lid'], quoted: null },
    });
    expect(world.stored.at(-1)).toEqual(stored);
    expect(await mediaRows(stored?.rowId ?? '')).toMatchObject([
      { tenant_id: caller.tenantId, kind: 'image', blob_sha256: null },
    ]);
    expect(await world.archive.contents.wire(await world.only(caller.tenantId, message.id))).toEqual({
      conversation: 'look',
    });
  });

  it('does not keep the protobuf, which holds the media key, in the clear', async () => {
    const key = randomBytes(32);
    const raw = wireCodec.encode({ imageMessage: { mediaKey: key } });
    const message = inbound({ raw });
    await world.archive.storeInbound(device, message);
    const row = await world.db
      .selectFrom('messages')
      .select('raw')
      .where('message_id', '=', message.id)
      .executeTakeFirstOrThrow();
    expect(Buffer.from(raw).includes(key)).toBe(true);
    expect(Buffer.from(row.raw).includes(key)).toBe(false);
  });

  it('stores a redelivered message once, also when its names became known in between', async () => {
    const before = inbound({ chat: { jid: null, lid: BOB.lid }, sender: { jid: null, lid: BOB.lid } });
    expect(await world.archive.storeInbound(device, before)).not.toBeNull();
    const reports = world.stored.length;
    expect(await world.archive.storeInbound(device, before)).toBeNull();
    expect(await world.archive.storeInbound(device, { ...before, chat: BOB, sender: BOB })).toBeNull();
    expect(await world.archive.stored.withId(caller.tenantId, before.id)).toHaveLength(1);
    expect(world.stored).toHaveLength(reports);
  });

  it('stores one message that arrives many times at once, once', async () => {
    const message = inbound({ content: { kind: 'image', text: null, media: picture() } });
    const results = await Promise.all(
      Array.from({ length: 8 }, () => world.archive.storeInbound(device, message)),
    );
    expect(results.filter((each) => each !== null)).toHaveLength(1);
  });

  it('keeps two senders who used one id apart, and two devices', async () => {
    const id = messageId();
    const second = await world.device(caller, CAROL);
    await world.archive.storeInbound(device, inbound({ id, chat: GROUP, isGroup: true }));
    await world.archive.storeInbound(device, inbound({ id, chat: GROUP, isGroup: true, sender: CAROL }));
    await world.archive.storeInbound(second, inbound({ id, chat: GROUP, isGroup: true }));
    expect(await world.archive.stored.withId(caller.tenantId, id)).toHaveLength(3);
  });

  it('replaces an undecryptable message by its readable copy', async () => {
    const message = inbound({ content: { kind: 'undecryptable', text: null }, raw: new Uint8Array() });
    const first = await world.archive.storeInbound(device, message);
    expect(await world.archive.contents.wire(first ?? { tenantId: '', rowId: '' })).toBeNull();
    expect(await world.archive.storeInbound(device, message)).toBeNull();
    const readable = inbound({ id: message.id, content: { kind: 'image', text: 'now', media: picture() } });
    expect(await world.archive.storeInbound(device, readable)).toMatchObject({ kind: 'image', text: 'now' });
    const copy = await world.only(caller.tenantId, message.id);
    expect(copy).toMatchObject({ kind: 'image', text: 'now', rowId: first?.rowId });
    expect(await mediaRows(copy.rowId)).toHaveLength(1);
  });

  it('takes U+0000 out of what senders write', async () => {
    const message = inbound({ pushName: 'B\0b', content: { text: 'a\0b' } });
    expect(await world.archive.storeInbound(device, message)).toMatchObject({ text: 'ab', pushName: 'Bb' });
  });

  it('shows a message to its own tenant alone', async () => {
    const message = inbound();
    await world.archive.storeInbound(device, message);
    const stranger = await world.tenant();
    expect(await world.archive.stored.withId(stranger.tenantId, message.id)).toEqual([]);
  });
});

describe('edits and revokes of others', () => {
  const edit = (target: string, options: Parameters<typeof inbound>[0] = {}) =>
    inbound({ ...options, content: { kind: 'edit', text: 'new', targetId: target, ...options.content } });

  it('changes the text of the message, the later edit last', async () => {
    const message = inbound();
    await world.archive.storeInbound(device, message);
    await world.archive.storeInbound(device, edit(message.id, { timestamp: message.timestamp + 2000 }));
    const older = { timestamp: message.timestamp + 1000, content: { text: 'older' } };
    await world.archive.storeInbound(device, edit(message.id, older));
    expect(await world.only(caller.tenantId, message.id)).toMatchObject({
      text: 'new',
      editedAt: message.timestamp + 2000,
    });
  });

  it('ignores an edit or revoke by anyone but the author', async () => {
    const message = inbound({ chat: GROUP, isGroup: true });
    await world.archive.storeInbound(device, message);
    const byCarol = { chat: GROUP, isGroup: true, sender: CAROL };
    await world.archive.storeInbound(device, edit(message.id, byCarol));
    await world.archive.storeInbound(device, edit(message.id, { ...byCarol, content: { kind: 'revoke' } }));
    const elsewhere = await world.archive.storeInbound(device, edit(message.id));
    expect(elsewhere).toMatchObject({ kind: 'edit' });
    expect(await world.only(caller.tenantId, message.id)).toMatchObject({
      text: 'hi',
      editedAt: null,
      revokedAt: null,
    });
  });

  it('never lets a received edit touch a message of ours', async () => {
    const ours = await world.sentText(device);
    await world.archive.storeInbound(device, edit(ours.messageId));
    expect(await world.only(caller.tenantId, ours.messageId)).toMatchObject({
      text: 'hello',
      editedAt: null,
    });
  });

  it('follows our own phone', async () => {
    const ours = await world.sentText(device);
    const fromPhone = { fromMe: true, sender: ALICE };
    await world.archive.storeInbound(device, edit(ours.messageId, fromPhone));
    expect(await world.only(caller.tenantId, ours.messageId)).toMatchObject({ text: 'new' });
    await world.archive.storeInbound(
      device,
      edit(ours.messageId, { ...fromPhone, content: { kind: 'revoke' } }),
    );
    expect((await world.only(caller.tenantId, ours.messageId)).revokedAt).not.toBeNull();
  });
});

describe('what we send', () => {
  it('is found again to answer a retry receipt, under either name of the chat', async () => {
    const sent = await world.sentText(device, { text: 'again' });
    for (const chat of [BOB, { ...BOB, lid: null }, { ...BOB, jid: null }]) {
      const raw = await world.archive.contents.sent(device, chat, sent.messageId);
      expect(wireCodec.decode(raw ?? new Uint8Array())).toEqual({ conversation: 'again' });
    }
    for (const chat of [GROUP, CAROL, { ...CAROL, jid: null }]) {
      expect(await world.archive.contents.sent(device, chat, sent.messageId)).toBeNull();
    }
    expect(await world.archive.contents.sent(device, BOB, messageId())).toBeNull();
    const received = inbound();
    await world.archive.storeInbound(device, received);
    expect(await world.archive.contents.sent(device, BOB, received.id)).toBeNull();
  });

  it('is not brought back once it was revoked', async () => {
    const sent = await world.sentText(device);
    const content = { kind: 'revoke' as const, targetId: sent.messageId };
    await world.archive.storeInbound(device, inbound({ fromMe: true, sender: ALICE, content }));
    expect(await world.archive.contents.sent(device, BOB, sent.messageId)).toBeNull();
  });

  it('may be served from the cache at once when we encrypted the file, and else not', async () => {
    const media = picture();
    const sha256 = Buffer.from(media.fileSha256 ?? []).toString('hex');
    rememberOwnUpload(media.mediaKey, sha256);
    const message = await world.archive.outbound.create({
      device,
      messageId: messageId(),
      chat: BOB,
      isGroup: false,
      message: { imageMessage: {} },
      content: { kind: 'image', text: null, media },
    });
    expect(await mediaRows(message.rowId)).toMatchObject([{ sha256, blob_sha256: sha256 }]);
    const copied = { ...media, mediaKey: Uint8Array.from(media.mediaKey) };
    const received = inbound({ content: { kind: 'image', media: copied } });
    const stored = await world.archive.storeInbound(device, received);
    expect(await mediaRows(stored?.rowId ?? '')).toMatchObject([{ sha256, blob_sha256: null }]);
  });

  it('takes over the row of an attempt that ended without an ack', async () => {
    const record = {
      device,
      messageId: messageId(),
      chat: BOB,
      isGroup: false,
      message: { conversation: 'x' },
      content: { kind: 'text' as const, text: 'x' },
    };
    const first = await world.archive.outbound.create(record);
    await world.archive.outbound.markFailed(caller.tenantId, first.rowId, 'closed');
    const second = await world.archive.outbound.create(record);
    expect(second.rowId).toBe(first.rowId);
    expect(await world.only(caller.tenantId, record.messageId)).toMatchObject({ sendState: 'pending' });
  });
});
