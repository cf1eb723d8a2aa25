import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { noQuotas } from '../../src/quotas/quotas.ts';
import { Users } from '../../src/tenancy/users.ts';
import { addUser, deletionsOf, type Edge, type Json, MASTER, register, startEdge } from '../api/edge.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let edge: Edge;
let acme: Json;
let other: Json;
beforeAll(async () => {
  edge = await startEdge();
  [acme, other] = [await register(edge, 'acme'), await register(edge, 'other')];
});
afterAll(() => edge.close());

describe('tenants, with the master token', () => {
  it('registers a tenant whose first user is admin whatever was asked for', async () => {
    const { status, body } = await edge.call('POST', '/register', {
      token: MASTER,
      body: {
        tenant_name: ' first ',
        email: 'Boss@First.example',
        password: 'correct horse battery',
        role: 'user',
        webhook_url: 'https://first.example/hook',
      },
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      success: true,
      user: {
        id: expect.stringMatching(UUID),
        tenant_id: body.tenant.id,
        email: 'boss@first.example',
        role: 'admin',
        token: body.token,
        active: true,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
      tenant: {
        id: expect.stringMatching(UUID),
        name: 'first',
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
      token: expect.stringMatching(UUID),
      webhook_configured: true,
      webhook_url: 'https://first.example/hook',
      note: 'Webhook will be auto-configured when WhatsApp device is connected',
    });
  });

  it('refuses a second tenant of the same name', async () => {
    const { status, body } = await edge.call('POST', '/register', {
      token: MASTER,
      body: { tenant_name: 'acme', email: 'x@acme.example', password: 'correct horse battery' },
    });
    expect([status, body.error_code]).toEqual([409, 'ALREADY_EXISTS']);
    expect(body.error).toMatch(/^tenant already exists - please contact your administrator to crea/);
  });

  it('lists and reads tenants', async () => {
    const listed = await edge.call('GET', '/tenants', { token: MASTER });
    expect(listed.body.tenants.map((each: Json) => each.name)).toEqual(
      expect.arrayContaining(['acme', 'other']),
    );
    const read = await edge.call('GET', `/global/tenants/${acme.tenant.id}`, { token: MASTER });
    expect(read.body).toEqual({ success: true, data: { ...acme.tenant, state: 'active' } });
  });

  it('reads any user', async () => {
    const read = await edge.call('GET', `/users/${acme.user.id}`, { token: MASTER });
    const { token: _, ...user } = acme.user;
    expect(read.body).toEqual({ success: true, data: user });
    const unknown = await edge.call('GET', `/users/${acme.tenant.id}`, { token: MASTER });
    expect([unknown.status, unknown.body.error_code]).toEqual([404, 'NOT_FOUND']);
  });

  it('deletes a tenant with everything it owns', async () => {
    const gone = await register(edge, 'gone');
    const { status, body } = await edge.call('DELETE', `/global/tenants/${gone.tenant.id}`, {
      token: MASTER,
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: 'Tenant and all related data permanently deleted',
      data: {
        tenant_id: gone.tenant.id,
        tenant_name: 'gone',
        deleted_at: expect.any(String),
        state: 'deleted',
      },
    });
    expect(edge.released).toContain(gone.tenant.id);
    expect((await edge.call('GET', '/users', { token: gone.token })).status).toBe(401);
    const users = await edge.db
      .selectFrom('users')
      .select('id')
      .where('tenant_id', '=', gone.tenant.id)
      .execute();
    expect(users).toEqual([]);
  });

  it.each([
    ['an unknown id', randomUUID()],
    ['no UUID', 'nonsense'],
    ['an id with a slash', 'a%2Fb'],
    ['an id of 10 kB', 'x'.repeat(10_000)],
  ])('answers 404 for %s', async (_what, id) => {
    for (const method of ['GET', 'DELETE']) {
      const { status, body } = await edge.call(method, `/global/tenants/${id}`, { token: MASTER });
      expect([status, body.error_code]).toEqual([404, 'NOT_FOUND']);
    }
  });
});

describe('users of a tenant', () => {
  it('creates a user, who can use its token', async () => {
    const made = await edge.call('POST', '/users', {
      token: acme.token,
      body: {
        email: 'ana@acme.example',
        password: 'correct horse battery',
        webhook_url: 'https://acme.example/h',
      },
    });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      success: true,
      user: {
        id: expect.stringMatching(UUID),
        tenant_id: acme.tenant.id,
        email: 'ana@acme.example',
        role: 'user',
        token: expect.stringMatching(UUID),
        active: true,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
      webhook_configured: true,
      webhook_url: 'https://acme.example/h',
      note: 'Webhook will be configured when user connects their first WhatsApp device',
    });
    const { token, ...shown } = made.body.user;
    const read = await edge.call('GET', `/users/${shown.id}`, { token });
    expect(read.body).toEqual({ success: true, data: shown });
  });

  it('takes a short password, as documented, and says so', async () => {
    const body = { email: 'short@acme.example', password: 'x' };
    const answer = await edge.call('POST', '/users', { token: acme.token, body });
    expect(answer.status).toBe(201);
    expect(answer.body.warnings).toEqual([
      { field: 'password', message: 'was taken, but has fewer than 8 characters' },
    ]);
  });

  it('refuses an email the tenant has, and takes it in another tenant', async () => {
    await addUser(edge, acme.token, 'same@mail.example', 'user');
    const body = { email: 'SAME@mail.example', password: 'correct horse battery' };
    const again = await edge.call('POST', '/users', { token: acme.token, body });
    expect([again.status, again.body.error_code]).toEqual([409, 'ALREADY_EXISTS']);
    expect((await edge.call('POST', '/users', { token: other.token, body })).status).toBe(201);
  });

  it('lists users of the own tenant alone, with previews instead of tokens', async () => {
    const { text, body } = await edge.call('GET', '/users', { token: acme.token });
    expect(new Set(body.users.map((each: Json) => each.tenant_id))).toEqual(new Set([acme.tenant.id]));
    expect(body.users[0].token_preview).toBe(acme.token.slice(0, 8));
    expect(text).not.toContain(acme.token);
    expect(text).not.toContain('scrypt');
  });

  it('stores neither token nor password', async () => {
    const row = await edge.db
      .selectFrom('users')
      .selectAll()
      .where('id', '=', acme.user.id)
      .executeTakeFirstOrThrow();
    expect(JSON.stringify(row)).not.toContain(acme.token);
    expect(row.password_hash).toMatch(/^scrypt\$32768\$8\$3\$/);
  });

  it('gives a token to one of two who ask at once, and tells the other', async () => {
    const user = await addUser(edge, acme.token, 'twice@acme.example', 'user');
    const admin = await edge.db
      .selectFrom('users')
      .select(['tenant_id', 'id'])
      .where('tenant_id', '=', (eb) => eb.selectFrom('users').select('tenant_id').where('id', '=', user.id))
      .where('role', '=', 'admin')
      .executeTakeFirstOrThrow();
    const caller = { tenantId: admin.tenant_id, userId: admin.id, role: 'admin' as const };
    const users = new Users({
      quotas: noQuotas,
      db: edge.db,
      clock: systemClock,
      deletions: deletionsOf(edge.db, []),
      changed: () => undefined,
    });
    const both = [users.rotateToken(caller, user.id), users.rotateToken(caller, user.id)];
    const [first, second] = await Promise.allSettled(both);
    expect([first?.status, second?.status].sort()).toEqual(['fulfilled', 'rejected']);
    const given = first?.status === 'fulfilled' ? first : second;
    const token = given?.status === 'fulfilled' ? given.value.token : '';
    expect((await edge.call('GET', '/users', { token })).status).not.toBe(401);
    const refused = first?.status === 'rejected' ? first : second;
    expect(refused).toMatchObject({ reason: { code: 'TOKEN_ROTATED' } });
  });

  it('rotates a token: the old one stops working at once', async () => {
    const user = await addUser(edge, acme.token, 'rotating@acme.example', 'user');
    expect((await edge.call('GET', `/users/${user.id}`, { token: user.token })).status).toBe(200);
    const rotated = await edge.call('POST', `/users/${user.id}/token/rotate`, { token: user.token });
    expect(rotated.body).toEqual({
      success: true,
      data: { user_id: user.id, token: expect.stringMatching(UUID) },
    });
    expect((await edge.call('GET', `/users/${user.id}`, { token: user.token })).status).toBe(401);
    const { token } = rotated.body.data;
    expect((await edge.call('GET', `/users/${user.id}`, { token })).status).toBe(200);
  });

  it('deletes a user for good', async () => {
    const user = await addUser(edge, acme.token, 'leaving@acme.example', 'user');
    const { status, body } = await edge.call('DELETE', `/users/${user.id}`, { token: acme.token });
    expect([status, body]).toEqual([
      200,
      { success: true, message: 'User permanently deleted', state: 'deleted' },
    ]);
    expect(edge.released).toContain(user.id);
    expect((await edge.call('GET', `/users/${user.id}`, { token: user.token })).status).toBe(401);
    expect((await edge.call('GET', `/users/${user.id}`, { token: acme.token })).status).toBe(404);
  });
});

it('two admins who delete each other: one is refused, and nothing of the refused one has ended', async () => {
  const tenant = await register(edge, 'duel');
  const second = await addUser(edge, tenant.token, 'second@duel.example', 'admin');
  const released: string[] = [];
  const users = new Users({
    quotas: noQuotas,
    db: edge.db,
    clock: systemClock,
    deletions: deletionsOf(edge.db, released),
    changed: () => undefined,
  });
  const [first, other] = [tenant.user.id, second.id] as const;
  const as = (userId: string) => ({ tenantId: tenant.tenant.id, userId, role: 'admin' as const });
  const both = [users.delete(as(first), other), users.delete(as(other), first)];
  const outcomes = (await Promise.allSettled(both)).map((outcome) =>
    outcome.status === 'fulfilled' ? 'deleted' : outcome.reason.code,
  );
  expect(outcomes.toSorted()).toEqual(['FORBIDDEN', 'deleted']);
  const left = await edge.db
    .selectFrom('users')
    .selectAll()
    .where('tenant_id', '=', tenant.tenant.id)
    .execute();
  expect(left).toMatchObject([{ active: 1 }]);
  expect(released).toEqual([first, other].filter((id) => id !== left[0]?.id));
});

describe('isolation', () => {
  const operations: [string, string, unknown?][] = [
    ['GET', ''],
    ['PUT', '', { active: false }],
    ['DELETE', ''],
    ['POST', '/promote', { new_role: 'user' }],
    ['POST', '/token/rotate'],
  ];

  it.each(
    operations,
  )('%s /users/{id}%s answers 404 for ids of another tenant and for no ids at all', async (method, suffix, body) => {
    for (const id of [other.user.id, randomUUID(), 'nonsense', 'a%2Fb', 'x'.repeat(10_000)]) {
      const answer = await edge.call(method, `/users/${id}${suffix}`, { token: acme.token, body });
      expect([answer.status, answer.body.error_code]).toEqual([404, 'NOT_FOUND']);
    }
    const untouched = await edge.call('GET', `/users/${other.user.id}`, { token: other.token });
    expect(untouched.body.data).toMatchObject({ active: true, role: 'admin' });
  });
});
