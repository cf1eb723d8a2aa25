/** Our key for stories goes to each device once: the next story to the same people is encrypted for nobody by himself. */
import type { Phone } from '@wuts/sandbox';
import type { BinaryNode } from 'baileys';
import { afterAll, afterEach, expect, test } from 'vitest';
import { type Api, until } from '../harness.ts';
import { openShop } from '../shop.ts';

const STORIES = 'status@broadcast';

const opened = await openShop({ tenant: 'keys' });
const { world, token, deviceId: device, shop, contact: ana } = opened;
let bob = opened.friend;
const api = (): Api => world.as(token);
/** All that devices send. */
const sent: BinaryNode[] = [];
world.sandbox.network.onStanza((node) => sent.push(node));
afterAll(() => world.destroy());
afterEach(() => world.sandbox.faults.clear());

const children = (node: BinaryNode | undefined) =>
  Array.isArray(node?.content) ? (node.content as BinaryNode[]) : [];
const named = (node: BinaryNode | undefined, tag: string) => children(node).find((each) => each.tag === tag);
const got = (phone: Phone, id: string) => phone.waitForMessage((message) => message.id === id);

/** Posts to them, and says whom the stanza gave the key to and whom it only named. */
async function post(text: string, ...people: Phone[]) {
  sent.length = 0;
  const audience = people.map(({ number }) => number);
  const answer = await api().post('/status/text', { device_id: device, text, audience });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const id: string = answer.body.message_id;
  const stanza = sent.find(({ tag, attrs }) => tag === 'message' && attrs.to === STORIES && attrs.id === id);
  const targets = children(named(stanza, 'participants'));
  const jids = (withKey: boolean) =>
    targets
      .flatMap((to) => ((named(to, 'enc') !== undefined) === withKey ? (to.attrs.jid ?? []) : []))
      .sort();
  const asked = sent.filter(({ tag, attrs }) => tag === 'iq' && attrs.xmlns === 'encrypt').length;
  return { id, stanza, given: jids(true), named: jids(false), asked };
}

const lids = (...phones: Phone[]) => phones.map(({ lid }) => lid).sort();

test('who has the key is named, and reads the next one', async () => {
  const first = await post('Open', ana, bob);
  expect(first).toMatchObject({ given: lids(ana, bob, shop), named: [] });
  const second = await post('Still open', ana, bob);
  expect(second).toMatchObject({ given: [], named: lids(ana, bob, shop), asked: 0 });
  expect(children(second.stanza).map(({ tag }) => tag)).toEqual(['participants', 'enc']);
  for (const phone of [ana, bob, shop]) {
    expect(await got(phone, second.id)).toMatchObject({ text: 'Still open' });
    expect(await got(phone, second.id)).not.toHaveProperty('resent');
  }
});

test('who comes new gets it, and nobody else once more', async () => {
  const cleo = await world.sandbox.createPhone({ number: '5511999998804', name: 'Cleo' });
  const { id, ...told } = await post('Welcome', ana, cleo);
  expect(told).toMatchObject({ given: lids(cleo), named: lids(ana, shop) });
  expect(await got(cleo, id)).toMatchObject({ text: 'Welcome' });
  expect(bob.inbox.map((message) => message.id)).not.toContain(id);
});

test('a new installation asks for it', async () => {
  const anew = await world.sandbox.reregister(bob);
  const { id } = await post('Do you see it?', anew);
  expect(await got(anew, id)).toMatchObject({ text: 'Do you see it?', resent: true });
  bob = anew;
});

test('after a restart it is known who has it', async () => {
  await world.restartGateway();
  await world.untilConnected(token, device);
  const { id, ...told } = await post('Tomorrow too', ana, bob);
  expect(told).toMatchObject({ given: [], named: lids(ana, bob, shop) });
  for (const phone of [ana, bob]) await got(phone, id);
});

test('a story that was refused has given it to nobody', async () => {
  const dora = await world.sandbox.createPhone({ number: '5511999998805', name: 'Dora' });
  world.sandbox.faults.nextAckError(500);
  const refused = await api().post('/status/text', {
    device_id: device,
    text: 'Refused',
    audience: [dora.number],
  });
  expect(refused.status).toBe(502);
  expect(await post('Taken', dora)).toMatchObject({ given: lids(dora), named: lids(shop) });
});

test('who has no keys is left out, and gets the next one', async () => {
  const eve = await world.sandbox.createPhone({ number: '5511999998806', name: 'Eve' });
  world.sandbox.faults.withholdKeys(eve.number);
  expect(await post('Without Eve', ana, eve)).toMatchObject({ given: [], named: lids(ana, shop) });
  expect(await post('Without her again', eve)).toMatchObject({ given: [], named: lids(shop) });
  world.sandbox.faults.withholdKeys(eve.number, false);
  const { id, given } = await post('With Eve', ana, eve);
  expect(given).toEqual(lids(eve));
  await got(eve, id);
});

test('what is taken back is taken back with the same key', async () => {
  const { id } = await post('A mistake', ana, bob);
  sent.length = 0;
  expect((await api().delete(`/stories/${id}`)).status).toBe(200);
  const revoke = sent.find(({ tag, attrs }) => tag === 'message' && attrs.to === STORIES);
  expect(revoke?.attrs.edit).toBe('7');
  expect(children(named(revoke, 'participants')).flatMap(children)).toEqual([]);
  const revoked = (message: {
    message: { protocolMessage?: { key?: { id?: string | null } | null } | null };
  }) => message.message.protocolMessage?.key?.id === id;
  for (const phone of [ana, bob]) await phone.waitForMessage(revoked);
});

test('a companion that a viewer links later has it from then on', async () => {
  const other = await world.linkByQr(token, ana);
  const companion = ana.lid.replace('@', `:${ana.companions.at(-1)}@`);
  const shows = (text: string) =>
    until(`the companion shows ${text}`, async () => {
      const { body } = await api().get(`/stories?device_id=${other}`);
      return JSON.stringify(body).includes(text);
    });
  // The library keeps the list of devices for five minutes: the server hands it to the companion, which asks for the key.
  await post('For all screens', ana);
  await shows('For all screens');
  await world.restartGateway();
  for (const each of [device, other]) await world.untilConnected(token, each);
  expect(await post('Right away', ana)).toMatchObject({ given: [companion], named: lids(ana, shop) });
  await shows('Right away');
  expect(await post('And again', ana)).toMatchObject({ given: [], named: lids(ana, shop) });
  await shows('And again');
});
