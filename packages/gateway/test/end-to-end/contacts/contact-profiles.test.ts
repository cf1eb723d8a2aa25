/** What people show of themselves: about text, business profile, picture; and what they hide. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';

let world: World;
let api: Api;
let shop: Phone;
let ana: Phone;
let bakery: Phone;
let picture: Buffer;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('profiles');
  shop = await world.sandbox.createPhone({ number: '5511999991801', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511999991802', name: 'Ana' });
  bakery = await world.sandbox.createPhone({ number: '5511999991803', name: 'Bakery' });
  picture = await jpeg(100, 100);
  await bakery.becomeBusiness({
    name: 'The Bakery',
    address: '1 Corn Street',
    email: 'bread@bakery.example',
    description: 'Bread since six',
    websites: ['https://bakery.example', 'https://bread.example'],
    category: { id: '629412378414563', name: 'Bakery' },
    hours: {
      timezone: 'America/Sao_Paulo',
      days: [
        { day: 'mon', mode: 'specific_hours', open: 360, close: 720 },
        { day: 'sun', mode: 'open_24h' },
      ],
    },
  });
  await world.linkByQr(token, shop);
  api = world.as(token);
  // They know each other from now on.
  await untilReceived(api, (await ana.sendText(shop, 'hello')).id);
});
afterAll(() => world.destroy());
afterEach(async () => {
  world.sandbox.faults.clear();
  await ana.setPrivacy('profile', 'all');
  await ana.setPrivacy('status', 'all');
});

const profileOf = (query: string) => api.get(`/contacts/profile?${query}`);

describe('a profile', () => {
  test('of a person, by number, JID and LID', async () => {
    await ana.setAbout('At the counter');
    for (const query of [`number=${ana.number}`, `jid=${ana.jid}`, `jid=${ana.lid}&number=1`]) {
      const { status, body } = await profileOf(query);
      expect(status, JSON.stringify(body)).toBe(200);
      expect(body.data).toMatchObject({
        jid: ana.jid,
        lid: ana.lid,
        phone_number: ana.number,
        user_info: {
          Status: 'At the counter',
          PictureID: '',
          Devices: [ana.jid],
          LID: ana.lid,
          VerifiedName: null,
        },
        business_profile: null,
        about: 'At the counter',
        verified_name: null,
      });
    }
  });

  test('names the companions of the account', async () => {
    const { body } = await profileOf(`number=${shop.number}`);
    const [companion] = shop.companions;
    expect(body.data.user_info.Devices).toEqual([shop.jid, shop.jid.replace('@', `:${companion}@`)]);
  });

  test('of a business has its name and what it tells', async () => {
    const { body } = await profileOf(`number=${bakery.number}`);
    expect(body.data).toMatchObject({
      verified_name: 'The Bakery',
      user_info: {
        VerifiedName: {
          Details: { verifiedName: 'The Bakery', issuer: 'smb:wa', serial: '1' },
          VerifiedLevel: 'unknown',
          Version: 1,
        },
      },
      business_profile: {
        JID: bakery.jid,
        Address: '1 Corn Street',
        Email: 'bread@bakery.example',
        Description: 'Bread since six',
        Websites: ['https://bakery.example', 'https://bread.example'],
        Categories: [{ ID: '629412378414563', Name: 'Bakery' }],
        BusinessHoursTimeZone: 'America/Sao_Paulo',
        BusinessHours: [
          { DayOfWeek: 'mon', Mode: 'specific_hours', OpenTime: '360', CloseTime: '720' },
          { DayOfWeek: 'sun', Mode: 'open_24h', OpenTime: '', CloseTime: '' },
        ],
      },
    });
  });

  test('leaves out what is not shown', async () => {
    await ana.setAbout('For friends');
    await ana.setPicture(picture);
    await ana.setPrivacy('status', 'none');
    await ana.setPrivacy('profile', 'none');
    const { body } = await profileOf(`number=${ana.number}`);
    expect(body.data).toMatchObject({
      user_info: { Status: '', PictureID: '' },
      about: null,
      about_set_at: null,
    });
  });

  test.each([
    ['', 400, 'VALIDATION_ERROR'],
    ['number=12', 400, 'INVALID_RECIPIENT'],
    ['jid=120363000000000000@g.us', 400, 'VALIDATION_ERROR'],
    ['number=5511999991899', 404, 'NOT_ON_WHATSAPP'],
  ])('of %s is refused', async (query, status, code) => {
    const answer = await profileOf(query);
    expect([answer.status, answer.body.error_code]).toEqual([status, code]);
  });
});

describe('a picture', () => {
  const infoOf = (query: string) => api.get(`/contacts/profile-picture?${query}`);
  const bytesOf = (who: string, headers: Record<string, string> = {}) =>
    api.get(`/contacts/${encodeURIComponent(who)}/picture`, headers);

  test('is where WhatsApp says, small or large, until there is another one', async () => {
    await ana.setPicture(picture);
    const small = (await infoOf(`number=${ana.number}`)).body.data;
    expect(small).toMatchObject({ jid: ana.jid, lid: ana.lid, type: 'preview', unchanged: false });
    const { data } = (await infoOf(`jid=${ana.lid}&preview=0`)).body;
    expect(data).toMatchObject({ jid: ana.jid, type: 'image', id: small.id });
    expect(data.url).toContain(data.direct_path);
    const known = (await infoOf(`number=${ana.number}&existing_id=${data.id}`)).body.data;
    expect(known).toMatchObject({ url: null, id: data.id, unchanged: true, direct_path: null });
    await ana.setPicture(await jpeg(120, 100));
    const changed = (await infoOf(`number=${ana.number}&existing_id=${data.id}`)).body.data;
    expect(changed).toMatchObject({ url: expect.any(String), unchanged: false });
    expect(changed.id).not.toBe(data.id);
  });

  test('of a group', async () => {
    const group = await shop.createGroup('Team', [ana]);
    expect((await infoOf(`jid=${group.jid}`)).body.error_code).toBe('PICTURE_NOT_SET');
    await shop.setPicture(picture, group);
    expect((await infoOf(`jid=${group.jid}`)).body.data).toMatchObject({ jid: group.jid, lid: null });
    expect((await bytesOf(group.jid)).bytes.equals(picture)).toBe(true);
  });

  test('that is not there, or not shown', async () => {
    const before = await infoOf(`number=${bakery.number}`);
    expect([before.status, before.body.error_code]).toEqual([404, 'PICTURE_NOT_SET']);
    await ana.setPicture(picture);
    await ana.setPrivacy('profile', 'none');
    for (const answer of [await infoOf(`number=${ana.number}`), await bytesOf(ana.number)]) {
      expect([answer.status, answer.body.error_code]).toEqual([422, 'PICTURE_HIDDEN']);
    }
  });

  test('is served with its tag, and asked for once', async () => {
    await ana.setPicture(picture);
    await until('the change is told', async () => {
      const { events } = (await api.get('/events?event=contact.picture&limit=1000')).body;
      return events.some(({ data }: Json) => data.contact.jid === ana.jid);
    });
    const answer = await bytesOf(ana.number);
    expect(answer.status, answer.bytes.toString('utf8').slice(0, 200)).toBe(200);
    expect(sha256(answer.bytes)).toBe(sha256(picture));
    expect(answer.headers.get('content-type')).toBe('image/jpeg');
    expect(answer.headers.get('etag')).toBe(`"${sha256(picture)}"`);
    const again = await bytesOf(ana.number, { 'if-none-match': `"${sha256(picture)}"` });
    expect([again.status, again.bytes.length]).toEqual([304, 0]);
    // Neither WhatsApp nor its hosts are asked, and a device that is away shows it too.
    world.sandbox.faults.refuseQuestions(500);
    world.sandbox.cdn.expireAll(404);
    expect((await bytesOf(ana.number)).status).toBe(200);
    world.sandbox.faults.clear();
    await api.post('/disconnect');
    expect((await bytesOf(ana.number)).status).toBe(200);
    expect((await bytesOf(bakery.number)).body.error_code).toBe('DEVICE_NOT_READY');
    expect((await api.post('/connect')).status).toBe(200);
  });

  test('is another one as soon as WhatsApp tells so', async () => {
    await ana.setPicture(picture);
    await bytesOf(ana.number);
    const other = await jpeg(140, 100);
    await ana.setPicture(other);
    await until('it is the other one', async () => (await bytesOf(ana.number)).bytes.equals(other));
    await ana.removePicture();
    await until('it is gone', async () => (await bytesOf(ana.number)).status === 404);
  });

  test('that does not come from its host is a 502, and nothing but a picture is served', async () => {
    await ana.setPicture(Buffer.from('<html><script>alert(1)</script>'));
    await until('it is no picture', async () => {
      const { status, body } = await bytesOf(ana.number);
      return status === 502 && /it is no picture/.test(body.error);
    });
    await ana.setPicture(picture);
    world.sandbox.cdn.expireAll(403);
    await until('it does not come', async () => {
      const { status, body } = await bytesOf(ana.number);
      return status === 502 && body.error_code === 'MEDIA_DOWNLOAD_FAILED' && /403/.test(body.error);
    });
  });
});
