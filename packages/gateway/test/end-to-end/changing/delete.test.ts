/** Deleting messages, as the phones in the chat see it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../../src/clock.ts';
import { DELETE_WINDOW_MS } from '../../../src/messages/rules/delete-rules.ts';
import { type Answer, type Api, type Json, until, untilReceived, World } from '../harness.ts';
import { jpeg } from '../samples.ts';

let world: World;
let api: Api;
let stranger: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
const clock = new AdvancingClock();

beforeAll(async () => {
  world = await World.create({ clock });
  const token = await world.tenant('delete');
  shop = await world.sandbox.createPhone({ number: '5511999991001', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999991002', name: 'Contact' });
  friend = await world.sandbox.createPhone({ number: '5511999991003', name: 'Friend' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  stranger = world.as(await world.tenant('stranger'));
});
afterAll(() => world.destroy());

const remove = (body: Json, as = api): Promise<Answer> => as.call('DELETE', '/messages/delete', body);
const forEveryone = (messageId: string, chatJid: string, more: object = {}) =>
  remove({ messageId, chatJid, deleteType: 'for_everyone', ...more });
const events = async (name: string): Promise<Json[]> =>
  (await api.get(`/events?event=${name}&limit=200`)).body.events;

async function sendText(number: string, text = 'a mistake'): Promise<string> {
  const { body } = await api.post('/send/text', { number, text });
  return body.message_id;
}

async function received(from: Phone, to: Phone | string): Promise<string> {
  const { id } = await from.sendText(typeof to === 'string' ? to : to.number, 'hello');
  return untilReceived(api, id);
}

const shown = (phone: Phone, chat: string, id: string) =>
  phone.conversation(chat).find((message) => message.id === id);

describe('for everyone', () => {
  test('a text of ours is gone from the phones, and the archive and the event say so', async () => {
    const id = await sendText(contact.number);
    await contact.waitForMessage((message) => message.id === id);
    const { status, body } = await forEveryone(id, contact.jid, { reason: 'a typo' });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toEqual({
      success: true,
      message_id: id,
      record_id: expect.any(String),
      deleted_at: expect.stringMatching(/Z$/),
      delete_type: 'for_everyone',
      chat_jid: contact.jid,
      metadata: {
        time_elapsed_minutes: 0,
        within_time_limit: true,
        reason: 'a typo',
        processing_time_ms: expect.any(Number),
      },
    });
    const revoke = await contact.waitForMessage((message) => message.revokeOf === id);
    expect(revoke.stanza?.edit).toBe('7');
    expect(revoke.message.protocolMessage?.key).toMatchObject({ remoteJid: contact.jid, fromMe: true, id });
    expect(shown(contact, shop.jid, id)).toMatchObject({ revoked: true });
    const own = await shop.waitForMessage((message) => message.revokeOf === id);
    expect(own.fromMe).toBe(true);
    const [event] = (await events('message.revoked')).filter(({ data }) => data.message_id === id);
    expect(event?.data).toMatchObject({ chat_jid: contact.jid, revoke_id: revoke.id });

    const again = await forEveryone(id, contact.jid);
    expect([again.status, again.body.error_code]).toEqual([409, 'NOT_DELETABLE']);
    const edit = await api.put(`/messages/${id}`, { to: contact.number, message: 'late' });
    expect([edit.status, edit.body.error_code]).toEqual([409, 'NOT_EDITABLE']);
  });

  test('snake_case and a phone number for the chat do as well', async () => {
    const id = await sendText(contact.number);
    const answer = await remove({
      message_id: id,
      chat_jid: contact.number,
      delete_type: 'for_everyone',
      validate_ownership: true,
      reason: null,
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.body.metadata.reason).toBeNull();
    await contact.waitForMessage((message) => message.revokeOf === id);
  });

  test('a repeated request with one Idempotency-Key revokes once', async () => {
    const id = await sendText(contact.number);
    const body = { messageId: id, chatJid: contact.jid, deleteType: 'for_everyone' };
    const headers = { 'idempotency-key': `delete ${id}` };
    const first = await api.call('DELETE', '/messages/delete', body, headers);
    const second = await api.call('DELETE', '/messages/delete', body, headers);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });

  test("as an admin of the group, a member's message; unless only our own may go", async () => {
    const group = (await shop.createGroup('Team', [contact, friend])).jid;
    const id = await received(friend, group);
    const owner = await forEveryone(id, group, { validateOwnership: true });
    expect([owner.status, owner.body.error_code]).toEqual([403, 'FORBIDDEN']);
    const answer = await forEveryone(id, group);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const revoke = await contact.waitForMessage((message) => message.revokeOf === id);
    expect(revoke.stanza?.edit).toBe('8');
    expect(revoke.message.protocolMessage?.key).toMatchObject({ remoteJid: group, fromMe: false, id });
    expect(revoke.message.protocolMessage?.key?.participant).toBe(friend.jid);
    await until('the archive knows', async () =>
      (await events('message.revoked')).some(({ data }) => data.message_id === id),
    );
    const again = await forEveryone(id, group);
    expect([again.status, again.body.error_code]).toEqual([409, 'NOT_DELETABLE']);
  });

  test("not another's message, neither in a chat of two nor as a plain member of a group", async () => {
    const direct = await received(contact, shop);
    const group = (await contact.createGroup('Theirs', [shop, friend])).jid;
    const inGroup = await received(friend, group);
    for (const [id, chat] of [
      [direct, contact.jid],
      [inGroup, group],
    ] as const) {
      const answer = await forEveryone(id, chat);
      expect([answer.status, answer.body.error_code]).toEqual([403, 'FORBIDDEN']);
      expect(answer.body.error).toContain('for_me');
    }
    expect(shown(friend, group, inGroup)).toMatchObject({ revoked: false });
  });
});

describe('for me', () => {
  test('no answer shows it any more, and the phones keep it', async () => {
    const { body } = await api.post('/send/image', {
      number: contact.number,
      image: (await jpeg()).toString('base64'),
    });
    const id = body.message_id;
    await contact.waitForMessage((message) => message.id === id);
    const answer = await remove({ messageId: id, chatJid: contact.jid, deleteType: 'for_me' });
    expect(answer.body).toMatchObject({ success: true, delete_type: 'for_me', chat_jid: contact.jid });
    for (const path of ['status', 'receipts', 'media']) {
      const gone = await api.get(`/messages/${id}/${path}`);
      expect([path, gone.status, gone.body.error_code]).toEqual([path, 404, 'MESSAGE_NOT_FOUND']);
    }
    expect(shown(contact, shop.jid, id)).toMatchObject({ revoked: false });
    const again = await remove({ messageId: id, chatJid: contact.jid, deleteType: 'for_me' });
    expect(again.status).toBe(404);
  });

  test('also what was received, also while the device is offline', async () => {
    const id = await received(contact, shop);
    await api.post('/disconnect');
    const refused = await forEveryone(id, contact.jid);
    const answer = await remove({ messageId: id, chatJid: contact.jid, deleteType: 'for_me' });
    await api.post('/connect');
    expect(refused.status).toBe(403);
    expect(answer.status).toBe(200);
    await until('the device is back', async () => (await api.get('/status')).body.data.connected);
  });
});

describe('refused', () => {
  test('an offline device cannot tell WhatsApp', async () => {
    const id = await sendText(contact.number);
    await api.post('/disconnect');
    const answer = await forEveryone(id, contact.jid);
    await api.post('/connect');
    expect([answer.status, answer.body.error_code]).toEqual([503, 'DEVICE_NOT_READY']);
    await until('the device is back', async () => (await api.get('/status')).body.data.connected);
    expect((await forEveryone(id, contact.jid)).status).toBe(200);
  });

  test('an unknown message, and that of another tenant', async () => {
    const id = await sendText(contact.number);
    const body = { messageId: id, chatJid: contact.jid, deleteType: 'for_everyone' };
    expect((await remove(body, stranger)).body.error_code).toBe('MESSAGE_NOT_FOUND');
    expect((await forEveryone('3EB0000000000000000000', contact.jid)).body.error_code).toBe(
      'MESSAGE_NOT_FOUND',
    );
  });

  test('a change of another message', async () => {
    const id = await sendText(contact.number);
    const edit = await api.put(`/messages/${id}`, { to: contact.number, message: 'better' });
    const answer = await forEveryone(edit.body.message_id, contact.jid);
    expect([answer.status, answer.body.error_code]).toEqual([409, 'NOT_DELETABLE']);
  });

  test.each([
    [{ messageId: undefined }, 'messageId', 'VALIDATION_ERROR'],
    [{ messageId: ' ' }, 'messageId', 'VALIDATION_ERROR'],
    [{ chatJid: undefined }, 'chatJid', 'VALIDATION_ERROR'],
    [{ chatJid: '5511999991003' }, 'chatJid', 'VALIDATION_ERROR'],
    [{ chatJid: 'nobody' }, 'chatJid', 'INVALID_RECIPIENT'],
    [{ deleteType: undefined }, 'deleteType', 'VALIDATION_ERROR'],
    [{ deleteType: 'both' }, 'deleteType', 'VALIDATION_ERROR'],
    [{ reason: 'x'.repeat(501) }, 'reason', 'VALIDATION_ERROR'],
    [{ reason: 'a\0b' }, 'reason', 'VALIDATION_ERROR'],
    [{ validateOwnership: 'maybe' }, 'validateOwnership', 'VALIDATION_ERROR'],
  ])('%j', async (change, field, code) => {
    const id = await sendText(contact.number);
    const answer = await forEveryone(id, contact.jid, change);
    expect([answer.status, answer.body.error_code]).toEqual([400, code]);
    expect(answer.body.validation.map((each: Json) => each.field)).toContain(field);
    expect(shown(contact, shop.jid, id)?.revoked ?? false).toBe(false);
  });
});

/** The last: the clock runs ahead of the network from here on. */
describe('the time limit', () => {
  test('not after 60 hours', async () => {
    const [inTime, late] = [await sendText(contact.number), await sendText(contact.number)];
    const sent = await events('message.sent');
    const ageOf = (id: string): number =>
      clock.now() - Date.parse(sent.find(({ data }) => data.message_id === id)?.data.timestamp);
    clock.advance(DELETE_WINDOW_MS - ageOf(inTime) - 5 * 60_000);
    expect((await forEveryone(inTime, contact.jid)).status).toBe(200);
    clock.advance(DELETE_WINDOW_MS - ageOf(late) + 2000);
    const answer = await forEveryone(late, contact.jid);
    expect([answer.status, answer.body.error_code]).toEqual([409, 'DELETE_WINDOW_EXPIRED']);
    expect(shown(contact, shop.jid, late)).toMatchObject({ revoked: false });
    const local = await remove({ messageId: late, chatJid: contact.jid, deleteType: 'for_me' });
    expect(local.body.metadata).toMatchObject({ within_time_limit: false, time_elapsed_minutes: 3600 });
  });
});
