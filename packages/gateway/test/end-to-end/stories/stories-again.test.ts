/** A story of ours that a viewer's device could not read: it asks again, and who may have it gets it, nobody else. */
import type { Phone } from '@wuts/sandbox';
import type { BinaryNode } from 'baileys';
import { afterAll, expect, test } from 'vitest';
import type { Api } from '../harness.ts';
import { openShop } from '../shop.ts';

const STORIES = 'status@broadcast';

const { world, token, shop, contact: ana, friend: bob } = await openShop({ tenant: 'again' });
const stranger = await world.sandbox.createPhone({ number: '5511999998704', name: 'Stranger' });
/** Our device, as phones name it. */
const device = shop.lid.replace('@', `:${shop.companions[0]}@`);
const api = (): Api => world.as(token);
afterAll(() => world.destroy());

async function post(text: string): Promise<string> {
  const audience = [ana.number, bob.number];
  const answer = await api().post('/status/text', { text, audience });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.message_id;
}

const got = (phone: Phone, id: string) => phone.waitForMessage((message) => message.id === id);
const copies = (phone: Phone, id: string) => phone.inbox.filter((message) => message.id === id).length;

const ask = (phone: Phone, id: string, attrs: Record<string, string> = {}) =>
  phone.hostile.forgeReceipt(STORIES, { type: 'retry', ids: [id], attrs: { participant: device, ...attrs } });

/** What of the story is sent while `run` runs, once all that was asked for meanwhile has been answered or not. */
async function sentAgain(id: string, run: () => Promise<unknown>): Promise<BinaryNode[]> {
  const seen: BinaryNode[] = [];
  const end = world.sandbox.network.onStanza((node) => {
    if (node.tag === 'message' && node.attrs.id === id && node.attrs.to === STORIES) seen.push(node);
  });
  await run();
  await world.sandbox.waitForAcknowledged(device);
  end();
  return seen;
}

test('a phone that has lost the keys gets it again, alone', async () => {
  await got(ana, await post('The first'));
  await ana.loseKeysOf(shop);
  const id = await post('Which Ana cannot read');
  expect(await got(ana, id)).toMatchObject({ resent: true, text: 'Which Ana cannot read', chat: STORIES });
  await bob.idle();
  expect(copies(bob, id)).toBe(1);
  // With the key that came beside it the next one is read at once.
  expect(await got(ana, await post('The next'))).not.toHaveProperty('resent');
});

test('also after a restart', async () => {
  const id = await post('Before');
  await got(ana, id);
  await world.restartGateway();
  await world.untilConnected(token, (await api().get('/devices')).body.devices[0].id);
  const [again, ...more] = await sentAgain(id, () => ask(ana, id));
  expect(more).toEqual([]);
  expect(again?.attrs).toMatchObject({ participant: ana.lid, type: 'text' });
  expect((again?.content as BinaryNode[]).map(({ tag }) => tag)).toEqual(['enc', 'device-identity']);
});

test('who is not in the audience gets nothing, whatever the receipt says', async () => {
  const id = await post('Not for strangers');
  await got(ana, id);
  const sent = await sentAgain(id, async () => {
    await ask(stranger, id);
    await ask(stranger, id, { recipient: ana.jid, participant_pn: ana.jid });
    await stranger.hostile.forgeReceipt(device, { type: 'retry', ids: [id] });
  });
  expect(sent).toEqual([]);
  await stranger.idle();
  expect(copies(stranger, id)).toBe(0);
});

test('nobody gets one that was taken back', async () => {
  const id = await post('A mistake');
  await got(ana, id);
  expect((await api().delete(`/stories/${id}`)).status).toBe(200);
  expect(await sentAgain(id, () => ask(ana, id))).toEqual([]);
});

test('a device gets it five times again at most', async () => {
  const id = await post('Once more');
  await got(ana, id);
  const sent = await sentAgain(id, async () => {
    for (let n = 1; n <= 8; n += 1) await ask(ana, id, { t: String(n) });
  });
  expect(sent).toHaveLength(5);
});
