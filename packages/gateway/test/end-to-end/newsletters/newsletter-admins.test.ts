/** Who runs a channel, what it is, and where it is found: with a phone that is asked to write in it. */
import type { Phone } from '@wuts/sandbox';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, World } from '../harness.ts';
import { jpeg } from '../samples.ts';

let world: World;
let api: Api;
let shop: Phone;
let ana: Phone;
let bia: Phone;
/** Ours, made through the API. */
let offers: string;
/** Ana's. */
let news: string;

const UNKNOWN = '120363499999999999@newsletter';

beforeAll(async () => {
  world = await World.create({ patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 } });
  const token = await world.tenant('admins');
  [shop, ana, bia] = (await Promise.all(
    ['Shop', 'Ana', 'Bia'].map((name, index) =>
      world.sandbox.createPhone({ number: `551199999850${index + 1}`, name }),
    ),
  )) as [Phone, Phone, Phone];
  await world.linkByQr(token, shop);
  api = world.as(token);
  offers = (await api.post('/newsletters', { name: 'Offers of the day' })).body.newsletter.id;
  const owner = world.sandbox.network.directory.resolve(ana.jid);
  if (!owner) throw new Error('Ana has an account');
  news = world.sandbox.network.newsletters.create('City news', { owner }).jid;
});
afterAll(() => world.destroy());

const named = ({ jid, lid, number }: Phone) => ({ jid, lid, phone_number: number });
const roles = async (): Promise<Record<string, string>> => {
  const { body } = await api.get(`/newsletters/${offers}/admins`);
  return Object.fromEntries(body.admins.map(({ phone_number, role }: Json) => [phone_number, role]));
};
const coded = ({ status, body }: { status: number; body: Json }) => [status, body.error_code];

describe('an admin', () => {
  test('is asked by a message, accepts, publishes, and is put out again', async () => {
    await ana.account.followNewsletter(offers);
    const asked = await api.post(`/newsletters/${offers}/admins/invites`, {
      number: ana.number,
      caption: 'Will you write with us?',
    });
    expect(asked.status, JSON.stringify(asked.body)).toBe(200);
    expect(asked.body).toMatchObject({ success: true, newsletter: offers, person: named(ana) });
    const { message_id: id } = asked.body.invite_sent;
    const got = await ana.waitForMessage((message) => message.id === id);
    expect(got.message.newsletterAdminInviteMessage).toMatchObject({
      newsletterJid: offers,
      newsletterName: 'Offers of the day',
      caption: 'Will you write with us?',
    });
    expect(Number(got.message.newsletterAdminInviteMessage?.inviteExpiration) * 1000).toBe(
      Date.parse(asked.body.expires_at),
    );
    const listed = await api.get(`/newsletters/${offers}/admins`);
    expect(listed.body.invited).toEqual([named(ana)]);
    expect(await roles()).toEqual({ [shop.number]: 'owner' });

    await ana.channels.acceptAdmin(offers);
    expect(await roles()).toEqual({ [shop.number]: 'owner', [ana.number]: 'admin' });
    expect((await api.get(`/newsletters/${offers}/admins`)).body.invited).toEqual([]);
    const { id: post } = await ana.channels.post(offers, 'Written by Ana');
    await until('it is here', async () => (await api.get(`/messages/${post}`)).status === 200);

    const put = await api.delete(`/newsletters/${offers}/admins/${ana.number}`);
    expect(put.body).toEqual({ success: true, newsletter: offers, person: named(ana) });
    await expect(ana.channels.post(offers, 'once more')).rejects.toThrow();
    const { followers } = (await api.get(`/newsletters/${offers}/followers`)).body;
    expect(followers.map(({ name, role }: Json) => [name, role])).toEqual([
      ['Shop', 'owner'],
      ['Ana', 'subscriber'],
    ]);
    expect((await api.get(`/newsletters/${offers}/followers?count=1`)).body.count).toBe(1);
  });

  test('who was asked and does not want to, or is not wanted, is taken back', async () => {
    await api.post(`/newsletters/${offers}/admins/invites`, { number: bia.number });
    const taken = await api.delete(`/newsletters/${offers}/admins/invites/${bia.lid}`);
    expect(taken.body.person).toEqual(named(bia));
    await expect(bia.channels.acceptAdmin(offers)).rejects.toThrow('404');
    const again = await api.delete(`/newsletters/${offers}/admins/invites/${bia.number}`);
    expect(coded(again)).toEqual([404, 'NOT_FOUND']);
  });

  test('is the account itself, by a message that comes, and lays it down', async () => {
    expect(coded(await api.post(`/newsletters/${news}/admins/accept`))).toEqual([404, 'NOT_FOUND']);
    await ana.channels.inviteAdmin(news, shop);
    const { id } = await ana.sendRaw(shop, {
      newsletterAdminInviteMessage: { newsletterJid: news, newsletterName: 'City news' },
    });
    const come = await until('the invitation is here', async () => {
      const answer = await api.get(`/messages/${id}`);
      return answer.status === 200 && answer.body.message;
    });
    expect(come).toMatchObject({
      message_type: 'newsletter_invite',
      content: 'City news',
      details: { newsletter_jid: news },
    });
    const accepted = await api.post(`/newsletters/${come.details.newsletter_jid}/admins/accept`);
    expect(accepted.body).toEqual({ success: true, newsletter: news, role: 'admin' });
    expect((await api.post(`/newsletters/${news}/messages`, { text: 'We write now' })).status).toBe(200);
    // To an admin WhatsApp does not say who is invited.
    const { admins, invited } = (await api.get(`/newsletters/${news}/admins`)).body;
    expect([admins.length, invited]).toEqual([2, null]);
    for (const refused of [
      await api.post(`/newsletters/${news}/admins/invites`, { number: bia.number }),
      await api.delete(`/newsletters/${news}/admins/${ana.number}`),
      await api.put(`/newsletters/${news}/owner`, { number: shop.number }),
      await api.delete(`/newsletters/${news}`),
    ]) {
      expect(coded(refused), JSON.stringify(refused.body)).toEqual([422, 'REJECTED_BY_WHATSAPP']);
    }
    expect((await api.delete(`/newsletters/${news}/admins/${shop.number}`)).status).toBe(200);
    const post = await api.post(`/newsletters/${news}/messages`, { text: 'not any more' });
    expect(coded(post)).toEqual([422, 'REJECTED_BY_WHATSAPP']);
  });

  test('becomes the owner, and the owner an admin', async () => {
    await api.post(`/newsletters/${offers}/admins/invites`, { number: ana.number });
    const early = await api.put(`/newsletters/${offers}/owner`, { number: ana.number });
    expect(coded(early)).toEqual([422, 'REJECTED_BY_WHATSAPP']);
    await ana.channels.acceptAdmin(offers);
    const given = await api.put(`/newsletters/${offers}/owner`, { number: ana.jid });
    expect(given.body).toEqual({ success: true, newsletter: offers, person: named(ana) });
    expect(await roles()).toEqual({ [ana.number]: 'owner', [shop.number]: 'admin' });
    expect((await api.get(`/newsletters/${offers}`)).body.newsletter.viewer_metadata.role).toBe('admin');
  });

  test('is a person who is there', async () => {
    const invites = `/newsletters/${offers}/admins/invites`;
    expect(coded(await api.post(invites, { number: '5511900000000' }))).toEqual([404, 'NOT_ON_WHATSAPP']);
    expect(coded(await api.post(invites, { number: '120363039000000000@g.us' }))).toEqual([
      400,
      'VALIDATION_ERROR',
    ]);
    expect(coded(await api.delete(`/newsletters/${offers}/admins/nobody`))).toEqual([
      400,
      'INVALID_RECIPIENT',
    ]);
    const long = { number: bia.number, caption: 'x'.repeat(1025) };
    expect(coded(await api.post(invites, long))).toEqual([400, 'VALIDATION_ERROR']);
    expect(coded(await api.post(`/newsletters/${UNKNOWN}/admins/invites`, { number: bia.number }))).toEqual([
      404,
      'NOT_FOUND',
    ]);
  });
});

describe('a channel', () => {
  test('is changed in what is given, for those who follow it', async () => {
    const made = await api.post('/newsletters', { name: 'Hats', description: 'All of them' });
    const { id } = made.body.newsletter;
    const change = (body: Json) => api.call('PATCH', `/newsletters/${id}`, body);
    const renamed = await change({ name: ' Caps ' });
    expect(renamed.body.newsletter).toMatchObject({ name: 'Caps', description: 'All of them' });
    expect((await change({ description: '' })).body.newsletter.description).toBe('');
    const shown = await change({ picture: (await jpeg(900, 700)).toString('base64') });
    const { direct_path: path } = shown.body.newsletter.thread_metadata.picture;
    const kept = world.sandbox.cdn.objects().find((object) => path.startsWith(object.path));
    expect((await sharp(kept?.bytes).metadata()).width).toBe(640);
    const bare = await api.delete(`/newsletters/${id}/picture`);
    expect(bare.body.newsletter.thread_metadata.picture).toBeNull();
    expect(coded(await change({}))).toEqual([400, 'VALIDATION_ERROR']);
    expect(coded(await change({ name: ' ' }))).toEqual([400, 'VALIDATION_ERROR']);
    const foreign = await api.call('PATCH', `/newsletters/${news}`, { name: 'Taken over' });
    expect(coded(foreign)).toEqual([422, 'REJECTED_BY_WHATSAPP']);
    expect((await api.get(`/newsletters/${news}`)).body.newsletter.name).toBe('City news');
  });

  test('that is deleted is gone, for its followers too', async () => {
    const { id } = (await api.post('/newsletters', { name: 'Short' })).body.newsletter;
    await bia.account.followNewsletter(id);
    expect((await api.delete(`/newsletters/${id}`)).body).toEqual({ success: true, jid: id, deleted: true });
    expect(coded(await api.get(`/newsletters/${id}`))).toEqual([404, 'NOT_FOUND']);
    expect(coded(await api.delete(`/newsletters/${id}`))).toEqual([404, 'NOT_FOUND']);
  });

  test('of somebody else that is deleted is left', async () => {
    const { network } = world.sandbox;
    const owner = network.directory.resolve(ana.jid);
    const [device] = owner?.devices.values() ?? [];
    if (!owner || !device) throw new Error('Ana has an account');
    const gone = network.newsletters.create('Gone soon', { owner });
    await api.post(`/newsletters/${gone.jid}/subscribe`);
    network.newsletters.delete(gone, device);
    const event = await until('it is told', async () => {
      const { events } = (await api.get('/events?event=newsletter.leave&limit=100')).body;
      return events.find(({ data }: Json) => data.newsletter_jid === gone.jid);
    });
    expect(event.data).toEqual({ newsletter_jid: gone.jid });
  });
});

describe('the directory', () => {
  const search = async (query: string): Promise<Json> => (await api.get(`/newsletters/search?${query}`)).body;

  test('is searched by name, in pages, and shown as a list', async () => {
    const { newsletters } = world.sandbox.network;
    for (let index = 1; index <= 7; index += 1) newsletters.create(`Weather ${index}`);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page: Json = await search(`q=weather&limit=3${cursor && `&cursor=${cursor}`}`);
      expect(page.count).toBe(page.newsletters.length);
      seen.push(...page.newsletters.map(({ name }: Json) => name));
      cursor = page.next_cursor ? encodeURIComponent(page.next_cursor) : '';
    } while (cursor);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7].map((index) => `Weather ${index}`));
    const [first] = (await search('q=weather%201')).newsletters;
    expect(first).toMatchObject({ state: { type: '' }, viewer_metadata: null, subscribers: 0 });
    // What is found there is followed as any other.
    expect((await api.post(`/newsletters/${first.id}/subscribe`)).body.subscribed).toBe(true);
    expect(await search('q=no%20such%20thing')).toEqual({
      success: true,
      newsletters: [],
      count: 0,
      next_cursor: null,
    });
    expect((await search('view=popular&country=br,PT')).count).toBeGreaterThan(7);
    expect(coded(await api.get('/newsletters/search?country=Brazil'))).toEqual([400, 'VALIDATION_ERROR']);
  });
});

describe('what WhatsApp refuses', () => {
  test.each([
    [401, 422],
    [403, 422],
    [410, 404],
    [429, 429],
    [500, 502],
    ['silence', 504],
  ] as const)('with %s is answered %i', async (code, expected) => {
    await until('the device is connected', async () => (await api.post('/connect')).status === 200);
    world.sandbox.faults.refuseQuestions(code, { xmlns: 'w:mex' });
    const asked: (() => Promise<{ status: number; body: Json }>)[] = [
      () => api.get('/newsletters/search?q=x'),
      () => api.call('PATCH', `/newsletters/${offers}`, { name: 'x' }),
      () => api.delete(`/newsletters/${offers}`),
      () => api.get(`/newsletters/${offers}/followers`),
      () => api.get(`/newsletters/${offers}/admins`),
      () => api.post(`/newsletters/${offers}/admins/accept`),
      () => api.post(`/newsletters/${offers}/admins/invites`, { number: bia.number }),
      () => api.delete(`/newsletters/${offers}/admins/${bia.number}`),
      () => api.delete(`/newsletters/${offers}/admins/invites/${bia.number}`),
      () => api.put(`/newsletters/${offers}/owner`, { number: bia.number }),
    ];
    for (const ask of code === 'silence' ? asked.slice(0, 1) : asked) {
      const { status, body } = await ask();
      expect(status, JSON.stringify(body)).toBe(expected);
    }
    world.sandbox.faults.clear();
  });

  test("another tenant's device is not asked", async () => {
    const stranger = world.as(await world.tenant('elsewhere'));
    expect(coded(await stranger.get(`/newsletters/${offers}/admins`))).toEqual([404, 'DEVICE_NOT_FOUND']);
    expect(coded(await stranger.delete(`/newsletters/${offers}`))).toEqual([404, 'DEVICE_NOT_FOUND']);
  });
});
