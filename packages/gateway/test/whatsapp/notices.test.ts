import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../src/clock.ts';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { type Linked, linkSession, openSession, sessionsOn } from './linked-session.ts';
import { MemoryCredentials } from './memory-credentials.ts';
import { Recorder } from './recorder.ts';

const clock = new AdvancingClock();
let sandbox: Sandbox;
let factory: SessionFactory;
let shop: Linked;
let ana: Phone;

beforeAll(async () => {
  sandbox = await startSandbox();
  factory = sessionsOn(sandbox, {
    clock,
  });
  shop = await linkSession(sandbox, factory, '5511977770001');
  ana = await sandbox.createPhone({ number: '5511977770002', name: 'Ana' });
  // Who never wrote to each other is not told of pictures, about texts and identities.
  const { id } = await ana.sendText(shop.phone, 'oi');
  await shop.recorder.message(id);
});
afterAll(async () => {
  await shop.session.stop();
  await sandbox.stop();
});

/** WhatsApp tells times in seconds. */
const begun = Math.floor(Date.now() / 1000) * 1000;
function expectSince(at: number | null | undefined): void {
  expect(at).toBeGreaterThanOrEqual(begun);
  expect(at).toBeLessThanOrEqual(Date.now());
}

const both = (phone: Phone) => ({ jid: phone.jid, lid: phone.lid });

describe('presence', () => {
  test('of a contact that was subscribed to', async () => {
    await shop.session.presence.subscribe(ana.jid);
    const away = await shop.recorder.notice('contact.presence');
    expect(away).toMatchObject({ contact: both(ana), state: 'unavailable' });
    expectSince(away.lastSeen);
    ana.setPresence('available');
    expect(await shop.recorder.notice('contact.presence')).toEqual({
      name: 'contact.presence',
      contact: both(ana),
      state: 'available',
      lastSeen: null,
    });
    ana.setPresence('unavailable');
    expect((await shop.recorder.notice('contact.presence')).state).toBe('unavailable');
  });

  test('typing, recording and stopping, in a chat and in a group', async () => {
    await ana.typing(shop.phone, 'composing');
    await ana.typing(shop.phone, 'composing', 'audio');
    await ana.typing(shop.phone, 'paused');
    const seen = [1, 2, 3].map(() => shop.recorder.notice('chat.presence'));
    expect(await Promise.all(seen)).toEqual(
      [
        ['composing', 'text'],
        ['composing', 'audio'],
        ['paused', 'text'],
      ].map(([state, media]) => ({
        name: 'chat.presence',
        chat: both(ana),
        sender: both(ana),
        state,
        media,
      })),
    );
    const group = await ana.createGroup('Typists', [shop.phone]);
    await ana.typing(group, 'composing');
    expect(await shop.recorder.notice('chat.presence')).toMatchObject({
      chat: { jid: group.jid, lid: null },
      sender: both(ana),
    });
  });
});

describe('calls', () => {
  test('from the offer to the end, with every signal between', async () => {
    const { id } = await ana.call(shop.phone, { video: true });
    const offer = await shop.recorder.notice('call.offer');
    expect(offer).toMatchObject({
      callId: id,
      from: both(ana),
      group: null,
      video: true,
      offline: false,
      reason: null,
      latencyMs: null,
    });
    expectSince(offer.timestamp);

    ana.sendRelayLatency(id, 48);
    expect(await shop.recorder.notice('call.relay_latency')).toMatchObject({ callId: id, latencyMs: 48 });
    ana.signalCall(id, 'transport', { 'transport-message-type': '1' });
    // What the offer said is remembered: a later signal says neither video nor the caller's number.
    expect(await shop.recorder.notice('call.transport')).toMatchObject({ from: both(ana), video: true });

    await shop.phone.waitForCall(({ signal }) => signal === 'offer');
    shop.phone.answerCall(id, 'accept');
    expect(await shop.recorder.notice('call.accept')).toMatchObject({ callId: id, from: both(ana) });
    ana.signalCall(id, 'mute_v2');
    expect(await shop.recorder.notice('call.unknown')).toMatchObject({ callId: id });
    ana.hangUp(id, 'timeout');
    expect(await shop.recorder.notice('call.terminate')).toMatchObject({ callId: id, reason: 'timeout' });
  });

  test('that our own phone makes ring on the other side and are rejected there', async () => {
    const { id } = await shop.phone.call(ana);
    await ana.waitForCall(({ callId }) => callId === id);
    ana.answerCall(id, 'preaccept');
    expect(await shop.recorder.notice('call.pre_accept')).toMatchObject({
      callId: id,
      from: both(shop.phone),
      video: false,
    });
    ana.answerCall(id, 'reject');
    expect(await shop.recorder.notice('call.reject')).toMatchObject({ callId: id, from: both(shop.phone) });
  });

  test('of a group name the group', async () => {
    const group = await ana.createGroup('Conference', [shop.phone]);
    const { id } = await ana.call(group, { video: true });
    expect(await shop.recorder.notice('call.offer', ({ callId }) => callId === id)).toMatchObject({
      from: both(ana),
      group: group.jid,
      video: true,
    });
  });
});

describe('groups', () => {
  test('that we are put into, and every change of one', async () => {
    const bia = await sandbox.createPhone({ number: '5511977770003', name: 'Bia' });
    const group = await ana.createGroup('Team', [shop.phone]);
    const { recorder } = shop;
    const joined = await recorder.notice('group.joined', (notice) => notice.group === group.jid);
    expect(joined).toMatchObject({ subject: 'Team', author: both(ana) });
    expect(joined.participants).toEqual([both(ana), both(shop.phone)]);
    const next = () => recorder.notice('group.info', (notice) => notice.group === group.jid);
    const change = async (make: Promise<unknown>) => {
      await make;
      const { change: what, value, participants, author } = await next();
      expect(author).toEqual(both(ana));
      return { what, value, participants };
    };

    expect(await change(ana.setGroupSubject(group, 'The team'))).toMatchObject({
      what: 'subject',
      value: 'The team',
    });
    expect(await change(ana.setGroupDescription(group, 'What it is for'))).toMatchObject({
      what: 'description',
      value: 'What it is for',
    });
    expect(await change(ana.setGroupDescription(group, ''))).toMatchObject({
      what: 'description',
      value: null,
    });
    expect(await change(ana.setGroupSetting(group, 'announcement'))).toMatchObject({
      what: 'announcement',
      value: true,
    });
    expect(await change(ana.setGroupSetting(group, 'not_announcement'))).toMatchObject({ value: false });
    expect(await change(ana.setGroupSetting(group, 'locked'))).toMatchObject({ what: 'locked', value: true });
    expect(await change(ana.setGroupSetting(group, 'unlocked'))).toMatchObject({ value: false });
    expect(await change(ana.setGroupEphemeral(group, 86_400))).toMatchObject({
      what: 'ephemeral',
      value: 86_400,
    });
    expect(await change(ana.setGroupEphemeral(group, 0))).toMatchObject({ what: 'ephemeral', value: 0 });
    expect(await change(ana.setGroupApproval(group, true))).toMatchObject({
      what: 'membership_approval_mode',
      value: true,
    });
    expect(await change(ana.setGroupAddMode(group, 'admin_add'))).toMatchObject({
      what: 'member_add_mode',
      value: 'admin_add',
    });
    const code = ana.resetGroupInvite(group);
    expect(await change(code)).toMatchObject({ what: 'invite', value: await code });

    const people = async (make: Promise<unknown>) => (await change(make)).participants;
    expect(await people(ana.addToGroup(group, bia))).toEqual([{ id: both(bia), change: 'add' }]);
    expect(await people(ana.promote(group, bia))).toEqual([{ id: both(bia), change: 'promote' }]);
    expect(await people(ana.demote(group, bia))).toEqual([{ id: both(bia), change: 'demote' }]);
    await bia.leaveGroup(group);
    expect((await next()).participants).toEqual([{ id: both(bia), change: 'leave' }]);
    // Where admins approve who joins, the link alone does not let anybody in.
    await bia.joinGroup(await code);
    expect(await change(ana.setGroupApproval(group, false))).toMatchObject({ value: false });
    await bia.joinGroup(await code);
    expect(await next()).toMatchObject({
      author: both(bia),
      value: 'invite',
      participants: [{ id: both(bia), change: 'add' }],
    });
    expect(await people(ana.removeFromGroup(group, bia))).toEqual([{ id: both(bia), change: 'remove' }]);
  });

  test('that exist already and take us in, and put us out again', async () => {
    const group = await ana.createGroup('Latecomers', []);
    await ana.addToGroup(group, shop.phone);
    const here = (notice: { group: string }) => notice.group === group.jid;
    expect(await shop.recorder.notice('group.joined', here)).toMatchObject({
      subject: 'Latecomers',
      author: both(ana),
      participants: [both(ana), both(shop.phone)],
    });
    await ana.removeFromGroup(group, shop.phone);
    expect((await shop.recorder.notice('group.info', here)).participants).toEqual([
      { id: both(shop.phone), change: 'remove' },
    ]);
  });
});

describe('contacts', () => {
  test('change their picture, their about text, and a group its picture', async () => {
    await ana.setPicture(Buffer.from('a picture'));
    const set = await shop.recorder.notice('contact.picture');
    expect(set).toMatchObject({ contact: both(ana), removed: false, author: both(ana) });
    expect(set.pictureId).toMatch(/^\d+$/);
    await ana.removePicture();
    expect(await shop.recorder.notice('contact.picture')).toMatchObject({ removed: true, pictureId: null });
    await ana.setAbout('No café');
    expect(await shop.recorder.notice('contact.about')).toEqual({
      name: 'contact.about',
      contact: both(ana),
      about: 'No café',
    });
    const group = await ana.createGroup('With a picture', [shop.phone]);
    await ana.setPicture(Buffer.from('a picture'), group);
    expect(await shop.recorder.notice('contact.picture')).toMatchObject({
      contact: { jid: group.jid, lid: null },
      author: both(ana),
    });
  });

  test('register again, which changes their identity, and write on', async () => {
    const caio = await sandbox.createPhone({ number: '5511977770004', name: 'Caio' });
    const before = await caio.sendText(shop.phone, 'before');
    await shop.recorder.message(before.id);
    const again = await sandbox.reregister(caio);
    const changed = await shop.recorder.notice('identity.change');
    expect(changed.contact).toEqual(both(caio));
    expectSince(changed.timestamp);
    const after = await again.sendText(shop.phone, 'after');
    expect((await shop.recorder.message(after.id)).content.text).toBe('after');
    const id = shop.session.messages.newId();
    await shop.session.messages.send({ to: caio.jid, id, message: { conversation: 'answer' } });
    expect((await again.waitForMessage((m) => m.id === id)).text).toBe('answer');
  });
});

describe('the account', () => {
  test('is changed on the phone: block list, privacy, picture', async () => {
    const spam = await sandbox.createPhone({ number: '5511977770005', name: 'Spam' });
    await shop.phone.block(spam);
    expect(await shop.recorder.notice('privacy.blocklist')).toMatchObject({
      blocked: [{ lid: spam.lid }],
      unblocked: [],
    });
    await shop.phone.unblock(spam);
    expect(await shop.recorder.notice('privacy.blocklist')).toMatchObject({
      blocked: [],
      unblocked: [{ lid: spam.lid }],
    });
    await shop.phone.setPrivacy('last', 'contacts');
    expect((await shop.recorder.notice('privacy.settings')).settings).toMatchObject({
      last: 'contacts',
      readreceipts: 'all',
    });
    await shop.phone.setPicture(Buffer.from('a logo'));
    expect(await shop.recorder.notice('contact.picture')).toMatchObject({ contact: both(shop.phone) });
  });
});

describe('the connection', () => {
  test('says what was kept while we were away, and a call of that time is over', async () => {
    const { credentials, recorder, phone, session } = await linkSession(sandbox, factory, '5511977770010');
    await recorder.notice('offline.sync_completed');
    await phone.bootstrapped(1);
    await expect.poll(() => sandbox.pendingFor(`${phone.number}:1@s.whatsapp.net`)).toBe(0);
    await session.stop();
    await ana.sendText(phone, 'one');
    await ana.sendText(phone, 'two');
    const { id } = await ana.call(phone);
    const again = await openSession(factory, credentials, recorder);
    expect(await recorder.notice('offline.sync_preview', ({ total }) => total >= 3)).toMatchObject({
      messages: 2,
      receipts: 0,
      appData: 0,
    });
    expect(await recorder.notice('call.offer')).toMatchObject({ callId: id, offline: true });
    expect((await recorder.notice('offline.sync_completed', ({ count }) => count >= 3)).count).toBe(3);
    await again.stop();
  });

  test('goes silent and comes back', async () => {
    const { recorder, phone, session } = await linkSession(sandbox, factory, '5511977770011');
    const device = `${phone.number}:1@s.whatsapp.net`;
    await phone.bootstrapped(1);
    clock.advance(30_000);
    sandbox.faults.silence(device);
    // A ping is answered within moments; after 35 s without a word one must have been lost.
    clock.advance(36_000);
    const { silentForMs } = await recorder.notice('connection.keepalive_timeout');
    expect(silentForMs).toBeGreaterThan(35_000);
    const { id } = await ana.sendText(phone, 'are you there?');
    expect(recorder.events.some((event) => event.type === 'message')).toBe(false);
    sandbox.faults.resume(device);
    await recorder.notice('connection.keepalive_restored');
    expect((await recorder.message(id)).content.text).toBe('are you there?');
    await session.stop();
  });

  test('a linking that cannot be verified is a pairing error', async () => {
    const phone = await sandbox.createPhone({ number: '5511977770012', name: 'Wrong' });
    const recorder = new Recorder();
    const session = await openSession(factory, new MemoryCredentials(), recorder);
    const { code } = await recorder.next('qr');
    // The phone signs with another secret than the companion's: its HMAC does not fit.
    const fields = code.split(',');
    fields[3] = Buffer.alloc(32, 7).toString('base64');
    await expect(phone.scanQr(fields.join(','))).rejects.toThrow();
    expect((await recorder.notice('connection.pair_error')).reason).toMatch(/signature/i);
    expect((await recorder.next('closed')).reason).toBe('pairing_failed');
    await session.stop();
  });
});

test('a stanza that comes again, because its acknowledgement was lost, has the same cause', async () => {
  const { credentials, recorder, phone, session } = await linkSession(sandbox, factory, '5511977770014');
  const group = await ana.createGroup('Twice', [phone]);
  await recorder.notice('group.joined', (notice) => notice.group === group.jid);
  const causes: (string | undefined)[] = [];
  let seen: () => void = () => undefined;
  const reported = new Promise<void>((resolve) => {
    seen = resolve;
  });
  // To the server a refusal looks like a crash between the commit and the acknowledgement.
  recorder.refuse = (event) => {
    if (event.type !== 'notice' || event.notice.name !== 'group.info') return false;
    causes.push(event.cause);
    seen();
    return true;
  };
  await ana.setGroupSubject(group, 'Once');
  await reported;
  await session.stop();
  recorder.refuse = null;
  const again = await openSession(factory, credentials, recorder);
  const { cause } = await recorder.next('notice', ({ notice }) => notice.name === 'group.info');
  expect(cause).toMatch(/^notification\|120363\d+@g\.us\|w:gp2\|/);
  expect(causes).toEqual([cause]);
  await ana.setGroupSubject(group, 'Another change');
  const other = await recorder.next('notice', ({ notice }) => notice.name === 'group.info');
  expect(other.cause).not.toBe(cause);
  await again.stop();
});

describe('what was not stored', () => {
  test('is not acknowledged and comes again: notifications and calls', async () => {
    const { credentials, recorder, phone, session } = await linkSession(sandbox, factory, '5511977770013');
    const group = await ana.createGroup('Kept', [phone]);
    await recorder.notice('group.joined', (notice) => notice.group === group.jid);
    recorder.refuse = (event) => event.type === 'notice';
    await ana.setGroupSubject(group, 'Kept for later');
    await recorder.refused;
    const { id } = await ana.call(phone);
    await session.stop();
    recorder.refuse = null;
    const again = await openSession(factory, credentials, recorder);
    expect((await recorder.notice('group.info')).value).toBe('Kept for later');
    expect((await recorder.notice('call.offer')).callId).toBe(id);
    await again.stop();
    // Acknowledged now: it does not come a third time.
    const third = await openSession(factory, credentials, recorder);
    expect((await recorder.notice('offline.sync_completed', ({ count }) => count === 0)).count).toBe(0);
    await third.stop();
  });
});
