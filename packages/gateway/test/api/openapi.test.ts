import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { ERROR_CATALOGUE, type ErrorCode } from '../../src/errors.ts';
import { EVENT_NAMES } from '../../src/events/catalogue/names.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { type Json, MASTER } from './edge.ts';

let gateway: Gateway;
let dataDir: string;
let document: Json;
let operations: { path: string; method: string; operation: Json }[];
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'wuts-openapi-'));
  gateway = await createGateway(
    loadConfig({
      WUTS_PORT: '0',
      WUTS_DATA_DIR: dataDir,
      WUTS_MASTER_TOKEN: MASTER,
      WUTS_LOG_LEVEL: 'silent',
      WUTS_NETWORK_URL: 'ws://127.0.0.1:9/ws/chat',
    }),
  );
  await gateway.start();
  document = await (await fetch(`${gateway.url}/openapi.json`)).json();
  operations = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => ({ path, method, operation })),
  );
});
afterAll(async () => {
  await gateway.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 with both security schemes', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'WUTS', version: expect.any(String) });
    expect(Object.keys(document.components.securitySchemes)).toEqual([
      'bearerAuth',
      'apiKeyAuth',
      'masterToken',
    ]);
    expect(Object.keys(document.webhooks)).toEqual([...EVENT_NAMES]);
  });

  it('has the documented operations on users and tenants', () => {
    const listed = operations
      .filter(({ operation }) => operation.tags.includes('users-and-admin'))
      .map(({ path, method, operation }) => `${operation.operationId} ${method.toUpperCase()} ${path}`);
    expect(listed.sort()).toEqual([
      'createUser POST /users',
      'deleteUser DELETE /users/{id}',
      'getUserById GET /users/{id}',
      'listUsers GET /users',
      'promoteUser POST /users/{id}/promote',
      'rotateUserToken POST /users/{id}/token/rotate',
      'superAdminDeleteTenant DELETE /global/tenants/{id}',
      'superAdminGetTenant GET /global/tenants/{id}',
      'superAdminListTenants GET /tenants',
      'superAdminRegisterTenant POST /register',
      'updateUser PUT /users/{id}',
    ]);
  });

  it('describes every operation: id, tag, summary, security, an answer and its failures', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map((tag: Json) => tag.name);
    for (const { path, operation } of operations) {
      expect(operation.operationId, path).toMatch(/^[a-z][A-Za-z]+$/);
      expect(tags).toEqual(expect.arrayContaining(operation.tags));
      expect(operation.summary, path).toEqual(expect.any(String));
      expect(operation.security, path).toEqual(expect.any(Array));
      const statuses = Object.keys(operation.responses);
      expect(
        statuses.some((status) => status.startsWith('2')),
        path,
      ).toBe(true);
      expect(statuses, path).toEqual(expect.arrayContaining(['500', '503']));
      if (operation.security.length > 0) expect(statuses, path).toContain('401');
      if (operation.requestBody)
        expect(statuses, path).toEqual(expect.arrayContaining(['400', '413', '415']));
      for (const response of Object.values<Json>(operation.responses)) {
        expect(response.description, path).toEqual(expect.any(String));
      }
    }
  });

  it("lists for each failing status the codes that an operation can end with, the server's own included", () => {
    for (const { path, method, operation } of operations) {
      const codes = Object.entries<Json>(operation.responses)
        .filter(([status]) => status >= '400')
        .flatMap(([status, response]) => {
          const listed: string[] = response.description.split(', ');
          for (const code of listed) {
            const known = ERROR_CATALOGUE[code as ErrorCode];
            expect(String(known?.status), `${method} ${path} ${code}`).toBe(status);
          }
          return listed;
        });
      const ofServer = [
        'REQUEST_TIMEOUT',
        'HEADERS_TOO_LARGE',
        'INTERNAL_ERROR',
        'SHUTTING_DOWN',
        'STORAGE_UNAVAILABLE',
      ];
      if (operation.security.some((each: Json) => 'bearerAuth' in each)) {
        ofServer.push('UNAUTHORIZED', 'FORBIDDEN', 'QUOTA_EXCEEDED');
      }
      if (['post', 'put', 'patch'].includes(method)) ofServer.push('STORAGE_FULL');
      if (operation.requestBody) ofServer.push('INVALID_JSON', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE');
      expect(codes, `${method} ${path}`).toEqual(expect.arrayContaining(ofServer));
      expect(new Set(codes).size, `${method} ${path}`).toBe(codes.length);
    }
  });

  it('says of every answer that is an object that it may warn', () => {
    const { schemas } = document.components;
    expect(schemas.ErrorEnvelope.properties.warnings.type).toBe('array');
    for (const { path, method, operation } of operations) {
      for (const [status, { content }] of Object.entries<Json>(operation.responses)) {
        const name = content?.['application/json']?.schema.$ref?.split('/').at(-1);
        if (status >= '300' || name === undefined) continue;
        expect(Object.keys(schemas[name].properties), `${method} ${path} ${status}`).toContain('warnings');
      }
    }
  });

  it('declares every path parameter, and nothing that the path does not have', () => {
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? [])
        .filter((each: Json) => each.in === 'path')
        .map((each: Json) => each.name);
      expect(declared, path).toEqual(inPath);
    }
  });

  it('narrows the one error envelope to the codes of each status, and every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(500);
    for (const [, path = ''] of references) {
      const found = path.split('/').reduce((place: Json, part) => place?.[part], document);
      expect(found, path).toBeDefined();
    }
    expect(document.components.schemas.ErrorEnvelope.required).toEqual([
      'success',
      'error',
      'error_code',
      'timestamp',
      'request_id',
    ]);
    for (const { path, operation } of operations) {
      for (const [status, response] of Object.entries<Json>(operation.responses)) {
        if (status < '400') continue;
        const { schema } = response.content['application/json'];
        const [envelope, narrowed] = document.components.schemas[schema.$ref.split('/').at(-1)].allOf;
        expect(envelope.$ref, `${path} ${status}`).toBe('#/components/schemas/ErrorEnvelope');
        const codes = response.description.split(', ').sort();
        expect(narrowed.properties.error_code.enum, `${path} ${status}`).toEqual(codes);
      }
    }
  });
});

describe('for generators of clients', () => {
  const camelCase = (name: string) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

  /** Every object schema of the document. */
  function* objects(place: Json): Generator<Json> {
    if (typeof place !== 'object' || place === null) return;
    if (place.type === 'object' && typeof place.properties === 'object') yield place;
    for (const inside of Object.values<Json>(place)) yield* objects(inside);
  }

  it('what is shown in several places has one name', () => {
    const { schemas } = document.components;
    const documented = ['Message', 'Media', 'Person', 'Device', 'DeviceState', 'Job', 'JobState', 'Bulk'];
    documented.push('MessageStatus', 'MessageType', 'ErrorCode', 'EventName', 'Event', 'WebhookEndpoint');
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(documented));
    expect(schemas.MessageType.enum).toContain('buttons_response');
    expect(schemas.MessageStatus.enum).toEqual(['pending', 'delivered', 'read', 'played', 'failed']);
    const text = JSON.stringify([document.paths, document.webhooks]);
    expect(text.match(/"#\/components\/schemas\/Message"/g)).toBeNull();
    expect(schemas.GetMessageAnswer.properties.message.$ref).toBe('#/components/schemas/Message');
    expect(schemas.ListMessagesAnswer.properties.messages.items.$ref).toBe('#/components/schemas/Message');
  });

  it('bodies have names, and what webhooks get has one for each event', () => {
    for (const { path, operation } of operations) {
      const contents = [operation.requestBody, ...Object.values<Json>(operation.responses)];
      for (const content of contents.map((each) => each?.content?.['application/json'])) {
        if (content) expect(content.schema.$ref, path).toMatch(/^#\/components\/schemas\/[A-Z]\w+$/);
      }
    }
    const received = document.webhooks['message.received'].post;
    const { schema } = received.requestBody.content['application/json'];
    expect(schema.$ref).toBe('#/components/schemas/EventMessageReceived');
    expect(received.security).toEqual([]);
  });

  it('an event is told by its name, which says what its data is', () => {
    const { Event, EventMessageReceived } = document.components.schemas;
    expect(Event.discriminator.propertyName).toBe('event');
    expect(Object.keys(Event.discriminator.mapping)).toEqual([...EVENT_NAMES]);
    expect(Object.values(Event.discriminator.mapping)).toEqual(Event.oneOf.map((each: Json) => each.$ref));
    expect(EventMessageReceived.properties.event.enum).toEqual(['message.received']);
    expect(EventMessageReceived.properties.data.$ref).toBe('#/components/schemas/MessageData');
    const { events } = document.components.schemas.ListEventsAnswer.properties;
    expect(events.items.$ref).toBe('#/components/schemas/Event');
  });

  it('no object has two members that are one name in another language', () => {
    for (const { properties } of objects(document)) {
      const names = Object.keys(properties).map(camelCase);
      expect(new Set(names).size, Object.keys(properties).join()).toBe(names.length);
    }
  });

  it('a body may be missing where none of its members must be there', () => {
    const required = Object.fromEntries(
      operations
        .filter(({ operation }) => operation.requestBody)
        .map(({ operation }) => [operation.operationId, operation.requestBody.required]),
    );
    expect(required).toMatchObject({ connectSession: false, markMessageRead: true, sendText: true });
    // One of several has to be there.
    expect(required).toMatchObject({ updateOwnProfile: true, updateChatDisappearing: true });
  });

  it('members that may be left out may be null', () => {
    const members = (name: string) => document.components.schemas[name].properties;
    expect(members('SendTextRequest').to.type).toEqual(['string', 'null']);
    expect(members('SendTextRequest').text.type).toBe('string');
    expect(members('SendTextRequest').quoted.anyOf).toEqual([
      { $ref: '#/components/schemas/Quote' },
      { type: 'null' },
    ]);
    // Its empty value says something, and null does not.
    const { ephemeral_seconds: timer } = members('SendTextRequest');
    expect(timer).toMatchObject({ anyOf: [{ type: 'integer' }, { type: 'null' }], 'x-empty-counts': true });
    expect(members('SendImageMessageForm').to.type).toBe('string');
  });

  it('every address and chat that a request names says which are refused', () => {
    const silent: string[] = [];
    const look = (schema: Json, place: string): void => {
      for (const [name, member] of Object.entries<Json>(schema.properties ?? {})) {
        const bound = ['pattern', 'x-refused-further', 'anyOf', 'not', 'maxLength'].filter(
          (each) => member[each],
        );
        // A length alone says nothing of what an address is; the text of one that is only shown may be any.
        if (/(^|_)url$/.test(name) && bound.join() === 'maxLength' && member.maxLength > 2048) {
          silent.push(`${place}.${name}`);
        }
        look(member, `${place}.${name}`);
      }
      for (const each of [...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])])
        look(each, place);
    };
    for (const [name, schema] of Object.entries<Json>(document.components.schemas)) {
      if (/(?:Request|Form|^LinkPreview)$/.test(name)) look(schema, name);
    }
    for (const { path, method, operation } of operations) {
      for (const { in: place, name, schema } of operation.parameters ?? []) {
        if (place !== 'path' || !/^(jid|number)$/.test(name)) continue;
        if (schema['x-refused-further'] === undefined) silent.push(`${method} ${path} ${name}`);
      }
    }
    expect(silent).toEqual([]);
  });

  it('files may come as parts of a form', () => {
    const content = (path: string) => document.paths[path].post.requestBody.content['multipart/form-data'];
    const form = (name: string) => document.components.schemas[name].properties;
    expect(content('/send/image').schema.$ref).toBe('#/components/schemas/SendImageMessageForm');
    expect(form('SendImageMessageForm').image).toMatchObject({ type: 'string', format: 'binary' });
    expect(form('SendAlbumForm').media).toMatchObject({ type: 'array', items: { format: 'binary' } });
    expect(content('/send/text')).toBeUndefined();
    const { 'x-refused-further': further } = document.components.schemas.SendAudioMessageForm;
    expect(further).toContain('100 parts');
    expect(JSON.stringify(document)).not.toContain('x-file-member');
  });

  it('answers have their headers, media their types, and each failure an example', async () => {
    const media = document.paths['/messages/{id}/media'].get.responses;
    expect(Object.keys(media[200].content)).toContain('image/*');
    expect(Object.keys(media[206].headers)).toEqual(expect.arrayContaining(['ETag', 'Content-Range']));
    const sent = document.paths['/send/text'].post.responses;
    expect(Object.keys(sent[202].headers)).toEqual(['X-Request-Id', 'Idempotency-Replayed', 'Location']);
    expect(Object.keys(sent[429].headers)).toEqual(['X-Request-Id', 'Retry-After']);
    expect(sent[503].content['application/json'].examples.DEVICE_NOT_READY.$ref).toBe(
      '#/components/examples/DEVICE_NOT_READY',
    );
    const { value } = document.components.examples.DEVICE_NOT_READY;
    expect(value).toMatchObject({ success: false, error_code: 'DEVICE_NOT_READY' });
  });
});

describe('every operation', () => {
  it('that makes something at WhatsApp takes a key under which it is made once', () => {
    const makers = operations.filter(
      ({ operation }) => /^create[A-Z]/.test(operation.operationId) && 504 in operation.responses,
    );
    expect(makers.map(({ operation }) => operation.operationId)).toContain('createGroup');
    for (const { operation } of makers) {
      const names = operation.parameters.map(({ name }: { name: string }) => name.toLowerCase());
      expect(names, operation.operationId).toContain('idempotency-key');
    }
  });

  it('asks for its kind of token before anything else', async () => {
    for (const { path, method, operation } of operations) {
      const schemes = operation.security.flatMap((each: Json) => Object.keys(each));
      if (schemes.length === 0) continue;
      const wrong = schemes.includes('masterToken') ? 'x' : MASTER;
      const url = `${gateway.url}${path.replaceAll(/\{\w+\}/g, 'x')}`;
      for (const headers of [{}, { authorization: `Bearer ${wrong}` }]) {
        const answer = await fetch(url, { method: method.toUpperCase(), headers });
        await answer.arrayBuffer();
        expect(answer.status, `${method} ${path}`).toBe(401);
      }
    }
  });
});

describe('/docs', () => {
  it('is served without a token and loads nothing from elsewhere', async () => {
    const page = await fetch(`${gateway.url}/docs/`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    const assets = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    );
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) {
      expect(asset).not.toMatch(/^(https?:)?\/\//);
      expect((await fetch(new URL(asset, `${gateway.url}/docs/`))).status, asset).toBe(200);
    }
  });

  it('runs no scripts but its own, and does not keep the token', async () => {
    const page = await fetch(`${gateway.url}/docs/`);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'self'(;|$)/);
    expect(policy).not.toContain('upgrade-insecure-requests');
    expect(await page.text()).not.toMatch(/<script(?![^>]*\bsrc=)/);
    const start = await (await fetch(`${gateway.url}/docs/static/swagger-initializer.js`)).text();
    expect(start).toContain('"persistAuthorization":false');
  });
});
