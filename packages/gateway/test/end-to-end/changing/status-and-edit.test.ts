import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../../src/clock.ts';
import { type Api, type Json, until, type World } from '../harness.ts';
import { jpeg, oggOpus, sha256 } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
const clock = new AdvancingClock();

beforeAll(async () => {
  ({ world, api, shop, contact, friend } = await openShop({ tenant: 'status', clock }));
});
afterAll(() => world.destroy());

const statusOf = async (id: string): Promise<Json> => (await api.get(`/messages/${id}/status`)).body;
const untilStatus = (id: string, status: string) =>
  until(`${id} is ${status}`, async () => {
    const body = await statusOf(id);
    return body.status === status && body;
  });

describe('delivery status', () => {
  test('pending, then delivered, then read, each with its time', async () => {
    await contact.goOffline();
    const sent = await api.post('/send/text', { number: contact.number, text: 'hello' });
    expect(sent.status).toBe(200);
    const id: string = sent.body.message_id;
    expect(sent.body).toMatchObject({ success: true, status: 'sent', chat_jid: contact.jid });
    expect(await statusOf(id)).toEqual({
      success: true,
      message_id: id,
      record_id: sent.body.record_id,
      chat_jid: contact.jid,
      is_group: false,
      status: 'pending',
      delivered_at: null,
      read_at: null,
      played_at: null,
    });
    await contact.goOnline();
    const delivered = await untilStatus(id, 'delivered');
    expect(delivered.delivered_at).toBeTruthy();
    expect((await contact.waitForMessage((m) => m.id === id)).text).toBe('hello');
    await contact.markRead(shop.jid, [id]);
    const read = await untilStatus(id, 'read');
    expect(read.delivered_at).toBe(delivered.delivered_at);
    expect(read.read_at).toBeTruthy();
    const receipts = (await api.get(`/messages/${id}/receipts`)).body.receipts;
    expect(receipts.map((receipt: Json) => receipt.kind).sort()).toEqual(['delivered', 'read']);
  });

  test('a voice note is played', async () => {
    const bytes = oggOpus();
    const sent = await api.post('/send/audio', {
      number: contact.number,
      audio: bytes.toString('base64'),
      ptt: true,
    });
    expect(sent.status).toBe(200);
    const id: string = sent.body.message_id;
    const got = await contact.waitForMessage((m) => m.id === id);
    expect(sha256(await contact.downloadMedia(got))).toBe(sha256(bytes));
    await contact.markPlayed(shop.jid, [id]);
    const played = await untilStatus(id, 'played');
    expect(played.played_at).toBeTruthy();
  });

  test('in a group the first participant counts', async () => {
    const group = await shop.createGroup('Team', [contact, friend]);
    await friend.goOffline();
    const sent = await api.post('/send/text', { number: group.jid, text: 'hi all' });
    expect(sent.status).toBe(200);
    const id: string = sent.body.message_id;
    const delivered = await untilStatus(id, 'delivered');
    expect(delivered).toMatchObject({ is_group: true, chat_jid: group.jid });
    expect((await contact.waitForMessage((m) => m.id === id)).text).toBe('hi all');
    await friend.goOnline();
    await friend.waitForMessage((m) => m.id === id);
    await until('both receipts are stored', async () => {
      const { receipts } = (await api.get(`/messages/${id}/receipts`)).body;
      return receipts.length === 2;
    });
    expect((await statusOf(id)).delivered_at).toBe(delivered.delivered_at);
    await friend.markRead(group.jid, [id]);
    await untilStatus(id, 'read');
  });

  test('WhatsApp refuses the message: 422 and status failed with the reason', async () => {
    world.sandbox.faults.nextAckError(479);
    const sent = await api.post('/send/text', { number: contact.number, text: 'no' });
    expect([sent.status, sent.body.error_code]).toEqual([422, 'REJECTED_BY_WHATSAPP']);
  });

  test('an inbound id and an unknown id have no status', async () => {
    const inbound = await contact.sendText(shop.number, 'ping');
    await until(
      'it is stored',
      async () => (await api.get(`/messages/${inbound.id}/media`)).body?.error_code === 'MEDIA_NOT_FOUND',
    );
    expect((await api.get(`/messages/${inbound.id}/status`)).status).toBe(404);
    expect((await api.get('/messages/3EB0UNKNOWN/status')).status).toBe(404);
  });
});

describe('sending media', () => {
  test('an image with caption arrives whole, and our own copy can be fetched back', async () => {
    const bytes = await jpeg();
    const sent = await api.post('/send/image', {
      number: contact.number,
      image: `data:image/jpeg;base64,${bytes.toString('base64')}`,
      caption: 'for *you*',
    });
    expect(sent.status).toBe(200);
    const got = await contact.waitForMessage((m) => m.id === sent.body.message_id);
    expect(got).toMatchObject({ kind: 'image', text: 'for *you*' });
    expect(sha256(await contact.downloadMedia(got))).toBe(sha256(bytes));
    const back = await api.get(`/messages/${sent.body.message_id}/media`);
    expect(sha256(back.bytes)).toBe(sha256(bytes));
  });
});

describe('editing', () => {
  test("the contact's phone shows the new text", async () => {
    const sent = await api.post('/send/text', { number: contact.number, text: 'first' });
    const id: string = sent.body.message_id;
    const edited = await api.put(`/messages/${id}`, { to: contact.number, message: 'second' });
    expect(edited.status).toBe(200);
    expect(edited.body).toMatchObject({ success: true, message: 'Message edited successfully' });
    expect(edited.body.message_id).not.toBe(id);
    await until(
      'the phone shows it',
      async () => contact.conversation(shop.jid).find((m) => m.id === id)?.text === 'second',
    );
  });

  test("another's message and an unknown id: 404; after the window: 409", async () => {
    const inbound = await contact.sendText(shop.number, 'mine');
    await until(
      'it is stored',
      async () => (await api.get(`/messages/${inbound.id}/media`)).body?.error_code === 'MEDIA_NOT_FOUND',
    );
    expect((await api.put(`/messages/${inbound.id}`, { to: contact.number, message: 'x' })).status).toBe(404);
    expect((await api.put('/messages/3EB0UNKNOWN', { to: contact.number, message: 'x' })).status).toBe(404);
    const sent = await api.post('/send/text', { number: contact.number, text: 'old' });
    clock.advance(21 * 60_000);
    const late = await api.put(`/messages/${sent.body.message_id}`, { to: contact.number, message: 'x' });
    expect([late.status, late.body.error_code]).toEqual([409, 'EDIT_WINDOW_EXPIRED']);
  });
});
