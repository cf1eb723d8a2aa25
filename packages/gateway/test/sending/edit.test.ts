import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EDIT_WINDOW_MS } from '../../src/messages/rules/edit-rules.ts';
import { SendRejected, SessionTimeout } from '../../src/whatsapp/port/errors.ts';
import { ALICE, BOB, CAROL, GROUP, inbound, messageId } from '../messages/archive-world.ts';
import { type Account, SendingWorld } from './sending-world.ts';

let world: SendingWorld;
let account: Account;
const bob = '5511999990002';

beforeAll(async () => {
  world = await SendingWorld.create();
});
beforeEach(async () => {
  account = await world.account();
});
afterAll(() => world.destroy());

const sendText = async (body: Record<string, unknown> = {}): Promise<string> =>
  (await world.post(account, '/send/text', { number: bob, text: 'first', ...body })).body.message_id;
const edit = (id: string, body: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  world.put(account, `/messages/${id}`, { to: bob, message: 'second', ...body }, headers);
const stored = (id: string) => world.store.only(account.caller.tenantId, id);
const edited = (): Record<string, unknown> => {
  const { editedMessage } = account.whatsapp.content() as {
    editedMessage: { message: { protocolMessage: Record<string, unknown> } };
  };
  return editedMessage.message.protocolMessage;
};

describe('PUT /messages/{messageId}', () => {
  it('sends the edit as clients do, answers with its id, and keeps the new text', async () => {
    const id = await sendText();
    const reply = await edit(id);
    expect(reply).toMatchObject({
      status: 200,
      body: {
        success: true,
        message_id: account.whatsapp.sent[1]?.id,
        timestamp: new Date(world.store.clock.now()).toISOString(),
        message: 'Message edited successfully',
      },
    });
    expect(reply.body.message_id).not.toBe(id);
    expect(account.whatsapp.sent[1]).toMatchObject({ to: BOB.jid, editAttribute: '1' });
    expect(edited()).toMatchObject({
      key: { remoteJid: BOB.jid, fromMe: true, id },
      type: 14,
      editedMessage: { conversation: 'second' },
    });
    expect(await stored(id)).toMatchObject({
      text: 'second',
      kind: 'text',
      editedAt: world.store.clock.now(),
    });
    expect(await stored(reply.body.message_id)).toMatchObject({
      kind: 'edit',
      sendState: 'sent',
      context: { targetId: id },
    });
    expect((await world.get(account, `/messages/${reply.body.message_id}/status`)).body.status).toBe(
      'pending',
    );
  });

  it('keeps the quote and the mentions of the message', async () => {
    const id = await sendText({ number: GROUP.jid, mentioned: [CAROL.jid] });
    expect((await edit(id, { to: GROUP.jid })).status).toBe(200);
    expect(edited().editedMessage).toEqual({
      extendedTextMessage: { text: 'second', contextInfo: { mentionedJid: [CAROL.jid] } },
    });
  });

  it('can be done again', async () => {
    const id = await sendText();
    await edit(id);
    await edit(id, { message: 'third' });
    expect((await stored(id)).text).toBe('third');
  });

  it.each([
    ['+55 11 99999-0002'],
    [BOB.jid],
    [BOB.lid],
    ['551199990002'],
  ])('%s names the chat', async (to) => {
    expect((await edit(await sendText(), { to })).status).toBe(200);
  });

  it('asks WhatsApp for the chat when only its LID is known', async () => {
    const id = await sendText({ number: BOB.lid });
    expect((await edit(id, { to: bob })).status).toBe(200);
    const other = await edit(id, { to: '5511999990003' });
    expect([other.status, other.body.validation[0].field]).toEqual([400, 'to']);
  });

  it.each([
    [{ to: '5511999990003' }, 400, 'VALIDATION_ERROR', 'to'],
    [{ to: GROUP.jid }, 400, 'VALIDATION_ERROR', 'to'],
    [{ to: '123' }, 400, 'INVALID_RECIPIENT', 'to'],
    [{ to: undefined }, 400, 'VALIDATION_ERROR', 'to'],
    [{ message: '' }, 400, 'VALIDATION_ERROR', 'message'],
    [{ message: undefined }, 400, 'VALIDATION_ERROR', 'message'],
    [{ message: 'x'.repeat(4097) }, 400, 'VALIDATION_ERROR', 'message'],
    [{ message: ['x'] }, 400, 'VALIDATION_ERROR', 'message'],
  ])('%j is refused', async (body, status, code, field) => {
    const id = await sendText();
    const reply = await edit(id, body);
    expect([reply.status, reply.body.error_code]).toEqual([status, code]);
    expect(reply.body.validation[0].field).toBe(field);
    expect(account.whatsapp.sent).toHaveLength(1);
    expect((await stored(id)).text).toBe('first');
  });

  it('knows no message that is unknown, received, or of another tenant', async () => {
    const received = inbound();
    await world.store.archive.storeInbound(account.device, received);
    const stranger = await world.account();
    const theirs = (await world.post(stranger, '/send/text', { number: bob, text: 'x' })).body.message_id;
    for (const id of [messageId(), received.id, theirs, encodeURIComponent('a/b'), 'x'.repeat(10_000)]) {
      expect(await edit(id)).toMatchObject({ status: 404, body: { error_code: 'MESSAGE_NOT_FOUND' } });
    }
  });

  it('accepts the last moment of the window and nothing after it', async () => {
    const [inTime, late] = [await sendText(), await sendText()];
    world.store.clock.advance(EDIT_WINDOW_MS);
    expect((await edit(inTime)).status).toBe(200);
    world.store.clock.advance(1);
    expect(await edit(late)).toMatchObject({ status: 409, body: { error_code: 'EDIT_WINDOW_EXPIRED' } });
    expect((await stored(late)).text).toBe('first');
  });

  it('refuses a deleted, a failed and a view-once message, and one without text', async () => {
    const deleted = await sendText();
    const revoke = { fromMe: true, sender: ALICE, content: { kind: 'revoke' as const, targetId: deleted } };
    await world.store.archive.storeInbound(account.device, inbound(revoke));
    account.whatsapp.answer = () => Promise.reject(new SendRejected(463, 'restricted'));
    const failed = await sendText();
    account.whatsapp.answer = account.whatsapp.takes;
    const outbound = async (kind: 'audio' | 'image', viewOnce: boolean) => {
      const message = await world.store.archive.outbound.create({
        device: account.device,
        messageId: messageId(),
        chat: BOB,
        isGroup: false,
        message: {},
        content: { kind, text: null, viewOnce },
      });
      return message.messageId;
    };
    for (const id of [deleted, failed, await outbound('audio', false), await outbound('image', true)]) {
      expect(await edit(id)).toMatchObject({ status: 409, body: { error_code: 'NOT_EDITABLE' } });
    }
  });

  it('keeps the old text when WhatsApp does not take the edit', async () => {
    const id = await sendText();
    account.whatsapp.answer = () => Promise.reject(new SendRejected(479, 'malformed'));
    expect((await edit(id)).status).toBe(422);
    account.whatsapp.answer = () => Promise.reject(new SessionTimeout('no ack'));
    expect((await edit(id)).status).toBe(504);
    account.online = false;
    expect((await edit(id)).status).toBe(503);
    expect((await stored(id)).text).toBe('first');
  });

  it('is done once per Idempotency-Key', async () => {
    const id = await sendText();
    const key = { 'idempotency-key': 'edit' };
    const first = await edit(id, {}, key);
    expect((await edit(id, {}, key)).body).toEqual(first.body);
    expect(account.whatsapp.sent).toHaveLength(2);
    expect((await edit(await sendText(), {}, key)).body.error_code).toBe('IDEMPOTENCY_CONFLICT');
  });

  it('is finished without a second stanza when a receipt has proved the first', async () => {
    const id = await sendText();
    const key = { 'idempotency-key': 'proved' };
    account.whatsapp.answer = () => Promise.reject(new SessionTimeout('no ack'));
    const lost = await edit(id, {}, key);
    await world.store.archive.applyReceipt(account.device, {
      chat: BOB,
      isGroup: false,
      recipient: BOB,
      messageIds: [lost.body.message_id],
      kind: 'delivered',
      timestamp: world.store.clock.now(),
    });
    expect((await edit(id, {}, key)).body.message_id).toBe(lost.body.message_id);
    expect(account.whatsapp.sent).toHaveLength(2);
    expect((await stored(id)).text).toBe('second');
  });

  it('a plain user edits the messages of own devices alone', async () => {
    const id = await sendText();
    const colleague = await world.store.user(account.caller.tenantId, 'user');
    const own = await world.account({ caller: colleague, identity: CAROL });
    expect((await world.put(own, `/messages/${id}`, { to: bob, message: 'x' })).status).toBe(404);
  });
});
