import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../../src/clock.ts';
import { type Answer, type Json, until, untilReceived, World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';

const PUBLIC = 'https://wuts.example.com/gateway';

const clock = new AdvancingClock();
let world: World;
beforeAll(async () => {
  world = await World.create({
    clock,
    settings: { WUTS_PUBLIC_URL: `${PUBLIC}/`, WUTS_MEDIA_URL_TTL: '1h' },
  });
});
afterAll(() => world.destroy());

interface Received {
  token: string;
  deviceId: string;
  /** WhatsApp's own. */
  messageId: string;
  bytes: Buffer;
  /** The path and query of `media.url` as it is told now. */
  told(): Promise<string>;
  revoke(): Promise<unknown>;
}

let people = 0;

/** A tenant whose device has received a picture. */
async function receivedPicture(name: string): Promise<Received> {
  const token = await world.tenant(name);
  const number = () => `551199999${String(3000 + people++)}`;
  const phone = await world.sandbox.createPhone({ number: number(), name: 'Shop' });
  const customer = await world.sandbox.createPhone({ number: number(), name: 'Ana' });
  const deviceId = await world.linkByQr(token, phone);
  const bytes = await jpeg();
  const { id } = await customer.sendImage(phone.number, { bytes, mimeType: 'image/jpeg' });
  await untilReceived(world.as(token), id);
  await until('the picture is cached', async () => {
    return (await world.as(token).get(`/messages/${id}/media`)).status === 200;
  });
  const told = async () => pathOf((await world.as(token).get(`/messages/${id}`)).body.message.media.url);
  const revoke = () => customer.sendRevoke(phone.number, id);
  return { token, deviceId, messageId: id, bytes, told, revoke };
}

function pathOf(url: string): string {
  expect(url.startsWith(`${PUBLIC}/messages/`)).toBe(true);
  return url.slice(PUBLIC.length);
}

const fetched = (path: string): Promise<Answer> => world.as(null).get(path);

describe('the address of a file', () => {
  test('is whole, signed, and opens the file without a token', async () => {
    const { token, bytes, told } = await receivedPicture('opens');
    const { body } = await world.as(token).get('/events?event=message.received');
    for (const path of [await told(), pathOf(body.events.at(-1).data.media.url)]) {
      const answer = await fetched(path);
      expect(answer.status).toBe(200);
      expect(sha256(answer.bytes)).toBe(sha256(bytes));
      expect((await world.as(null).call('HEAD', path)).status).toBe(200);
    }
  });

  test('opens nothing else, and nothing once it was altered', async () => {
    const mine = await receivedPicture('mine');
    const other = await receivedPicture('other');
    const path = await mine.told();
    const url = new URL(path, PUBLIC);
    const record = url.pathname.split('/').at(-2) ?? '';
    const foreign = new URL(await other.told(), PUBLIC).pathname.split('/').at(-2) ?? '';
    const altered = (change: (query: URLSearchParams) => void) => {
      const query = new URLSearchParams(url.searchParams);
      change(query);
      return `${url.pathname}?${query}`;
    };
    const query = url.searchParams.toString();
    const refused = [
      `/messages/${foreign}/media?${query}`,
      `/messages/${mine.messageId}/media?${query}`,
      `/messages/00000000-0000-4000-8000-000000000000/media?${query}`,
      `/messages/${record}?${query}`,
      `/messages?${query}`,
      altered((each) => each.set('expires', String(Number(each.get('expires')) + 3600))),
      altered((each) => each.set('issued', String(Number(each.get('issued')) + 1))),
      altered((each) => each.set('index', '1')),
      altered((each) => each.set('signature', '0'.repeat(64))),
      altered((each) => each.append('signature', '0')),
      altered((each) => each.delete('signature')),
      altered((each) => each.delete('issued')),
    ];
    for (const each of refused) expect([each, (await fetched(each)).status]).toEqual([each, 401]);
    expect((await world.as(null).post(path)).status).toBe(405);
    // Another device in the query moves nothing: the signature says whose file it is.
    const moved = altered((each) => each.set('device_id', other.deviceId));
    expect(sha256((await fetched(moved)).bytes)).toBe(sha256(mine.bytes));
  });

  test('ends with its time; a new one is told', async () => {
    const { told } = await receivedPicture('time');
    const path = await told();
    clock.advance(55 * 60_000);
    expect((await fetched(path)).status).toBe(200);
    clock.advance(5 * 60_000);
    expect((await fetched(path)).status).toBe(401);
    expect((await fetched(await told())).status).toBe(200);
  });

  test.each<[string, (of: Received) => Promise<unknown>]>([
    [
      'another token of its user',
      async ({ token }) => {
        const { body } = await world.as(token).get('/users');
        return world.as(token).post(`/users/${body.users[0].id}/token/rotate`);
      },
    ],
    ['the device', ({ token, deviceId }) => world.as(token).delete(`/devices/${deviceId}?remove=true`)],
    [
      'the tenant',
      async ({ token }) => {
        const { body } = await world.as(token).get('/users');
        return world.master.delete(`/global/tenants/${body.users[0].tenant_id}`);
      },
    ],
    [
      'the message, deleted for everyone',
      async ({ token, messageId, revoke }) => {
        await revoke();
        await until('the message is deleted', async () => {
          const { body }: { body: Json } = await world.as(token).get('/events?event=message.revoked');
          return body.events.some((event: Json) => event.data.message_id === messageId);
        });
      },
    ],
  ])('ends with %s', async (name, end) => {
    const received = await receivedPicture(name.replaceAll(/\W/g, '-'));
    const path = await received.told();
    expect((await fetched(path)).status).toBe(200);
    clock.advance(1000);
    await end(received);
    expect((await fetched(path)).status).toBe(401);
  });
});

test('without the settings the address is a path, and a signature of before is worth nothing', async () => {
  const { token, messageId, told } = await receivedPicture('plain');
  const signed = await told();
  await world.restartGateway({ WUTS_PUBLIC_URL: '', WUTS_MEDIA_URL_TTL: '0s' });
  const { url } = (await world.as(token).get(`/messages/${messageId}`)).body.message.media;
  expect(url).toMatch(/^\/messages\/[\da-f-]{36}\/media$/);
  expect((await fetched(url)).status).toBe(401);
  expect((await fetched(signed)).status).toBe(401);
  expect((await world.as(token).get(url)).status).toBe(200);
});
