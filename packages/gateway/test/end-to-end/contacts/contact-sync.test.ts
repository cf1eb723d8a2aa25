/** Where names of people come from: history, thousands at once, one person under two names. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from '../harness.ts';

const MANY = 10_000;

let world: World;
let api: Api;
let shop: Phone;
let ana: Phone;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('sync');
  shop = await world.sandbox.createPhone({ number: '5511999992101', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511999992102', name: 'Ana of the past' });
  await shop.past.add(ana, [{ text: 'long ago', timestamp: 1_700_000_000, pushName: 'Ana of the past' }]);
  await shop.account.importContacts(
    Array.from({ length: MANY }, (_, index) => ({
      jid: `4930${2_000_000 + index}@s.whatsapp.net`,
      fullName: `Contact ${String(index).padStart(5, '0')}`,
    })),
  );
  await world.linkByQr(token, shop);
  api = world.as(token);
  await until('the contacts are there', async () => (await list('?limit=1')).as_of !== null);
});
afterAll(() => world.destroy());

const list = async (query = ''): Promise<Json> => (await api.get(`/contacts${query}`)).body;
const found = async (search: string): Promise<Json[]> =>
  (await list(`?search=${encodeURIComponent(search)}`)).contacts;

test('names of the history are there, of people who have not written since', async () => {
  await until('she is there', async () => (await found('of the past')).length === 1);
  expect(await found('of the past')).toMatchObject([
    { jid: ana.jid, lid: ana.lid, push_name: 'Ana of the past', saved: false },
  ]);
});

describe('10,000 contacts', () => {
  test('are a list without traffic, whole or in pages', async () => {
    world.sandbox.faults.refuseQuestions(500);
    const all = await list('?saved=true');
    world.sandbox.faults.clear();
    expect(all.count).toBe(MANY);
    expect(all.contacts[0]).toMatchObject({ full_name: 'Contact 00000', saved: true });
    const seen = new Set<string>();
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Json = await list(`?saved=true&limit=900${cursor && `&cursor=${cursor}`}`);
      for (const { jid } of page.contacts) seen.add(jid);
      cursor = page.next_cursor;
    }
    expect(seen.size).toBe(MANY);
  });

  test('are searched', async () => {
    expect(await found('contact 04711')).toMatchObject([{ full_name: 'Contact 04711' }]);
    expect(await found('+49 30 200 4711')).toMatchObject([{ full_name: 'Contact 04711' }]);
  });

  test('are told anew on request, without those that are gone', async () => {
    const gone = '49302000007';
    await shop.account.removeContact(gone);
    const { body } = await api.post('/appstate/sync', { scopes: ['contacts'], full: true });
    expect(body).toMatchObject({ success: true, full_sync: true });
    expect((await list('?saved=true')).count).toBe(MANY - 1);
    expect(await found(gone)).toEqual([]);
    // A name that they call themselves by is no matter of the address book.
    expect(await found('of the past')).toHaveLength(1);
  });
});

test('who is known by LID alone becomes one person with the number', async () => {
  const yuri = await world.sandbox.createPhone({ number: '5511999992103', name: 'Yuri' });
  world.sandbox.faults.hideOtherName(yuri.number);
  const first = await yuri.sendText(shop, 'by LID', { addressing: 'lid' });
  await until('he is there', async () => (await found('yuri')).length === 1);
  expect(await found('yuri')).toMatchObject([{ jid: yuri.lid, lid: yuri.lid, phone_number: null }]);
  world.sandbox.faults.hideOtherName(yuri.number, false);
  const second = await yuri.sendText(shop, 'with both', { addressing: 'lid' });
  for (const { id } of [first, second]) await untilReceived(api, id);
  expect(await found('yuri')).toMatchObject([
    { jid: yuri.jid, lid: yuri.lid, phone_number: yuri.number, push_name: 'Yuri' },
  ]);
  // Saved by number, found by LID.
  await shop.account.saveContact(yuri, 'Juri Gagarin');
  await until('he is saved', async () => (await found('gagarin')).length === 1);
  const { contact } = (await api.get(`/contacts/${encodeURIComponent(yuri.lid)}`)).body;
  expect(contact).toMatchObject({ jid: yuri.jid, full_name: 'Juri Gagarin', push_name: 'Yuri' });
});

test('the groups that are shared with a person', async () => {
  const dora = await world.sandbox.createPhone({ number: '5511999992104', name: 'Dora' });
  await untilReceived(api, (await dora.sendText(shop, 'hello')).id);
  const shared = await shop.createGroup('Shared', [dora]);
  await dora.createGroup('Without us', [ana]);
  const groups = async () => (await api.get(`/contacts/${dora.number}`)).body.contact.common_groups;
  await until('it is known', async () => (await groups()).length > 0);
  expect(await groups()).toEqual([{ jid: shared.jid, name: 'Shared' }]);
  await shop.removeFromGroup(shared, dora);
  await until('it is not shared any more', async () => (await groups()).length === 0);
});

test('a device that goes takes its contacts along', async () => {
  const { device_id: id } = (await api.get('/status')).body.data;
  await api.call('DELETE', `/devices/${id}?remove=true`);
  const { db } = world.gateway.parts;
  await until('nothing is left', async () => {
    const rows = [
      ...(await db.selectFrom('contacts').select('device_id').limit(1).execute()),
      ...(await db.selectFrom('contact_lists').select('device_id').limit(1).execute()),
      ...(await db.selectFrom('blocked_contacts').select('device_id').limit(1).execute()),
    ];
    return rows.length === 0;
  });
});
