import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SendRejected, SessionNotOpen, SessionTimeout } from '../../src/whatsapp/port/errors.ts';
import { ALICE, BOB, CAROL, GROUP, inbound, messageId, NOW } from '../messages/archive-world.ts';
import { until } from '../worlds/until.ts';
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

const send = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  world.post(account, '/send/text', { number: bob, text: 'hello', ...body }, headers);
const stored = (id: string) => world.store.only(account.caller.tenantId, id);

describe('POST /send/text', () => {
  it('answers as documented once the server has the message', async () => {
    const reply = await send({});
    const at = new Date(NOW).toISOString();
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({
      success: true,
      message_id: account.whatsapp.sent[0]?.id,
      record_id: expect.any(String),
      timestamp: at,
      status: 'sent',
      chat_jid: BOB.jid,
      metadata: {
        device_id: account.device.id,
        user_id: account.caller.userId,
        processing_time_ms: expect.any(Number),
        presence_sent: false,
        presence_duration_seconds: 0,
        mentions_processed: 0,
        quoted_message_found: false,
        sent_at: at,
      },
    });
    expect(account.whatsapp.said()).toEqual({ conversation: 'hello' });
    expect(await stored(reply.body.message_id)).toMatchObject({
      chatJid: BOB.jid,
      chatLid: BOB.lid,
      senderJid: ALICE.jid,
      fromMe: true,
      kind: 'text',
      text: 'hello',
      sendState: 'sent',
      source: 'api',
    });
  });

  it('writes the row before the stanza leaves', async () => {
    let seen = 'nothing';
    account.whatsapp.answer = async ({ id }) => {
      seen = (await stored(id)).sendState;
      return { timestamp: NOW };
    };
    await send({});
    expect(seen).toBe('pending');
  });

  it.each([
    ['+55 (11) 99999-0002', BOB.jid],
    ['5511999990002@s.whatsapp.net', BOB.jid],
    ['5511999990002@c.us', BOB.jid],
    // Without the ninth digit: the account is known with it.
    ['551199990002', BOB.jid],
    [BOB.lid, BOB.lid],
    [GROUP.jid, GROUP.jid],
    ['120363039000000001@newsletter', '120363039000000001@newsletter'],
  ])('%s goes to %s', async (number, chat) => {
    const reply = await send({ number });
    expect(reply.body).toMatchObject({ status: 'sent', chat_jid: chat });
    expect(account.whatsapp.sent[0]?.to).toBe(chat);
  });

  it('takes the recipient as `to` as well, and refuses two different ones', async () => {
    const other = { number: bob, to: '+55 11 99999-0002' };
    expect((await world.post(account, '/send/text', { to: bob, text: 'x' })).status).toBe(200);
    expect((await send(other)).status).toBe(200);
    const both = await send({ to: '5511999990003' });
    expect([both.status, both.body.error_code, both.body.validation[0].field]).toEqual([
      400,
      'VALIDATION_ERROR',
      'to',
    ]);
  });

  it('asks WhatsApp once for a number, however many send to it, and again for a missing one', async () => {
    await Promise.all([send({}), send({}), send({ number: `+${bob}` })]);
    await send({});
    expect(account.whatsapp.lookUps).toEqual([['5511999990002', '551199990002']]);
    expect(await send({ number: '14155552671' })).toMatchObject({
      status: 404,
      body: { error_code: 'NOT_ON_WHATSAPP' },
    });
    account.whatsapp.numbers.set('14155552671', { jid: '14155552671@s.whatsapp.net', lid: null });
    world.store.clock.advance(61_000);
    expect((await send({ number: '14155552671' })).status).toBe(200);
  });

  it.each([
    [{ number: '123' }, 'INVALID_RECIPIENT', 'number'],
    [{ number: '' }, 'VALIDATION_ERROR', 'number'],
    [{ number: 'abc@lid' }, 'INVALID_RECIPIENT', 'number'],
    [{ number: 'status@broadcast' }, 'INVALID_RECIPIENT', 'number'],
    [{ number: '9'.repeat(10_000) }, 'INVALID_RECIPIENT', 'number'],
    [{ number: undefined }, 'VALIDATION_ERROR', 'number'],
    [{ number: null }, 'VALIDATION_ERROR', 'number'],
    [{ number: 5511999990002 }, 'VALIDATION_ERROR', 'number'],
    [{ text: '' }, 'VALIDATION_ERROR', 'text'],
    [{ text: 'x'.repeat(4097) }, 'VALIDATION_ERROR', 'text'],
    [{ text: 'a\u0000b' }, 'VALIDATION_ERROR', 'text'],
    [{ text: undefined }, 'VALIDATION_ERROR', 'text'],
    [{ text: 5 }, 'VALIDATION_ERROR', 'text'],
    [{ delay: -1 }, 'VALIDATION_ERROR', 'delay'],
    [{ delay: '1' }, 'VALIDATION_ERROR', 'delay'],
    [{ quoted: { body: 'x' } }, 'VALIDATION_ERROR', 'quoted'],
    [{ quoted: 'x' }, 'VALIDATION_ERROR', 'quoted'],
    [{ mentioned: ['nobody'] }, 'VALIDATION_ERROR', 'mentioned.0'],
    [{ mentioned: [GROUP.jid] }, 'VALIDATION_ERROR', 'mentioned.0'],
  ])('%j is refused before anything happens', async (body, code, field) => {
    account.online = false;
    const reply = await send(body);
    expect([reply.status, reply.body.error_code]).toEqual([400, code]);
    expect(reply.body.validation[0].field).toBe(field);
    expect(JSON.stringify(reply.body).length).toBeLessThan(1000);
    expect(account.whatsapp.lookUps).toEqual([]);
  });

  it('counts characters, not code units', async () => {
    expect((await send({ text: '😀'.repeat(4096) })).status).toBe(200);
  });

  it('sends from the device that is named in query, body or header', async () => {
    const second = await world.account({ caller: account.caller, identity: CAROL });
    await world.post(account, `/send/text?device_id=${second.device.id}`, { number: bob, text: '1' });
    await send({ device_id: second.device.id });
    await send({}, { 'x-device-id': second.device.id });
    expect(second.whatsapp.sent).toHaveLength(3);
    expect(account.whatsapp.sent).toHaveLength(0);
    const stranger = await world.account();
    expect(await send({ device_id: stranger.device.id })).toMatchObject({
      status: 404,
      body: { error_code: 'DEVICE_NOT_FOUND' },
    });
  });

  it('waits and types as long as asked, each at most a minute', async () => {
    const { clock } = world.store;
    const waits = vi.spyOn(clock, 'after');
    const waited = (ms: number) =>
      until(`it waits ${ms} ms`, () => waits.mock.calls.some(([each]) => each === ms));
    const pending = send({ delay: 2, typing_duration: 500 });
    await waited(2000);
    expect(account.whatsapp.states).toEqual([]);
    clock.advance(2000);
    await waited(60_000);
    expect(account.whatsapp.states).toEqual([`composing ${BOB.jid}`]);
    clock.advance(59_999);
    expect(account.whatsapp.states).toHaveLength(1);
    clock.advance(1);
    const reply = await pending;
    waits.mockRestore();
    expect(reply.body.metadata).toMatchObject({ presence_sent: true, presence_duration_seconds: 60 });
    expect(account.whatsapp.states).toEqual([`composing ${BOB.jid}`, `paused ${BOB.jid}`]);
  });
});

describe('quotes and mentions', () => {
  const context = () =>
    (account.whatsapp.content().extendedTextMessage as { contextInfo: Record<string, unknown> }).contextInfo;

  it('quotes what is stored, with its author, in either documented shape', async () => {
    const question = inbound({ chat: GROUP, isGroup: true, sender: CAROL, content: { text: 'who?' } });
    await world.store.archive.storeInbound(account.device, question);
    const shapes = [
      { key: { id: question.id, fromMe: false }, message: { conversation: 'something else' } },
      { message_id: question.id, participant: BOB.jid, body: 'something else' },
    ];
    for (const quoted of shapes) {
      const reply = await send({ number: GROUP.jid, quoted });
      expect(reply.body.metadata.quoted_message_found).toBe(true);
      expect(context()).toEqual({
        stanzaId: question.id,
        participant: CAROL.jid,
        quotedMessage: { conversation: 'who?' },
      });
      expect((await stored(reply.body.message_id)).context.quoted).toEqual({
        id: question.id,
        participant: CAROL.jid,
        text: 'who?',
      });
    }
  });

  it('quotes an unknown message with the words of the caller when its author is clear', async () => {
    const id = messageId();
    const first = await send({ quoted: { key: { id, fromMe: false }, message: { conversation: 'old' } } });
    expect(first.body.metadata.quoted_message_found).toBe(false);
    expect(context()).toEqual({ stanzaId: id, participant: BOB.jid, quotedMessage: { conversation: 'old' } });
    await send({ quoted: { key: { id, fromMe: true }, message: { extendedTextMessage: { text: 'mine' } } } });
    expect(context()).toMatchObject({ participant: ALICE.jid, quotedMessage: { conversation: 'mine' } });
    await send({ number: GROUP.jid, quoted: { key: { id }, message: { conversation: 'whose?' } } });
    expect(account.whatsapp.said()).toEqual({ conversation: 'hello' });
  });

  it('never quotes out of another chat', async () => {
    const secret = inbound({ chat: CAROL, sender: CAROL, content: { text: 'a secret' } });
    await world.store.archive.storeInbound(account.device, secret);
    const reply = await send({ quoted: { key: { id: secret.id } } });
    expect(reply.body.metadata.quoted_message_found).toBe(false);
    expect(account.whatsapp.said()).toEqual({ conversation: 'hello' });
  });

  it('mentions people by JID, LID or number', async () => {
    const reply = await send({ number: GROUP.jid, mentioned: [CAROL.jid, BOB.lid, '+55 11 99999-0001'] });
    expect(context()).toEqual({ mentionedJid: [CAROL.jid, BOB.lid, ALICE.jid] });
    expect(reply.body.metadata.mentions_processed).toBe(3);
  });

  it('as many names as a group has, none of which is in the text, cost next to nothing', async () => {
    const specificUsers = Array.from({ length: 2048 }, (_, index) => ({
      jid: `55119${index + 10_000_000}`,
      name: `${'@'.repeat(94)}${index + 10_000}`,
    }));
    const mentions = { number: GROUP.jid, text: '@'.repeat(4096), mentions: { specificUsers } };
    for (let round = 0; round < 5; round += 1) {
      const reply = await world.post(account, '/send/text/mentions', mentions);
      expect([reply.status, reply.body.metadata.specific_mentions]).toEqual([200, 2048]);
    }
    expect(account.whatsapp.content().extendedTextMessage).toMatchObject({ text: mentions.text });
  });

  it('refuses a name that nobody has, before it is looked for', async () => {
    const specificUsers = [{ jid: BOB.jid, name: '@'.repeat(101) }];
    const body = { number: GROUP.jid, text: 'hello @', mentions: { specificUsers } };
    const reply = await world.post(account, '/send/text/mentions', body);
    expect([reply.status, reply.body.validation?.[0].field]).toEqual([400, 'mentions.specificUsers.0.name']);
  });
});

describe('when WhatsApp does not take it', () => {
  it('a refusal is 422 with its code, and the message has failed', async () => {
    account.whatsapp.answer = () => Promise.reject(new SendRejected(479, 'restricted'));
    const reply = await send({});
    expect(reply.status).toBe(422);
    expect(reply.body).toMatchObject({ error_code: 'REJECTED_BY_WHATSAPP', whatsapp_code: 479 });
    const status = await world.get(account, `/messages/${reply.body.message_id}/status`);
    expect(status.body).toMatchObject({ status: 'failed', error: expect.stringContaining('479') });
  });

  it('silence is 504, and the message stays pending until a receipt tells', async () => {
    account.whatsapp.answer = () => Promise.reject(new SessionTimeout('no ack'));
    const reply = await send({});
    expect([reply.status, reply.body.error_code]).toEqual([504, 'WHATSAPP_TIMEOUT']);
    expect((await stored(reply.body.message_id)).sendState).toBe('pending');
  });

  it('a closed session is 503, before and while sending', async () => {
    account.whatsapp.answer = () => Promise.reject(new SessionNotOpen());
    const during = await send({});
    expect([during.status, during.body.error_code]).toEqual([503, 'DEVICE_NOT_READY']);
    account.online = false;
    const before = await send({});
    expect([before.status, before.body.error]).toEqual([503, 'WhatsApp session is not connected']);
    expect(account.whatsapp.sent).toHaveLength(1);
  });

  it('a failing look-up is 504 and is not remembered', async () => {
    account.whatsapp.lookUpFailure = new SessionTimeout('usync');
    expect((await send({})).status).toBe(504);
    account.whatsapp.lookUpFailure = null;
    expect((await send({})).status).toBe(200);
  });
});

describe('Idempotency-Key', () => {
  const key = (value: string) => ({ 'idempotency-key': value });

  it('answers a repeated request as the first time and sends once', async () => {
    const first = await send({ text: 'once' }, key('a'));
    const again = await world.post(account, '/send/text', { text: 'once', number: bob }, key('a'));
    expect(again.body).toEqual(first.body);
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([
      undefined,
      'true',
    ]);
    expect(account.whatsapp.sent).toHaveLength(1);
  });

  it('sends once for simultaneous twins', async () => {
    const replies = await Promise.all(Array.from({ length: 5 }, () => send({}, key('twins'))));
    expect(new Set(replies.map((each) => each.body.message_id)).size).toBe(1);
    expect(account.whatsapp.sent).toHaveLength(1);
  });

  it('refuses another body, device or path under the key, also while the first is under way', async () => {
    const conflict = { status: 409, body: { error_code: 'IDEMPOTENCY_CONFLICT' } };
    const [, twin] = await Promise.all([send({}, key('k')), send({ text: 'other' }, key('k'))]);
    expect(twin).toMatchObject(conflict);
    expect(await send({ text: 'other' }, key('k'))).toMatchObject(conflict);
    expect(await send({}, { ...key('k'), 'x-device-id': account.device.id })).toMatchObject(conflict);
    expect(account.whatsapp.sent).toHaveLength(1);
  });

  it('is the user’s own, and is forgotten after a day', async () => {
    const other = await world.account();
    await send({}, key('day'));
    await world.post(other, '/send/text', { number: bob, text: 'hello' }, key('day'));
    expect(other.whatsapp.sent).toHaveLength(1);
    world.store.clock.advance(24 * 3600_000 + 1);
    await send({ text: 'tomorrow' }, key('day'));
    expect(account.whatsapp.sent).toHaveLength(2);
  });

  it('is free again after an error that sent nothing', async () => {
    account.online = false;
    expect((await send({}, key('free'))).status).toBe(503);
    account.online = true;
    expect((await send({}, key('free'))).status).toBe(200);
    account.whatsapp.answer = () => Promise.reject(new SendRejected(479, 'malformed'));
    expect((await send({}, key('refused'))).status).toBe(422);
    account.whatsapp.answer = account.whatsapp.takes;
    expect((await send({}, key('refused'))).status).toBe(200);
  });

  it('sends again under the same id when the ack did not come', async () => {
    account.whatsapp.answer = () => Promise.reject(new SessionTimeout('no ack'));
    const lost = await send({}, key('lost'));
    expect(lost.status).toBe(504);
    account.whatsapp.answer = account.whatsapp.takes;
    const again = await send({}, key('lost'));
    expect(again.body.message_id).toBe(lost.body.message_id);
    expect(account.whatsapp.sent.map((each) => each.id)).toEqual([
      lost.body.message_id,
      lost.body.message_id,
    ]);
    expect((await stored(lost.body.message_id)).sendState).toBe('sent');
  });

  it('sends nothing again when a receipt has proved the first attempt', async () => {
    account.whatsapp.answer = () => Promise.reject(new SessionTimeout('no ack'));
    const lost = await send({}, key('proved'));
    await world.store.archive.applyReceipt(account.device, {
      chat: BOB,
      isGroup: false,
      recipient: BOB,
      messageIds: [lost.body.message_id],
      kind: 'delivered',
      timestamp: NOW,
    });
    const again = await send({}, key('proved'));
    expect([again.status, again.body.message_id]).toEqual([200, lost.body.message_id]);
    expect(account.whatsapp.sent).toHaveLength(1);
  });

  it.each(['', ' x', 'x'.repeat(256), 'ü'])('%j is no key', async (value) => {
    const reply = await send({}, key(value));
    expect([reply.status, reply.body.validation?.[0]?.field]).toEqual([400, 'Idempotency-Key']);
  });

  it('refuses a body that nests without end', async () => {
    const deep = JSON.parse('['.repeat(500) + ']'.repeat(500));
    expect((await send({ deep }, key('deep'))).status).toBe(400);
  });
});
