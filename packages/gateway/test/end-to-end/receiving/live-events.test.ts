import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../../src/clock.ts';
import type { EventName } from '../../../src/events/catalogue/names.ts';
import { problems } from '../../events/schema.ts';
import { type Api, type Json, until, World } from '../harness.ts';

const clock = new AdvancingClock();
let world: World;
let api: Api;
let token: string;
let deviceId: string;
let shop: Phone;
let ana: Phone;
let companion: string;
/** Each test looks at the events after those that earlier tests waited for. */
let after = '0';

beforeAll(async () => {
  world = await World.create({ clock });
  token = await world.tenant('live');
  api = world.as(token);
  shop = await world.sandbox.createPhone({ number: '5511999995001', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511999995002', name: 'Ana' });
  deviceId = await world.linkByQr(token, shop);
  companion = `${shop.number}:1@s.whatsapp.net`;
  const { id } = await ana.sendText(shop, 'oi');
  await event('message.received', ({ data }) => data.message_id === id);
});
afterAll(() => world.destroy());

/** The next event of that name, as `GET /events` gives it and as its schema says. */
async function event(name: EventName, fits: (event: Json) => boolean = () => true): Promise<Json> {
  const found = await until(`${name} is an event`, async () => {
    const { events } = (await api.get(`/events?after=${after}&limit=1000&event=${name}`)).body;
    return events.find(fits);
  });
  expect(problems(name, found.data), name).toEqual([]);
  expect(found).toMatchObject({ event: name, device_id: deviceId });
  return found.data;
}

/** Forgets the events so far. */
async function fromHere(): Promise<void> {
  for (;;) {
    const page = (await api.get(`/events?after=${after}&limit=1000`)).body;
    after = page.next;
    if (!page.has_more) return;
  }
}

const person = ({ jid, lid, number }: Phone) => ({ jid, lid, phone_number: number });

describe('what happens on the network is an event', () => {
  test('presence and typing', async () => {
    await fromHere();
    // No operation subscribes yet: the companion's own stanza, put on its link.
    const device = world.sandbox.network.directory.resolveDevice(companion);
    if (!device?.mailbox.link) throw new Error('the companion is not attached');
    const subscribe = { tag: 'presence', attrs: { type: 'subscribe', to: ana.lid } };
    world.sandbox.network.submit(device.mailbox.link, subscribe);
    expect(await event('contact.presence')).toMatchObject({ contact: person(ana), state: 'unavailable' });
    await ana.typing(shop, 'composing', 'audio');
    expect(await event('chat.presence')).toMatchObject({
      chat_jid: ana.jid,
      sender: person(ana),
      state: 'composing',
      media: 'audio',
    });
  });

  test('every signal of a call', async () => {
    await fromHere();
    const { id } = await ana.call(shop, { video: true });
    expect(await event('call.offer')).toMatchObject({
      call_id: id,
      from: ana.jid,
      caller: person(ana),
      video: true,
      is_group: false,
      offline: false,
    });
    await shop.waitForCall(({ callId }) => callId === id);
    shop.answerCall(id, 'accept');
    ana.sendRelayLatency(id, 48);
    ana.signalCall(id, 'transport');
    ana.signalCall(id, 'mute_v2');
    ana.hangUp(id, 'timeout');
    expect(await event('call.accept')).toMatchObject({ call_id: id });
    expect(await event('call.relay_latency')).toMatchObject({ latency_ms: 48 });
    await event('call.transport');
    await event('call.unknown');
    expect(await event('call.terminate')).toMatchObject({ call_id: id, reason: 'timeout', video: true });
    const own = await shop.call(ana);
    await ana.waitForCall(({ callId }) => callId === own.id);
    ana.answerCall(own.id, 'preaccept');
    ana.answerCall(own.id, 'reject');
    expect(await event('call.pre_accept')).toMatchObject({ call_id: own.id, caller: person(shop) });
    expect(await event('call.reject')).toMatchObject({ call_id: own.id });
  });

  test('groups', async () => {
    await fromHere();
    const group = await ana.createGroup('Team', [shop]);
    const joined = await event('group.joined');
    expect(joined).toMatchObject({ group_jid: group.jid, subject: 'Team', author: person(ana) });
    expect(joined.participants).toEqual([person(ana), person(shop)]);
    await ana.setGroupDescription(group, 'What it is for');
    expect(await event('group.info')).toMatchObject({
      group_jid: group.jid,
      change: 'description',
      value: 'What it is for',
      author: person(ana),
      participants: [],
    });
    await ana.promote(group, shop);
    expect(await event('group.info', ({ data }) => data.change === 'participants')).toMatchObject({
      participants: [{ ...person(shop), change: 'promote' }],
    });
  });

  test('pictures, about texts and identities of contacts', async () => {
    await fromHere();
    await ana.setPicture(Buffer.from('a picture'));
    expect(await event('contact.picture')).toMatchObject({ contact: person(ana), removed: false });
    await ana.setAbout('Gone fishing');
    expect(await event('contact.about')).toMatchObject({ contact: person(ana), about: 'Gone fishing' });
    ana = await world.sandbox.reregister(ana);
    expect(await event('identity.change')).toMatchObject({ contact: person(ana) });
  });

  test('the block list and the privacy settings', async () => {
    await fromHere();
    await shop.block(ana);
    expect(await event('privacy.blocklist')).toMatchObject({ blocked: [person(ana)], unblocked: [] });
    await shop.unblock(ana);
    await shop.setPrivacy('last', 'contacts');
    expect((await event('privacy.settings')).settings).toMatchObject({ last: 'contacts' });
  });

  test('a stanza that the network delivers twice is one event', async () => {
    await fromHere();
    const device = world.sandbox.network.directory.resolveDevice(companion);
    if (!device) throw new Error('there is no companion');
    const content = [{ tag: 'set', attrs: {}, content: Buffer.from('Twice') }];
    const attrs = { from: ana.jid, type: 'status', id: '4711', t: '1760000000' };
    world.sandbox.network.delivery.post(device, { tag: 'notification', attrs, content });
    world.sandbox.network.delivery.post(device, { tag: 'notification', attrs, content });
    await ana.setAbout('Once');
    await event('contact.about', ({ data }) => data.about === 'Once');
    const { events } = (await api.get(`/events?after=${after}&event=contact.about`)).body;
    expect(events.map(({ data }: Json) => data.about)).toEqual(['Twice', 'Once']);
  });

  test('what was kept while the gateway was away, a missed call among it', async () => {
    await fromHere();
    await world.gateway.stop();
    const { id } = await ana.call(shop);
    await ana.sendText(shop, 'are you open?');
    await world.restartGateway();
    api = world.as(token);
    expect(await event('offline.sync_preview', ({ data }) => data.total >= 2)).toMatchObject({ messages: 1 });
    expect(await event('offline.sync_completed', ({ data }) => data.count >= 2)).toBeDefined();
    expect(await event('call.offer')).toMatchObject({ call_id: id, offline: true });
  });

  test('a connection that falls silent and comes back', async () => {
    await world.untilConnected(token, deviceId);
    await fromHere();
    world.sandbox.faults.silence(companion);
    clock.advance(40_000);
    expect((await event('connection.keepalive_timeout')).silent_for_ms).toBeGreaterThan(35_000);
    world.sandbox.faults.resume(companion);
    await ana.sendText(shop, 'hello again');
    await event('connection.keepalive_restored');
  });

  test('a linking that cannot be verified', async () => {
    await fromHere();
    const other = await world.sandbox.createPhone({ number: '5511999995003', name: 'Other' });
    const created = await api.post('/devices', { name: 'never linked' });
    deviceId = created.body.device.id;
    const qr = await api.get(`/qr?device_id=${deviceId}`);
    const fields = qr.body.data.qr_code.split(',');
    fields[3] = Buffer.alloc(32, 7).toString('base64');
    await expect(other.scanQr(fields.join(','))).rejects.toThrow();
    expect((await event('connection.pair_error')).reason).toMatch(/signature/i);
  });
});
