import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVENT_NAMES } from '../../src/events/catalogue/names.ts';
import { WebhookApi } from './webhook-api.ts';
import { eventDevice } from './webhook-world.ts';

let api: WebhookApi;
beforeAll(async () => {
  api = await WebhookApi.create();
});
afterAll(() => api.destroy());

const URL = 'https://example.com/hook';
const BODY = { webhook_url: URL, enabled_events: ['message.received', 'message.read'] };

describe('POST, GET, DELETE /webhook', () => {
  test('configure, read, change, remove', async () => {
    const { caller, device } = await api.shop();
    expect((await api.call(caller, 'GET', '/webhook')).body).toMatchObject({
      success: false,
      error_code: 'NOT_FOUND',
    });
    const made = await api.call(caller, 'POST', '/webhook', {
      ...BODY,
      secret: 'whsec_9f3c1a2b7d4e5f60',
      headers: { 'X-Tenant-Id': 'acme-corp' },
      timeout: 10,
    });
    expect(made.status).toBe(200);
    expect(made.body).toEqual({
      success: true,
      message: 'Webhook configured successfully',
      webhook: {
        id: expect.stringMatching(/^wh_[0-9a-f]{32}$/),
        device_id: device.id,
        is_default: true,
        webhook_url: URL,
        enabled_events: ['message.received', 'message.read'],
        enabled: true,
        retry_attempts: 3,
        timeout: 10,
        headers: { 'X-Tenant-Id': 'acme-corp' },
        has_secret: true,
        state: 'active',
        state_reason: null,
        state_at: expect.any(String),
        failing_since: null,
        failures: 0,
        waiting: null,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    });
    expect((await api.call(caller, 'GET', '/webhook')).body).toEqual({
      success: true,
      webhook: made.body.webhook,
    });
    const changed = await api.call(caller, 'POST', '/webhook', {
      ...BODY,
      webhook_url: 'https://example.com/other',
      retry_attempts: 0,
    });
    expect(changed.body.webhook).toMatchObject({
      id: made.body.webhook.id,
      webhook_url: 'https://example.com/other',
      retry_attempts: 0,
      timeout: 10,
      headers: { 'X-Tenant-Id': 'acme-corp' },
      has_secret: true,
    });
    const removed = await api.call(caller, 'DELETE', '/webhook');
    expect(removed).toEqual({
      status: 200,
      body: { success: true, message: 'Webhook configuration deleted successfully' },
    });
    expect((await api.call(caller, 'GET', '/webhook')).status).toBe(404);
    expect((await api.call(caller, 'DELETE', '/webhook')).status).toBe(200);
  });

  test('the secret is shown nowhere, and null takes it away', async () => {
    const { caller } = await api.shop();
    await api.call(caller, 'POST', '/webhook', { ...BODY, secret: 'very-secret-indeed' });
    for (const path of ['/webhook', '/webhooks', '/devices']) {
      expect(JSON.stringify(await api.call(caller, 'GET', path))).not.toContain('very-secret-indeed');
    }
    const stored = await api.world.db.selectFrom('webhook_endpoints').select(['secret']).execute();
    for (const { secret } of stored) {
      expect(Buffer.from(secret ?? []).toString('latin1')).not.toContain('very-secret-indeed');
    }
    const cleared = await api.call(caller, 'POST', '/webhook', { ...BODY, secret: null });
    expect(cleared.body.webhook.has_secret).toBe(false);
  });

  test('the device is named in the body, the query or the header, else it must be clear', async () => {
    const { caller, device } = await api.shop();
    const { device: second } = await api.shop(caller);
    const unclear = await api.call(caller, 'POST', '/webhook', BODY);
    expect(unclear.body).toMatchObject({
      error_code: 'DEVICE_AMBIGUOUS',
      device_ids: [device.id, second.id],
    });
    await api.call(caller, 'POST', '/webhook', { ...BODY, device_id: device.id });
    await api.call(
      caller,
      'POST',
      '/webhook',
      { ...BODY, webhook_url: 'https://example.com/2' },
      { 'x-device-id': second.id },
    );
    const first = await api.call(caller, 'GET', `/webhook?device_id=${device.id}`);
    const other = await api.call(caller, 'GET', '/webhook', undefined, { 'x-device-id': second.id });
    expect([first.body.webhook.webhook_url, other.body.webhook.webhook_url]).toEqual([
      URL,
      'https://example.com/2',
    ]);
    const { body } = await api.call(caller, 'GET', '/devices');
    expect(body.devices.map((each: { webhook_url: string }) => each.webhook_url)).toEqual([
      URL,
      'https://example.com/2',
    ]);
  });

  test.each([
    ['webhook_url', { webhook_url: undefined }],
    ['webhook_url', { webhook_url: 'ftp://example.com/' }],
    ['webhook_url', { webhook_url: 'https://user:pass@example.com/' }],
    ['webhook_url', { webhook_url: 'http://10.0.0.1/hook' }],
    ['webhook_url', { webhook_url: 'http://[::1]/hook' }],
    ['webhook_url', { webhook_url: 'http://2130706434.0.0.0.0/' }],
    ['webhook_url', { webhook_url: `https://example.com/${'x'.repeat(2029)}` }],
    ['webhook_url', { webhook_url: 5 }],
    ['enabled_events', { enabled_events: undefined }],
    ['enabled_events', { enabled_events: [] }],
    ['enabled_events', { enabled_events: 'message.received' }],
    ['enabled_events.1', { enabled_events: ['message.received', 'message.recieved'] }],
    ['enabled', { enabled: 'yes' }],
    ['retry_attempts', { retry_attempts: -1 }],
    ['retry_attempts', { retry_attempts: 13 }],
    ['retry_attempts', { retry_attempts: 1.5 }],
    ['timeout', { timeout: -1 }],
    ['timeout', { timeout: 61 }],
    ['secret', { secret: 'x'.repeat(257) }],
    ['headers', { headers: ['X-A'] }],
    [`headers.${'x'.repeat(100)}`, { headers: { ['x'.repeat(101)]: '1' } }],
    ['headers.Host', { headers: { Host: 'example.org' } }],
    ['headers.webhook-signature', { headers: { 'webhook-signature': 'v1,forged' } }],
    ['headers.X-A', { headers: { 'X-A': 'line\r\nX-B: injected' } }],
    ['headers.x-a', { headers: { 'X-A': '1', 'x-a': '2' } }],
    ['headers', { headers: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`X-${n}`, 'v'])) }],
  ])('refuses a bad %s: %j', async (field, change) => {
    const { caller } = await api.shop();
    const { status, body } = await api.call(caller, 'POST', '/webhook', { ...BODY, ...change });
    expect(status).toBe(400);
    expect(body.error_code).toBe('VALIDATION_ERROR');
    expect(body.validation[0].field).toBe(field);
    expect((await api.call(caller, 'GET', '/webhook')).status).toBe(404);
  });

  test.each([
    { webhook_url: `https://example.com/${'x'.repeat(2028)}` },
    { webhook_url: 'HTTPS://example.com/hook' },
    { webhook_url: 'https://localhost.example.com/' },
    { retry_attempts: 12, timeout: 60 },
    { timeout: 1 },
    { headers: { ['x'.repeat(100)]: '!' } },
    { headers: { 'X-A': `a\t b${'x'.repeat(4092)}` } },
    { headers: { 'Not-X-Wuts-Signature': '1' } },
    { headers: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`X-${n}`, 'v'])) },
  ])('takes what is just within the limits: %j', async (change) => {
    const { caller } = await api.shop();
    const { status, body } = await api.call(caller, 'POST', '/webhook', { ...BODY, ...change });
    expect(status).toBe(200);
    expect(body.webhook).toMatchObject(change);
  });

  test('a secret of 256 characters, a URL with blanks around it, and each event once', async () => {
    const { caller } = await api.shop();
    const { body } = await api.call(caller, 'POST', '/webhook', {
      webhook_url: ` ${URL} `,
      enabled_events: ['message.read', 'message.received', 'message.read'],
      secret: 'x'.repeat(256),
    });
    expect(body.webhook).toMatchObject({ ...BODY, has_secret: true });
    const unsigned = await api.call(caller, 'POST', '/webhook', { ...BODY, secret: '' });
    expect(unsigned.body.webhook.has_secret).toBe(false);
  });

  test('repeats no header value and no secret in a refusal', async () => {
    const { caller } = await api.shop();
    const answer = await api.call(caller, 'POST', '/webhook', {
      ...BODY,
      secret: 'top-secret'.repeat(40),
      headers: { Authorization: 'Bearer abc\u0007' },
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).not.toMatch(/top-secret|Bearer/);
  });

  test('the first time, URL and events are required', async () => {
    const { caller, device } = await api.shop();
    const { endpoints } = api.world.webhooks;
    for (const [input, field] of [
      [{ events: BODY.enabled_events }, 'webhook_url'],
      [{ url: URL }, 'enabled_events'],
    ] as const) {
      const refused = { code: 'VALIDATION_ERROR', detail: { validation: [{ field }] } };
      await expect(endpoints.configure(caller, device.id, input)).rejects.toMatchObject(refused);
    }
  });

  test('without a device there is nothing to configure', async () => {
    const caller = await api.caller();
    const { status, body } = await api.call(caller, 'POST', '/webhook', BODY);
    expect([status, body.error_code]).toEqual([404, 'DEVICE_NOT_FOUND']);
    expect((await api.call(caller, 'GET', '/webhooks')).body.webhooks).toEqual([]);
  });
});

describe('several endpoints', () => {
  test('added, listed, changed and removed beside the single one', async () => {
    const { caller } = await api.shop();
    const single = (await api.call(caller, 'POST', '/webhook', BODY)).body.webhook;
    const added = await api.call(caller, 'POST', '/webhooks', {
      ...BODY,
      webhook_url: 'https://example.com/second',
    });
    expect([added.status, added.body.webhook.is_default]).toEqual([201, false]);
    const { id } = added.body.webhook;
    const ids = async () =>
      (await api.call(caller, 'GET', '/webhooks')).body.webhooks.map((each: { id: string }) => each.id);
    expect(await ids()).toEqual([single.id, id]);
    const changed = await api.call(caller, 'PUT', `/webhooks/${id}`, { enabled: false, timeout: 7 });
    expect(changed.body.webhook).toMatchObject({
      enabled: false,
      timeout: 7,
      webhook_url: 'https://example.com/second',
    });
    expect((await api.call(caller, 'GET', `/webhooks/${id}`)).body.webhook).toEqual(changed.body.webhook);
    expect((await api.call(caller, 'GET', '/webhook')).body.webhook.id).toBe(single.id);
    expect((await api.call(caller, 'DELETE', `/webhooks/${id}`)).status).toBe(200);
    expect(await ids()).toEqual([single.id]);
  });

  test('of a device, and the URLs of those that are asked for', async () => {
    const { caller, device } = await api.shop();
    const { device: second } = await api.shop(caller);
    for (const device_id of [device.id, second.id])
      await api.call(caller, 'POST', '/webhook', { ...BODY, device_id });
    const of = async (id: string) =>
      (await api.call(caller, 'GET', `/webhooks?device_id=${id}`)).body.webhooks.map(
        (each: { device_id: string }) => each.device_id,
      );
    expect(await of(device.id)).toEqual([device.id]);
    expect(await of(second.id)).toEqual([second.id]);
    const urls = (...ids: string[]) => api.world.webhooks.endpoints.urls(caller.tenantId, ids);
    expect(await urls(second.id)).toEqual(new Map([[second.id, URL]]));
    expect(await urls()).toEqual(new Map());
  });

  test('no more than twenty for a device', async () => {
    const { caller } = await api.shop();
    for (let n = 0; n < 20; n += 1) await api.call(caller, 'POST', '/webhooks', BODY);
    expect((await api.call(caller, 'POST', '/webhooks', BODY)).status).toBe(400);
  });
});

describe('what others must not see', () => {
  test("another tenant's endpoints are unknown", async () => {
    const owner = await api.shop();
    const { id } = (await api.call(owner.caller, 'POST', '/webhook', BODY)).body.webhook;
    const stranger = await api.shop();
    for (const [method, path, body] of [
      ['GET', `/webhooks/${id}`, undefined],
      ['PUT', `/webhooks/${id}`, { enabled: false }],
      ['DELETE', `/webhooks/${id}`, undefined],
      ['POST', '/webhook/test', { endpoint_id: id }],
      ['POST', '/webhook/replay', { endpoint_id: id, after_seq: 0 }],
      ['GET', `/webhook?device_id=${owner.device.id}`, undefined],
      ['POST', '/webhook', { ...BODY, device_id: owner.device.id }],
      ['DELETE', `/webhook?device_id=${owner.device.id}`, undefined],
      ['GET', `/webhooks?device_id=${owner.device.id}`, undefined],
    ] as const) {
      const answer = await api.call(stranger.caller, method, path, body);
      expect([path, answer.status]).toEqual([path, 404]);
    }
    expect((await api.call(stranger.caller, 'GET', '/webhooks')).body.webhooks).toEqual([]);
    expect((await api.call(owner.caller, 'GET', '/webhook')).body.webhook).toMatchObject({
      id,
      enabled: true,
    });
  });

  test("a user sees its own devices' alone, an admin all of the tenant", async () => {
    const admin = await api.shop();
    const user = await api.caller('user', admin.caller.tenantId);
    const mine = await api.shop(user);
    const foreign = (await api.call(admin.caller, 'POST', '/webhook', BODY)).body.webhook.id;
    const own = (await api.call(user, 'POST', '/webhook', BODY)).body.webhook.id;
    expect(await api.call(user, 'GET', `/webhooks/${foreign}`)).toMatchObject({
      status: 404,
      body: { error_code: 'NOT_FOUND' },
    });
    expect((await api.call(user, 'GET', '/webhooks')).body.webhooks).toMatchObject([{ id: own }]);
    expect((await api.call(admin.caller, 'GET', `/webhooks/${own}`)).status).toBe(200);
    expect((await api.call(admin.caller, 'GET', '/webhooks')).body.webhooks).toHaveLength(2);
    expect(mine.device.userId).toBe(user.userId);
  });
});

describe('the pending URL of a user', () => {
  const connect = (device: Parameters<typeof eventDevice>[0]) =>
    api.world.recordEvent(device, 'device.connected', 'device', {});

  test('is answered as documented', async () => {
    const caller = await api.caller();
    const answer = await api.call(caller, 'POST', '/user/webhook', { webhook_url: URL });
    expect(answer).toEqual({
      status: 200,
      body: {
        success: true,
        message:
          'Webhook URL configured. It will be automatically applied to new devices with ALL available events',
        data: {
          webhook_url: URL,
          available_events: [...EVENT_NAMES],
          events_count: EVENT_NAMES.length,
        },
      },
    });
    expect(
      (await api.call(caller, 'POST', '/user/webhook', { webhook_url: 'http://10.1.1.1/' })).status,
    ).toBe(400);
    expect((await api.call(caller, 'POST', '/user/webhook', {})).status).toBe(400);
  });

  test('is applied at the first connect, with all events, and receives that very event', async () => {
    const receiver = await api.world.receiver();
    const caller = await api.caller();
    await api.call(caller, 'POST', '/user/webhook', { webhook_url: receiver.url });
    const { device } = await api.shop(caller);
    expect((await api.call(caller, 'GET', '/webhook')).status).toBe(404);
    await connect(device);
    expect((await api.call(caller, 'GET', '/webhook')).body.webhook).toMatchObject({
      webhook_url: receiver.url,
      enabled_events: [...EVENT_NAMES],
      enabled: true,
      is_default: true,
    });
    await receiver.count(1);
    expect(receiver.received[0]?.event.event).toBe('device.connected');
  });

  test('without one nothing is configured at the first connect, and none later', async () => {
    const { caller, device } = await api.shop();
    await connect(device);
    expect((await api.call(caller, 'GET', '/webhooks')).body.webhooks).toEqual([]);
    await api.call(caller, 'POST', '/user/webhook', { webhook_url: URL });
    await connect(device);
    expect((await api.call(caller, 'GET', '/webhooks')).body.webhooks).toEqual([]);
  });

  test('is applied once: removed, it does not come back with a reconnect', async () => {
    const caller = await api.caller();
    await api.call(caller, 'POST', '/user/webhook', { webhook_url: URL });
    const { device } = await api.shop(caller);
    await connect(device);
    await api.call(caller, 'DELETE', '/webhook');
    await connect(device);
    expect((await api.call(caller, 'GET', '/webhook')).status).toBe(404);
    const { device: next } = await api.shop(caller);
    await connect(next);
    expect((await api.call(caller, 'GET', `/webhook?device_id=${next.id}`)).status).toBe(200);
  });

  test('does not replace what was configured by hand', async () => {
    const caller = await api.caller();
    await api.call(caller, 'POST', '/user/webhook', { webhook_url: URL });
    const { device } = await api.shop(caller);
    await api.call(caller, 'POST', '/webhook', { ...BODY, webhook_url: 'https://example.com/by-hand' });
    await connect(device);
    expect((await api.call(caller, 'GET', '/webhook')).body.webhook).toMatchObject({
      webhook_url: 'https://example.com/by-hand',
      enabled_events: BODY.enabled_events,
    });
  });

  test("is not applied when the connection's transaction comes to nothing", async () => {
    const caller = await api.caller();
    await api.call(caller, 'POST', '/user/webhook', { webhook_url: URL });
    const { device } = await api.shop(caller);
    const failing = api.world.db.transaction().execute(async (trx) => {
      const event = { name: 'device.connected', orderKey: 'device', data: {} } as const;
      await api.world.outbox.record(trx, eventDevice(device), event);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect((await api.call(caller, 'GET', '/webhook')).status).toBe(404);
    await connect(device);
    expect((await api.call(caller, 'GET', '/webhook')).status).toBe(200);
  });
});
