/** When the schema of a request is compiled. That those of all operations compile, the tests of the contract show. */
import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { register, startEdge } from './edge.ts';

/** Shows when it is compiled: nothing compiles it. */
const broken = Type.Object({ name: Type.String({ pattern: '(' }) });

it.each([
  ['body', 'POST', { body: broken }],
  ['querystring', 'GET', { querystring: broken }],
  ['headers', 'GET', { headers: broken }],
] as const)('a %s is compiled by the first request that has one, not by the start', async (_part, method, part) => {
  const edge = await startEdge(async (app) => {
    const schema = { hide: true, ...part };
    app.route({ method, url: '/test/broken', schema, handler: async () => ({ success: true }) });
  });
  try {
    const { token } = await register(edge, 'edge');
    const options = { token, ...(method === 'POST' ? { body: { name: 'x' } } : {}) };
    const answer = await edge.call(method, '/test/broken', options);
    expect([answer.status, answer.body.error_code]).toEqual([500, 'INTERNAL_ERROR']);
    expect((await edge.call('GET', '/users', { token })).status).toBe(200);
  } finally {
    await edge.close();
  }
});
