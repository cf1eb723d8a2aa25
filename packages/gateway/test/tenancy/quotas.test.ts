/** What one tenant may have, and what is accepted when the disk is nearly full. */
import { afterEach, expect, test } from 'vitest';
import { type Answer, untilReceived, World } from '../end-to-end/harness.ts';

let world: World;
afterEach(() => world?.destroy());

function expectQuota(answer: Answer, text: string): void {
  expect([answer.status, answer.body.error_code]).toEqual([429, 'QUOTA_EXCEEDED']);
  expect(answer.body.error).toContain(text);
}

test('devices, users and webhook endpoints of a tenant are counted, shown, and bounded', async () => {
  const settings = { WUTS_QUOTA_DEVICES: '2', WUTS_QUOTA_USERS: '2', WUTS_QUOTA_WEBHOOK_ENDPOINTS: '1' };
  world = await World.create({ settings });
  const api = world.as(await world.tenant('small'));
  const other = world.as(await world.tenant('other'));
  const device = (await api.post('/devices', { name: 'one' })).body.device.id;
  // Five at once: no more fit through than by one after the other.
  const more = await Promise.all([1, 2, 3, 4, 5].map((index) => api.post('/devices', { name: `${index}` })));
  expect(more.map(({ status }) => status).sort()).toEqual([201, 429, 429, 429, 429]);
  for (const answer of more.filter(({ status }) => status !== 201)) expectQuota(answer, '2 devices');
  const user = (email: string) => ({ email, password: 'correct horse battery', role: 'user' });
  expect((await api.post('/users', user('a@small.example'))).status).toBe(201);
  expectQuota(await api.post('/users', user('b@small.example')), '2 users');
  const hook = { webhook_url: 'https://example.com/hook', enabled_events: ['message.received'] };
  expect((await api.post(`/webhook?device_id=${device}`, hook)).status).toBe(200);
  const listed = (await api.get('/devices')).body.devices ?? [];
  const second = listed.find(({ id }: { id: string }) => id !== device)?.id;
  expectQuota(await api.post(`/webhook?device_id=${second}`, hook), '1 webhook endpoints');
  expect((await other.post('/devices', { name: 'mine' })).status).toBe(201);

  const { tenants } = (await world.master.get('/tenants')).body;
  const small = tenants.find(({ name }: { name: string }) => name === 'small');
  expect(small.quotas).toEqual({
    devices: { used: 2, limit: 2 },
    users: { used: 2, limit: 2 },
    webhook_endpoints: { used: 1, limit: 1 },
    waiting_jobs: { used: 0, limit: 10_000 },
    waiting_bytes: { used: 0, limit: 1024 ** 3 },
    cached_bytes: { used: 0, limit: 5 * 1024 ** 3 },
    requests_in_flight: { used: 0, limit: 1000 },
    requests_per_second: { limit: 1000 },
  });
});

test('requests under way of one tenant leave room for those of another', async () => {
  world = await World.create({ settings: { WUTS_QUOTA_REQUESTS_IN_FLIGHT: '5' } });
  const api = world.as(await world.tenant('waiting'));
  const other = world.as(await world.tenant('other'));
  const polls = Array.from({ length: 12 }, () => api.get('/events?wait=10&limit=1&event=message.received'));
  const first = await Promise.race(polls);
  expectQuota(first, '5 requests');
  expect(first.headers.get('retry-after')).toBe('1');
  expect((await other.get('/devices')).status).toBe(200);
  const answers = await Promise.all(polls);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
  expect((await api.get('/devices')).status).toBe(200);
});

test('requests per second are bounded, and the others wait for none of it', async () => {
  world = await World.create({ settings: { WUTS_QUOTA_REQUESTS_PER_SECOND: '1' } });
  const api = world.as(await world.tenant('fast'));
  const other = world.as(await world.tenant('other'));
  const answers = await Promise.all(Array.from({ length: 20 }, () => api.get('/user/devices')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(5);
  for (const answer of refused) expectQuota(answer, 'requests a second');
  expect((await other.get('/user/devices')).status).toBe(200);
});

test('with little room on the disk nothing new is accepted, and what is received is stored', async () => {
  world = await World.create();
  const token = await world.tenant('full');
  const shop = await world.sandbox.createPhone({ number: '5511999994021', name: 'Shop' });
  const friend = await world.sandbox.createPhone({ number: '5511999994022', name: 'Friend' });
  const device = await world.linkByQr(token, shop);
  await world.restartGateway({ WUTS_MIN_FREE_DISK: '1000TiB' });
  await world.untilConnected(token, device);
  const api = world.as(token);
  for (const answer of [
    await api.post('/devices', { name: 'new' }),
    await api.post('/send/text', { number: friend.number, text: 'new' }),
    await world.master.post('/register', {
      tenant_name: 'new',
      email: 'a@new.example',
      password: 'x'.repeat(20),
    }),
    await world.as(null).get('/ready'),
  ]) {
    expect([answer.status, answer.body.error_code]).toEqual([507, 'STORAGE_FULL']);
    expect(answer.headers.get('retry-after')).toBe('60');
  }
  const { id } = await friend.sendText(shop.number, 'still here');
  await untilReceived(api, id);
  expect((await world.as(null).get('/health')).status).toBe(200);
});
