/** What the edge says of a request before anybody has looked at it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Edge, MASTER, register, startEdge } from './edge.ts';

let edge: Edge;
let token: string;

beforeAll(async () => {
  edge = await startEdge();
  token = (await register(edge, 'edge')).token;
});

afterAll(() => edge.close());

describe('what is not there', () => {
  it.each([
    ['POST', '/user', 'POST /users'],
    ['GET', '/api/v1/users', 'GET /users'],
    ['GET', '/Users/', 'GET /users'],
    ['POST', '/Registre', 'POST /register'],
    ['POST', '/users/x/promtoe', 'POST /users/{id}/promote'],
    ['GET', '/blocklist/contacts', null],
    ['GET', `/${'x'.repeat(5000)}`, null],
  ])('%s %s: did you mean %s', async (method, path, meant) => {
    const { status, body } = await edge.call(method, path);
    expect([status, body.error_code, body.did_you_mean ?? null]).toEqual([404, 'NOT_FOUND', meant]);
    if (meant) expect(body.error).toContain(meant);
  });

  it('leads a browser from / to the docs, and a program to the description', async () => {
    const headers = { accept: 'text/html,application/xhtml+xml' };
    const page = await fetch(`${edge.url}/`, { headers });
    expect([page.status, new URL(page.url).pathname.replace(/\/.*static.*/, '')]).toEqual([200, '/docs']);
    expect((await edge.call('GET', '/')).body).toMatchObject({ name: 'wuts', openapi: '/openapi.json' });
  });
});

describe('the token', () => {
  it('is taken from X-Api-Key and apikey as from Authorization', async () => {
    const { token } = await register(edge, 'keys');
    for (const headers of [
      { 'x-api-key': token },
      { apikey: token },
      { apikey: token, authorization: 'Basic dXNlcjpwYXNz' },
    ]) {
      expect((await edge.call('GET', '/users', { headers })).status).toBe(200);
    }
    const both = { 'x-api-key': token, authorization: 'Bearer nonsense' };
    expect((await edge.call('GET', '/users', { headers: both })).status).toBe(401);
    expect((await edge.call('GET', `/users?apikey=${token}`)).status).toBe(401);
    expect((await edge.call('GET', '/tenants', { headers: { 'x-api-key': MASTER } })).status).toBe(200);
  });

  it('is said to be the master token where it is, and a user is needed', async () => {
    const { status, body } = await edge.call('GET', '/users', { token: MASTER });
    expect([status, body.error]).toEqual([401, 'Invalid token']);
    expect(body.hint).toContain('master token');
    expect((await edge.call('GET', '/users', { token: 'nonsense' })).body.hint).toBeUndefined();
  });
});

describe('the line of a request', () => {
  it('says who asked, for which device, and how it failed', async () => {
    const id = 'line-of-a-request';
    const deviceId = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
    const headers = { 'x-request-id': id, 'x-device-id': deviceId };
    const { tenant_id, id: userId } = (await edge.call('GET', '/users', { token })).body.users[0];
    await edge.call('GET', '/users/nobody', { token, headers });
    const line = edge.logLines.map((each) => JSON.parse(each)).findLast((each) => each.request_id === id);
    expect(line).toMatchObject({
      msg: 'request answered',
      tenant_id,
      user_id: userId,
      device_id: deviceId,
      status: 404,
      error_code: 'NOT_FOUND',
    });
  });
});
