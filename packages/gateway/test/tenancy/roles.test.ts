import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addUser, type Edge, type Json, register, startEdge } from '../api/edge.ts';

let edge: Edge;
let tenant: Json;
let manager: Json;
let user: Json;
let second: Json;
beforeAll(async () => {
  edge = await startEdge();
  tenant = await register(edge, 'roles');
  manager = await addUser(edge, tenant.token, 'manager@roles.example', 'manager');
  user = await addUser(edge, tenant.token, 'user@roles.example', 'user');
  second = await addUser(edge, tenant.token, 'second@roles.example', 'user');
});
afterAll(() => edge.close());

async function outcome(token: string, method: string, path: string, body?: unknown): Promise<unknown[]> {
  const answer = await edge.call(method, path, { token, body });
  return answer.status < 300 ? [answer.status] : [answer.status, answer.body.error_code];
}
const FORBIDDEN = [403, 'FORBIDDEN'];

describe('a manager', () => {
  it('lists and reads users', async () => {
    expect(await outcome(manager.token, 'GET', '/users')).toEqual([200]);
    expect(await outcome(manager.token, 'GET', `/users/${tenant.user.id}`)).toEqual([200]);
  });

  it('sets active, except for admins', async () => {
    expect(await outcome(manager.token, 'PUT', `/users/${second.id}`, { active: false })).toEqual([200]);
    expect(await outcome(second.token, 'GET', `/users/${second.id}`)).toEqual(FORBIDDEN);
    expect(await outcome(manager.token, 'PUT', `/users/${second.id}`, { active: true })).toEqual([200]);
    expect(await outcome(second.token, 'GET', `/users/${second.id}`)).toEqual([200]);
    expect(await outcome(manager.token, 'PUT', `/users/${tenant.user.id}`, { active: false })).toEqual(
      FORBIDDEN,
    );
  });

  it('changes roles below admin', async () => {
    const up = await edge.call('POST', `/users/${second.id}/promote`, {
      token: manager.token,
      body: { new_role: 'manager' },
    });
    expect(up.body).toEqual({
      success: true,
      message: 'User role updated successfully',
      data: { user_id: second.id, old_role: 'user', new_role: 'manager' },
    });
    expect(await outcome(manager.token, 'PUT', `/users/${second.id}`, { role: 'user' })).toEqual([200]);
    for (const [id, role] of [
      [second.id, 'admin'],
      [manager.id, 'admin'],
      [tenant.user.id, 'user'],
    ]) {
      expect(await outcome(manager.token, 'POST', `/users/${id}/promote`, { new_role: role })).toEqual(
        FORBIDDEN,
      );
      expect(await outcome(manager.token, 'PUT', `/users/${id}`, { role })).toEqual(FORBIDDEN);
    }
  });

  it('creates and deletes nobody and takes no tokens', async () => {
    const body = { email: 'new@roles.example', password: 'correct horse battery' };
    expect(await outcome(manager.token, 'POST', '/users', body)).toEqual(FORBIDDEN);
    expect(await outcome(manager.token, 'DELETE', `/users/${user.id}`)).toEqual(FORBIDDEN);
    expect(await outcome(manager.token, 'POST', `/users/${user.id}/token/rotate`)).toEqual(FORBIDDEN);
  });
});

describe('a user', () => {
  it('reads itself and nobody else', async () => {
    expect(await outcome(user.token, 'GET', `/users/${user.id}`)).toEqual([200]);
    expect(await outcome(user.token, 'GET', `/users/${second.id}`)).toEqual(FORBIDDEN);
    expect(await outcome(user.token, 'GET', '/users')).toEqual(FORBIDDEN);
  });

  it('manages nobody, not even itself', async () => {
    expect(await outcome(user.token, 'PUT', `/users/${user.id}`, { role: 'admin' })).toEqual(FORBIDDEN);
    expect(await outcome(user.token, 'PUT', `/users/${user.id}`, {})).toEqual(FORBIDDEN);
    expect(await outcome(user.token, 'POST', `/users/${user.id}/promote`, { new_role: 'manager' })).toEqual(
      FORBIDDEN,
    );
    expect(await outcome(user.token, 'DELETE', `/users/${user.id}`)).toEqual(FORBIDDEN);
    expect(await outcome(user.token, 'DELETE', `/users/${second.id}`)).toEqual(FORBIDDEN);
  });
});

describe('the last active admin', () => {
  it('can be neither demoted nor deactivated, and nobody deletes themselves', async () => {
    const own = `/users/${tenant.user.id}`;
    expect(await outcome(tenant.token, 'PUT', own, { role: 'user' })).toEqual(FORBIDDEN);
    expect(await outcome(tenant.token, 'POST', `${own}/promote`, { new_role: 'manager' })).toEqual(FORBIDDEN);
    expect(await outcome(tenant.token, 'PUT', own, { active: false })).toEqual(FORBIDDEN);
    expect(await outcome(tenant.token, 'DELETE', own)).toEqual(FORBIDDEN);
    const read = await edge.call('GET', own, { token: tenant.token });
    expect(read.body.data).toMatchObject({ role: 'admin', active: true });
  });

  it('stays when two admins demote each other at once', async () => {
    const pair = await register(edge, 'pair');
    const twin = await addUser(edge, pair.token, 'twin@pair.example', 'admin');
    const outcomes = await Promise.all([
      outcome(pair.token, 'POST', `/users/${twin.id}/promote`, { new_role: 'user' }),
      outcome(twin.token, 'POST', `/users/${pair.user.id}/promote`, { new_role: 'user' }),
    ]);
    expect(outcomes.map(([status]) => status).sort()).toEqual([200, 403]);
  });
});
