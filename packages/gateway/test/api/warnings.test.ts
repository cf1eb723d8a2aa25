import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyCounts } from '../../src/api/request/given.ts';
import { type Edge, startEdge } from './edge.ts';

const tags = ['platform'];
const response = { 200: Type.Unknown() };
const config = { access: 'public' } as const;
const Place = Type.Object({ postal_code: Type.Optional(Type.String()), name: Type.String() });
const body = Type.Object({
  send_at: Type.Optional(Type.String()),
  typingDuration: Type.Optional(emptyCounts(Type.Integer())),
  places: Type.Optional(Type.Array(Place, { maxItems: 50 })),
  headers: Type.Optional(Type.Record(Type.String(), Type.String(), { maxProperties: 5 })),
  anything: Type.Optional(Type.Object({})),
});
const querystring = Type.Object({ reuse_cache: Type.Optional(Type.Boolean()) });

const start = (strict: boolean) =>
  startEdge(
    async (app) => {
      app.post(
        '/test/echo',
        { config, schema: { operationId: 'echo', tags, body, querystring, response } },
        async (request) => ({ query: request.query, body: request.body }),
      );
      app.post('/test/bare', { config, schema: { operationId: 'bare', tags, response } }, async () => ({
        success: true,
      }));
      app.get('/test/list', { config, schema: { operationId: 'list', tags, response } }, async () => [1, 2]);
      app.get('/test/crash', { config, schema: { operationId: 'crash', tags, response } }, async () => {
        throw new Error('unforeseen');
      });
    },
    { strict },
  );

let edge: Edge;
let strictEdge: Edge;
beforeAll(async () => {
  [edge, strictEdge] = await Promise.all([start(false), start(true)]);
});
afterAll(() => Promise.all([edge?.close(), strictEdge?.close()]));

const IGNORED = 'is not known here and was ignored';
const post = (path: string, given: unknown, to = edge) => to.call('POST', path, { body: given });

describe('names', () => {
  it.each([
    ['sendAt', 'send_at'],
    ['SendAt', 'send_at'],
    ['send-at', 'send_at'],
    ['SENDAT', 'send_at'],
    ['typing_duration', 'typingDuration'],
    ['TypingDuration', 'typingDuration'],
  ])('%s means %s', async (written, meant) => {
    const value = meant === 'send_at' ? 'noon' : 5;
    const answer = await post('/test/echo', { [written]: value });
    expect(answer.body).toEqual({ query: {}, body: { [meant]: value } });
  });

  it('are read so in queries, nested objects and items of lists', async () => {
    const answer = await post('/test/echo?reuseCache=T', { places: [{ postalCode: '1', Name: 'x' }] });
    expect(answer.body).toEqual({
      query: { reuse_cache: true },
      body: { places: [{ postal_code: '1', name: 'x' }] },
    });
  });

  it('with null are not given, also where 0 says something', async () => {
    const answer = await post('/test/echo', { typing_duration: null, send_at: null });
    expect(answer.body).toEqual({ query: {}, body: {} });
    expect((await post('/test/echo', { typing_duration: 0 })).body.body).toEqual({ typingDuration: 0 });
  });

  it('are checked as what they mean', async () => {
    const answer = await post('/test/echo', { TYPING_DURATION: 'long' });
    expect(answer.status).toBe(400);
    expect(answer.body.validation).toMatchObject([{ field: 'typingDuration', message: 'must be integer' }]);
  });

  it('that mean the same member must agree', async () => {
    expect((await post('/test/echo', { send_at: 'noon', sendAt: 'noon' })).status).toBe(200);
    expect((await post('/test/echo', { send_at: '', sendAt: 'noon' })).body.body).toEqual({
      send_at: 'noon',
    });
    const answer = await post('/test/echo', { places: [{ name: 'x', postal_code: '1', postalCode: '2' }] });
    expect(answer.status).toBe(400);
    expect(answer.body.validation).toMatchObject([
      { field: 'places.0.postal_code', message: expect.stringContaining('also given as') },
    ]);
  });
});

describe('what nobody knows', () => {
  it('is named in warnings, with what was probably meant', async () => {
    const answer = await post('/test/echo?reuse_cahce=1&color=red', {
      sned_at: 'noon',
      places: [{ name: 'x' }, { name: 'y', postal_cod: '1', zip: '2' }],
      typing_durations: 5,
    });
    expect(answer.status).toBe(200);
    expect(answer.body.warnings).toEqual([
      { field: 'reuse_cahce', message: IGNORED, did_you_mean: 'reuse_cache' },
      { field: 'color', message: IGNORED },
      { field: 'sned_at', message: IGNORED, did_you_mean: 'send_at' },
      { field: 'places.1.postal_cod', message: IGNORED, did_you_mean: 'places.1.postal_code' },
      { field: 'places.1.zip', message: IGNORED },
      { field: 'typing_durations', message: IGNORED, did_you_mean: 'typingDuration' },
    ]);
  });

  it('is named in the log, without its value', async () => {
    await post('/test/echo', { favourite_colour: 'a-value-of-its-own' });
    const line = edge.logLines.find((each) => each.includes('favourite_colour'));
    expect(line).toContain('request answered');
    expect(edge.logLines.join('')).not.toContain('a-value-of-its-own');
  });

  it('is nothing in an object that may hold anything', async () => {
    const answer = await post('/test/echo', { headers: { 'X-Shop': '7' }, anything: { at: 'all' } });
    expect(answer.body.warnings).toBeUndefined();
    expect(answer.body.body).toEqual({ headers: { 'X-Shop': '7' }, anything: { at: 'all' } });
  });

  it('is named where the operation takes no body or query at all', async () => {
    const answer = await post('/test/bare?color=red', { size: 7 });
    expect(answer.body).toEqual({
      success: true,
      warnings: [
        { field: 'color', message: IGNORED },
        { field: 'size', message: IGNORED },
      ],
    });
  });

  it('is named beside a refusal: what is missing may be there under a misspelt name', async () => {
    const answer = await post('/test/echo', { places: [{ nmae: 'x' }] });
    expect(answer.body).toMatchObject({
      error_code: 'VALIDATION_ERROR',
      validation: [{ field: 'places.0.name', message: 'is required' }],
      warnings: [{ field: 'places.0.nmae', did_you_mean: 'places.0.name' }],
    });
  });

  it('changes no list and tells nothing of a failure of ours', async () => {
    expect((await edge.call('GET', '/test/list?color=red')).body).toEqual([1, 2]);
    expect((await edge.call('GET', '/test/crash?color=red')).body).not.toHaveProperty('warnings');
  });

  it('makes no answer larger than it has to be', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`unknown${index}`, 1]));
    const answer = await post('/test/bare', { ['n'.repeat(50_000)]: 1, ...many });
    expect(answer.body.warnings).toHaveLength(20);
    expect(answer.text.length).toBeLessThan(4000);
  });
});

describe('WUTS_STRICT', () => {
  it('refuses what nobody knows', async () => {
    const answer = await post('/test/echo?color=red', { sned_at: 'noon' }, strictEdge);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      error_code: 'VALIDATION_ERROR',
      validation: [
        { field: 'color', message: 'is not known here' },
        { field: 'sned_at', message: 'is not known here: did you mean send_at?' },
      ],
    });
  });

  it('takes every way of writing a name', async () => {
    expect((await post('/test/echo', { sendAt: 'noon' }, strictEdge)).status).toBe(200);
  });
});
