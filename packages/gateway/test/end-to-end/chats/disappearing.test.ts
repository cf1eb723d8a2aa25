/** Chats whose messages disappear: what is sent into them says when, as the receiving phone decrypts it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Api, until, untilReceived, World } from '../harness.ts';
import { sendEachKind } from '../sending/kinds-of-sends.ts';
import { type Timer, timerIn } from '../timers.ts';

const DAY = 86_400;
const WEEK = 604_800;

let world: World;
let api: Api;
let token: string;
let shop: Phone;
let contact: Phone;
let quiet: Phone;
let group: string;

beforeAll(async () => {
  world = await World.create();
  token = await world.tenant('disappearing');
  shop = await world.sandbox.createPhone({ number: '5511999991401', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999991402', name: 'Contact' });
  quiet = await world.sandbox.createPhone({ number: '5511999991403', name: 'Quiet' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  group = (await shop.createGroup('Team', [contact])).jid;
});
afterAll(() => world.destroy());

async function timerAt(phone: Phone, id: string): Promise<Timer | null> {
  return timerIn((await phone.waitForMessage((each) => each.id === id)).message);
}

async function call(path: string, body: object = {}, method = 'POST'): Promise<Answer> {
  const answer = await api.call(method, path, { to: contact.number, ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer;
}

async function sent(path: string, body: object = {}, method = 'POST'): Promise<string> {
  return (await call(path, body, method)).body.message_id;
}

/** What is sent to a phone from now on carries that timer. */
async function untilTimer(phone: Phone, seconds: number, to = phone.number): Promise<Timer | null> {
  return until(`messages to ${to} stay for ${seconds} s`, async () => {
    const timer = await timerAt(phone, await sent('/send/text', { to, text: 'And now?' }));
    return (timer?.expiration ?? 0) === seconds && { timer };
  }).then(({ timer }) => timer);
}

describe('a chat of two', () => {
  test('what its other side sets is in messages of every kind, until it is set anew', async () => {
    expect(await timerAt(contact, await sent('/send/text', { text: 'Stays' }))).toBeNull();
    const before = Math.floor(Date.now() / 1000);
    await contact.setChatTimer(shop.number, WEEK);
    const timer = await untilTimer(contact, WEEK);
    expect(timer?.setAt).toBeGreaterThanOrEqual(before);
    expect(timer?.setAt).toBeLessThanOrEqual(Date.now() / 1000);

    const { text, ids } = await sendEachKind(sent, contact);
    ids.push(await sent(`/messages/${text}`, { message: 'Hello again' }, 'PUT'));
    for (const id of ids) expect(await timerAt(contact, id), id).toEqual(timer);

    const { job_id } = (
      await call('/send/text', { text: 'Later', send_at: String(Math.floor(Date.now() / 1000)) })
    ).body;
    const { bulk } = (
      await call('/bulk', { recipients: [contact.number], message: { type: 'text', text: 'Many' } })
    ).body;
    const later = await until(
      'the job is done',
      async () => (await api.get(`/jobs/${job_id}`)).body.job.message_id,
    );
    const many = await until('the bulk is done', async () => {
      return (await api.get(`/bulk/${bulk.id}`)).body.messages[0].message_id;
    });
    expect([await timerAt(contact, later), await timerAt(contact, many)]).toEqual([timer, timer]);

    const told = await api.get(`/messages/${text}`);
    expect(told.body.message.ephemeral).toBe(WEEK);
    await contact.setChatTimer(shop.number, 0);
    expect(await untilTimer(contact, 0)).toBeNull();
  });

  test('a reaction and a revoke carry none', async () => {
    await contact.setChatTimer(shop.number, DAY);
    await untilTimer(contact, DAY);
    const id = await sent('/send/text', { text: 'Hello' });
    const reaction = await sent('/send/reaction', { messageId: id, reaction: '👍' });
    expect(await timerAt(contact, reaction)).toBeNull();
  });

  test('its last message tells it, and one without a timer changes nothing', async () => {
    const setAt = Math.floor(Date.now() / 1000) - 60;
    const contextInfo = { expiration: WEEK, ephemeralSettingTimestamp: setAt };
    const from = { extendedTextMessage: { text: 'It was set before you came', contextInfo } };
    const { id } = await quiet.sendRaw(shop.number, from);
    await untilReceived(api, id);
    expect(await untilTimer(quiet, WEEK)).toEqual({ expiration: WEEK, setAt });
    const plain = await quiet.sendText(shop.number, 'From a program that knows no timers');
    await untilReceived(api, plain.id);
    expect(await timerAt(quiet, await sent('/send/text', { to: quiet.number, text: 'Still' }))).toEqual({
      expiration: WEEK,
      setAt,
    });
  });

  test('a time to come is no last word', async () => {
    const contextInfo = {
      expiration: DAY,
      ephemeralSettingTimestamp: Math.floor(Date.now() / 1000) + 10 * WEEK,
    };
    const { id } = await quiet.sendRaw(shop.number, {
      extendedTextMessage: { text: 'For ever', contextInfo },
    });
    await untilReceived(api, id);
    await untilTimer(quiet, DAY);
    await quiet.setChatTimer(shop.number, 0);
    await untilTimer(quiet, 0);
  });
});

test('a group has what its server says', async () => {
  expect(await timerAt(contact, await sent('/send/text', { to: group, text: 'Stays' }))).toBeNull();
  const before = Math.floor(Date.now() / 1000);
  await shop.setGroupEphemeral({ jid: group }, DAY);
  const timer = await untilTimer(contact, DAY, group);
  expect(timer?.setAt).toBeGreaterThanOrEqual(before);
  await shop.setGroupEphemeral({ jid: group }, 0);
  await untilTimer(contact, 0, group);
});

describe('ephemeral_seconds', () => {
  test('is the time of one message', async () => {
    await contact.setChatTimer(shop.number, WEEK);
    await untilTimer(contact, WEEK);
    const day = await sent('/send/text', { text: 'Soon gone', ephemeral_seconds: DAY });
    expect((await timerAt(contact, day))?.expiration).toBe(DAY);
    const stays = await sent('/send/text', { text: 'Stays', ephemeral_seconds: 0 });
    expect(await timerAt(contact, stays)).toBeNull();
    expect((await timerAt(contact, await sent('/send/text', { text: 'As ever' })))?.expiration).toBe(WEEK);
  });

  test.each([1, 3600, -1, 1.5, 31_536_000, 'forever'])('refuses %s', async (ephemeral_seconds) => {
    const answer = await api.post('/send/text', { to: contact.number, text: 'x', ephemeral_seconds });
    expect([answer.status, answer.body.error_code, answer.body.validation[0].field]).toEqual([
      400,
      'VALIDATION_ERROR',
      'ephemeral_seconds',
    ]);
  });
});

test('history brings the timers of chats, and a restart loses none', async () => {
  const other = await world.sandbox.createPhone({ number: '5511999991404', name: 'Old number' });
  await other.past.fill(contact, 3);
  await other.setChatTimer(contact, DAY);
  const second = await world.tenant('history');
  await world.linkByQr(second, other);
  const late = world.as(second);
  await until('history has come', async () => {
    return (await late.get('/events?event=history.sync')).body.events.length > 0;
  });
  await world.restartGateway();
  const { device_id } = (await world.as(second).get('/status')).body.data;
  await world.untilConnected(second, device_id);
  const answer = await world.as(second).post('/send/text', { to: contact.number, text: 'Hello' });
  expect((await timerAt(contact, answer.body.message_id))?.expiration).toBe(DAY);
});
