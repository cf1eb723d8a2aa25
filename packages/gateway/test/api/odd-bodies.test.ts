/** Bodies as programs and templates really write them. */
import { connect } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../worlds/until.ts';
import { type Edge, type Json, startEdge } from './edge.ts';

let edge: Edge;
/** Ids of requests that ended with an error. */
const failed = new Set<string>();

beforeAll(async () => {
  edge = await startEdge(async (app) => {
    app.addHook('onError', async (request) => {
      failed.add(request.id);
    });
    const body = Type.Object({ name: Type.Optional(Type.String()) });
    const schema = { operationId: 'echo', tags: ['platform'], body, response: { 200: Type.Unknown() } };
    const config = { access: 'public' } as const;
    app.post('/test/echo', { config, schema }, async (request) => ({ body: request.body }));
  });
});
afterAll(() => edge.close());

const post = (body: unknown) => edge.call('POST', '/test/echo', { body });

describe('bodies', () => {
  // As templates make it of what people write: WAHA issue 767, evolution-api issue 716, whatsapp-api issue 162.
  it.each([
    ['{"name":"one\ntwo"}', 'a line break within a text must be written as \\n (line 1, column 13)'],
    ['{"name":"one\r\ntwo"}', 'a line break within a text must be written as \\r\\n (line 1, column 13)'],
    ['{\n  "name": "a\tb"\n}', 'a tab within a text must be written as \\t (line 2, column 13)'],
    [
      '{"name":"he said "hi""}',
      'a comma is missing, or a quote within a text that is not written as \\" (line 1, column 19)',
    ],
    ['{"name":"C:\\path"}', 'a backslash within a text must be written as \\\\ (line 1, column 12)'],
    ['{"name":"x",}', 'a comma stands before the end of an object or list (line 1, column 13)'],
    ["{'name':'x'}", 'a name in double quotes is missing (line 1, column 2)'],
    ['{"name":}', 'a value is missing, or a text that is not in double quotes (line 1, column 9)'],
    ['{"name":"x"', 'it ends too early (line 1, column 12)'],
    ['{"name":"x"}{}', 'something stands behind its end (line 1, column 13)'],
  ])('that are no JSON, %j, are told what is wrong and where', async (body, fault) => {
    const answer = await post(body);
    expect([answer.status, answer.body.error_code]).toEqual([400, 'INVALID_JSON']);
    expect(answer.body.error).toBe(`the request body is not valid JSON: ${fault}`);
  });

  it('are taken in the charset that they say, and not taken for another', async () => {
    const body = Buffer.from('{"name":"ação"}', 'latin1');
    const send = async (type: string, bytes: Uint8Array<ArrayBuffer> = new Uint8Array(body), more = {}) => {
      const headers = { 'content-type': type, ...more };
      const response = await fetch(`${edge.url}/test/echo`, { method: 'POST', headers, body: bytes });
      return { status: response.status, body: (await response.json()) as Json };
    };
    for (const type of ['application/json; charset=ISO-8859-1', 'application/json;charset="windows-1252"']) {
      expect((await send(type)).body.body, type).toEqual({ name: 'ação' });
    }
    const wide = new Uint8Array(Buffer.from('\ufeff{"name":"ação"}', 'utf16le'));
    expect((await send('application/json; charset=utf-16le', wide)).body.body).toEqual({ name: 'ação' });
    for (const type of [
      'application/json',
      'application/json; charset=utf-8',
      'application/json; charset=x',
    ]) {
      const answer = await send(type);
      expect([answer.status, answer.body.error_code], type).toEqual([400, 'INVALID_JSON']);
      expect(answer.body.error).toContain('is not UTF-8');
    }
    for (const [coding, compress] of [
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
    ] as const) {
      const bytes = new Uint8Array(compress(JSON.stringify({ name: 'x', more: [1, 2, 3] })));
      const answer = await send('application/json', bytes, { 'content-encoding': coding });
      expect([answer.status, answer.body.error_code], coding).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
      expect(answer.body.error).toContain(`(${coding})`);
    }
  });

  // Go writes a map that is nil as `null`, PHP an array without members as `[]`.
  it('of no member count as empty, and others that are no object are told so', async () => {
    for (const body of ['', ' ', 'null', '[]', '{}']) {
      expect((await post(body)).body, body).toEqual({ body: {} });
    }
    for (const body of ['[{}]', '[null]', '"x"', '""', '0', '1', 'false', 'true']) {
      const { status, body: said } = await post(body);
      expect([status, said.error_code, said.error], body).toEqual([
        400,
        'VALIDATION_ERROR',
        'body must be a JSON object: {…}',
      ]);
      expect(said.validation[0].field).toBe('body');
    }
  });

  it('whose client hangs up in the middle of them are no failure of ours', async () => {
    const { port } = new URL(edge.url);
    const id = `hung-up-${process.pid}`;
    const socket = connect(Number(port), '127.0.0.1', () =>
      socket.write(
        `POST /test/echo HTTP/1.1\r\nhost: x\r\nx-request-id: ${id}\r\n` +
          'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"name":',
        () => socket.destroy(),
      ),
    );
    await until('the request is over', () => failed.has(id));
    // Whatever is logged of it is, once the next one is answered.
    await edge.call('GET', '/health');
    expect(edge.logLines.filter((line) => line.includes(id)).join('')).not.toContain('failed unexpectedly');
  });
});
