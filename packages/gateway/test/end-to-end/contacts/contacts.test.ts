/** The people that an account knows: from its phone, and from what they call themselves. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from '../harness.ts';

let world: World;
let token: string;
let api: Api;
let device: string;
let shop: Phone;
let ana: Phone;
let bia: Phone;
let jose: Phone;

beforeAll(async () => {
  world = await World.create();
  token = await world.tenant('people');
  shop = await world.sandbox.createPhone({ number: '5511999992001', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511999992002', name: 'Aninha' });
  bia = await world.sandbox.createPhone({ number: '5511999992003', name: 'Bia' });
  jose = await world.sandbox.createPhone({ number: '5511999992004', name: 'Zé' });
  // Saved before the device is linked.
  await shop.account.saveContact(ana, 'Ana Souza', 'Ana');
  await shop.account.saveContact(jose, 'José 100%', 'José');
  device = await world.linkByQr(token, shop);
  api = world.as(token);
  await until('the contacts are there', async () => (await list()).as_of !== null);
});
afterAll(() => world.destroy());
afterEach(() => world.sandbox.faults.clear());

const list = async (query = '') => (await api.get(`/contacts${query}`)).body;
const names = async (query = ''): Promise<string[]> =>
  (await list(query)).contacts.map((each: Json) => each.full_name ?? each.push_name);
const of = async (phone: Phone): Promise<Json> =>
  (await list()).contacts.find(({ jid }: Json) => jid === phone.jid);

describe('the list', () => {
  test('has what the phone had saved when the device was linked', async () => {
    const { success, count, contacts, as_of: asOf, next_cursor: next } = await list();
    expect({ success, count, next }).toEqual({ success: true, count: 2, next: null });
    expect(Date.parse(asOf)).toBeGreaterThan(Date.now() - 3_600_000);
    expect(contacts).toMatchObject([
      {
        jid: ana.jid,
        lid: ana.lid,
        phone_number: ana.number,
        first_name: 'Ana',
        full_name: 'Ana Souza',
        push_name: null,
        business_name: null,
        saved: true,
      },
      { jid: jose.jid, full_name: 'José 100%' },
    ]);
  });

  test('follows the phone', async () => {
    await shop.account.saveContact(bia, 'Beatriz', 'Bia');
    await until('she is there', async () => (await of(bia))?.full_name === 'Beatriz');
    await shop.account.saveContact(bia, 'Beatriz Lima');
    await until('her name has changed', async () => (await of(bia))?.full_name === 'Beatriz Lima');
    await shop.account.removeContact(bia);
    await until('she is gone', async () => (await of(bia)) === undefined);
  });

  test('has whoever has written, by the name they call themselves', async () => {
    await untilReceived(api, (await bia.sendText(shop, 'hello')).id);
    await untilReceived(api, (await ana.sendText(shop, 'hello')).id);
    await until('they are there', async () => (await of(bia)) && (await of(ana))?.push_name);
    expect(await of(bia)).toMatchObject({ lid: bia.lid, push_name: 'Bia', full_name: null, saved: false });
    expect(await of(ana)).toMatchObject({ full_name: 'Ana Souza', push_name: 'Aninha', saved: true });
    expect(await names('?saved=false')).toEqual(['Bia']);
    expect(await names('?saved=true')).toEqual(['Ana Souza', 'José 100%']);
    // A name that the phone takes away leaves the other.
    await shop.account.saveContact(bia, 'Beatriz');
    await until('she is saved', async () => (await of(bia))?.saved);
    await shop.account.removeContact(bia);
    await until('she is not', async () => !(await of(bia))?.saved);
    expect(await of(bia)).toMatchObject({ push_name: 'Bia', full_name: null });
  });

  test('keeps about texts and pictures', async () => {
    await ana.setAbout('At the beach');
    await ana.setPicture(Buffer.from([0xff, 0xd8, 0xff, 0xe0]));
    await until('they are told', async () => (await of(ana))?.about && (await of(ana)).picture_id);
    expect(await of(ana)).toMatchObject({
      about: 'At the beach',
      picture_id: expect.stringMatching(/^\d+$/),
    });
    await ana.removePicture();
    await until('it is gone', async () => (await of(ana)).picture_id === null);
  });

  test('is found by parts of names, and by numbers', async () => {
    expect(await names('?search=jose')).toEqual(['José 100%']);
    expect(await names('?search=SOUZA%20ana')).toEqual(['Ana Souza']);
    expect(await names('?search=aninha')).toEqual(['Ana Souza']);
    expect(await names('?search=%2B55%20(11)%2099999-2002')).toEqual(['Ana Souza']);
    expect(await names('?search=2004')).toEqual(['José 100%']);
    for (const none of ['%25%25', '_____________', '100%25%20bia', '\\']) {
      expect([none, await names(`?search=${encodeURIComponent(decodeURIComponent(none))}`)]).toEqual([
        none,
        [],
      ]);
    }
    expect(await names('?search=100%25')).toEqual(['José 100%']);
  });

  test('comes in pages, in the order of names', async () => {
    const all = await names();
    expect(all).toEqual(['Ana Souza', 'Bia', 'José 100%']);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Json = await list(`?limit=1${cursor && `&cursor=${cursor}`}`);
      expect(page.contacts).toHaveLength(1);
      seen.push(...page.contacts.map((each: Json) => each.full_name ?? each.push_name));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(all);
    const wrong = await api.get('/contacts?cursor=nonsense');
    expect([wrong.status, wrong.body.validation[0].field]).toEqual([400, 'cursor']);
  });

  test('is no traffic, and there while the device is away; refresh asks', async () => {
    world.sandbox.faults.refuseQuestions(500);
    expect(await names()).toHaveLength(3);
    const refused = await api.get('/contacts?refresh=true');
    expect([502, 504], JSON.stringify(refused.body)).toContain(refused.status);
    world.sandbox.faults.clear();
    await until('it is connected', async () => (await api.post('/connect')).status === 200);
    expect((await api.get('/contacts?refresh=true')).body.count).toBe(3);
    await api.post('/disconnect');
    const away = await list();
    expect([away.count, await names()]).toEqual([3, await names()]);
    expect((await list()).as_of).toBe(away.as_of);
    expect((await api.get('/contacts?refresh=true')).status).toBe(503);
    expect((await api.post('/connect')).status).toBe(200);
  });
});

describe('one person', () => {
  test.each(['number', 'jid', 'lid'] as const)('by %s', async (name) => {
    const { status, body } = await api.get(`/contacts/${encodeURIComponent(ana[name])}`);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.contact).toMatchObject({ jid: ana.jid, full_name: 'Ana Souza' });
  });

  test('whom nobody knows', async () => {
    const nobody = await api.get('/contacts/5511999992099');
    expect([nobody.status, nobody.body.error_code]).toEqual([404, 'NOT_FOUND']);
    const wrong = await api.get('/contacts/12');
    expect([wrong.status, wrong.body.error_code]).toEqual([400, 'INVALID_RECIPIENT']);
  });
});

describe('the address book', () => {
  /** What the phone has saved, by JID. */
  const onPhone = async () => shop.account.contacts();

  test('takes a contact that is saved here, and lets go of it', async () => {
    const dora = await world.sandbox.createPhone({ number: '5511999992005', name: 'Dora' });
    const saved = await api.post('/contacts', {
      number: dora.number,
      full_name: 'Dora Reis',
      first_name: 'Dora',
    });
    expect(saved.status, JSON.stringify(saved.body)).toBe(200);
    expect(saved.body.contact).toMatchObject({ jid: dora.jid, full_name: 'Dora Reis', saved: true });
    expect(await onPhone()).toMatchObject({ [dora.jid]: { fullName: 'Dora Reis', firstName: 'Dora' } });
    expect(await of(dora)).toMatchObject({ full_name: 'Dora Reis', first_name: 'Dora', lid: dora.lid });
    const { events } = (await api.get('/events?event=contact.changed&limit=1000')).body;
    expect(events.at(-1).data).toMatchObject({ contact: { jid: dora.jid }, full_name: 'Dora Reis' });

    const renamed = await api.post('/contacts', { jid: dora.lid, full_name: 'D. Reis' });
    expect(renamed.body.contact).toMatchObject({ jid: dora.jid, full_name: 'D. Reis', first_name: null });
    expect(await onPhone()).toMatchObject({ [dora.jid]: { fullName: 'D. Reis' } });

    const removed = await api.delete(`/contacts/${dora.number}`);
    expect(removed.body).toMatchObject({ success: true, jid: dora.jid, lid: dora.lid });
    expect(Object.keys(await onPhone())).not.toContain(dora.jid);
    expect(await of(dora)).toBeUndefined();
  });

  test('refuses whom WhatsApp does not know, and names that are none', async () => {
    for (const [body, status, code] of [
      [{ number: '5511999992098', full_name: 'x' }, 404, 'NOT_ON_WHATSAPP'],
      [{ number: ana.number }, 400, 'VALIDATION_ERROR'],
      [{ full_name: 'x' }, 400, 'VALIDATION_ERROR'],
    ] as const) {
      const answer = await api.post('/contacts', body);
      expect([answer.status, answer.body.error_code]).toEqual([status, code]);
    }
    expect((await api.delete('/contacts/5511999992098')).body.error_code).toBe('NOT_ON_WHATSAPP');
  });
});

test('names are told where people are resolved', async () => {
  const { items } = (await api.post('/contacts/resolve', { jids: [ana.lid, bia.number] })).body;
  expect(items).toMatchObject([
    { jid: ana.jid, full_name: 'Ana Souza', push_name: 'Aninha' },
    { jid: bia.jid, full_name: null, push_name: 'Bia' },
  ]);
});

describe('the state of the account', () => {
  test('is fetched on request, all of it with full', async () => {
    const usual = await api.post('/appstate/sync');
    expect(usual.body).toEqual({
      success: true,
      scopes: ['contacts', 'chats', 'settings'],
      full_sync: false,
    });
    const full = await api.post('/appstate/sync', { scopes: ['contacts', 'critical', 'pins'], full: true });
    expect(full.body).toEqual({ success: true, scopes: ['contacts', 'critical', 'pins'], full_sync: true });
    await until('it is there again', async () => (await names('?saved=true')).length === 2);
    const unknown = await api.post('/appstate/sync', { scopes: ['everything'] });
    expect([unknown.status, unknown.body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
  });
});

test('another account on the device sees none of it', async () => {
  const other = await world.sandbox.createPhone({ number: '5511999992006', name: 'Other' });
  await api.post('/logout');
  const qr = await api.get(`/qr?device_id=${device}`);
  await other.scanQr(qr.body.data.qr_code);
  await world.untilConnected(token, device);
  expect((await list()).contacts).toEqual([]);
  expect((await api.get(`/contacts/${ana.number}`)).status).toBe(404);
});
