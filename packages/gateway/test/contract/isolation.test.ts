import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectRefused } from '../bad-input/linked-shop.ts';
import { type RawAnswer, rawRequest } from '../bad-input/raw-request.ts';
import { type Api, type Json, MASTER_TOKEN, until, World } from '../end-to-end/harness.ts';
import { jpeg } from '../end-to-end/samples.ts';
import { EventStream } from '../events/event-stream.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { CHANNEL, foreignIds, goodBody, goodPath, pathOf, SECRET_TEXT } from './good-enough.ts';
import { type Operation, operationsOf, readDocument } from './operations.ts';

/**
 * Two tenants, each with a linked device: one owns things, the other asks for them with its admin's token. The
 * owner's tenant has a plain user too, with a device and things of their own, who asks for what the admin owns.
 */
interface Person {
  api: Api;
  token: string;
  names: Record<string, string>;
}

let world: World;
let receiver: Receiver;
let operations: Operation[];
let owner: { api: Api; names: Record<string, string> };
let other: Person;
let colleague: Person;
/** Who asks in a test; `other` unless it says otherwise. */
let asking: Person;

let contact: Phone;

beforeAll(async () => {
  world = await World.create({ settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' } });
  receiver = await Receiver.start();
  operations = operationsOf(await readDocument(world.gateway.url));
  contact = await world.sandbox.createPhone({ number: '5511999996009', name: 'Contact' });
  const own = await personWithDevice('owner', await world.tenant('owner'), '5511999996001', 'The Owner');
  other = await personWithDevice('other', await world.tenant('other'), '5511999996002', 'Somebody Else');
  const hired = { email: 'colleague@owner.example', password: 'correct horse battery', role: 'user' };
  const { user } = (await own.api.post('/users', hired)).body;
  colleague = await personWithDevice('colleague', user.token, '5511999996003', 'A Colleague', user);
  owner = own;
  asking = other;
  const sent = await own.api.post('/send/text', { number: contact.number, text: SECRET_TEXT });
  const picture = await contact.sendImage('5511999996001', { bytes: await jpeg() });
  await until(
    'the picture is there',
    async () => (await own.api.get(`/messages/${picture.id}/media`)).status === 200,
  );
  Object.assign(own.names, { sentMessage: sent.body.message_id, receivedMessage: picture.id });
});

afterAll(async () => {
  await world.destroy();
  await receiver.stop();
});

async function personWithDevice(
  name: string,
  token: string,
  number: string,
  pushName: string,
  knownAs?: Json,
): Promise<Person> {
  const api = world.as(token);
  const phone = await world.sandbox.createPhone({ number, name: pushName });
  await phone.becomeBusiness({ name: pushName });
  const device = await world.linkByQr(token, phone);
  const user = knownAs ?? (await api.get('/users')).body.users[0];
  const webhookUrl = `${receiver.url}?of=${name}`;
  const made = await api.post('/webhook', { webhook_url: webhookUrl, enabled_events: ['message.received'] });
  const tried = (await api.post('/webhook/test', {})).body;
  const mine = await api.post('/send/text', { number: contact.number, text: 'mine' });
  const group = (await phone.createGroup('Their own', [contact])).jid;
  const community = (await phone.createCommunity('Their street')).jid;
  const label = LABELS[name] ?? '';
  await phone.account.editLabel({ id: label, name: `label of ${name}` });
  await until('the label is there', async () => (await api.get('/labels')).body.count === 1);
  const later = { send_at: new Date(Date.now() + 24 * 3600_000).toISOString() };
  const job = (await api.post('/send/text', { number, text: 'later', ...later })).body;
  const bulk = (await api.post('/bulk', { messages: [{ type: 'text', number, text: 'later' }], ...later }))
    .body;
  return {
    api,
    token,
    names: {
      device,
      user: user.id,
      tenant: user.tenant_id,
      email: user.email,
      number,
      pushName,
      lid: phone.lid,
      webhookUrl,
      webhook: made.body.webhook.id,
      ownMessage: mine.body.message_id,
      delivery: tried.delivery_id,
      event: tried.event_id,
      job: job.job_id,
      bulk: bulk.bulk.id,
      group,
      community,
      label,
    },
  };
}

/** Ids of labels are small numbers, the same for everybody: here each has one that no other id holds by chance. */
const LABELS: Record<string, string> = { owner: '700010001', other: '700010002', colleague: '700010003' };

function ask(
  operation: Operation,
  path: string,
  body = goodBody(operation),
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  return rawRequest(world.gateway.url, operation.method, path, {
    headers: {
      authorization: `Bearer ${asking.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const label = ({ method, path }: Operation) => `${method} ${path}`;

function expectNothingOfTheOwner(operation: Operation, answer: RawAnswer, asked: string[] = []): void {
  const whole = `${answer.text}${JSON.stringify(answer.headers)}`;
  for (const [what, value] of Object.entries({ ...owner.names, text: SECRET_TEXT })) {
    if (!asked.includes(value) && value !== asking.names[what])
      expect(whole, `${label(operation)} shows the ${what}`).not.toContain(value);
  }
}

/** Status and body without what differs between any two requests. */
function comparable(answer: RawAnswer, id: string): unknown {
  const { timestamp, request_id, message_id, ...rest } = (answer.body ?? {}) as Record<string, Json>;
  return [answer.status, JSON.stringify(rest).replaceAll(id, '<id>')];
}

/** Receipts go out for messages that the gateway does not hold too: the phone may have them. */
const TAKES_ANY_ID = new Set(['markMessageRead', 'markMessageDelivered']);

/** An id of the same kind that nothing has. */
function nobodys(id: string): string {
  const [, server] = id.split('@');
  return server ? `120363${Date.now()}@${server}` : crypto.randomUUID();
}

/** Each foreign id must be answered like one that nobody has. Returns how many were asked for. */
async function askForForeignIds(operation: Operation, statuses: number[]): Promise<number> {
  if (operation.pathParameters.length === 0) return 0;
  const ids = foreignIds(owner.names, operation.path.split('{')[0] ?? '');
  for (const id of ids) {
    const unknownId = nobodys(id);
    const foreign = await ask(operation, pathOf(operation, id));
    const unknown = await ask(operation, pathOf(operation, unknownId));
    expect(statuses, label(operation)).toContain(foreign.status);
    if (operation.access === 'user') expect(foreign.status, label(operation)).not.toBe(401);
    expect(comparable(foreign, id), label(operation)).toEqual(comparable(unknown, unknownId));
    expectNothingOfTheOwner(operation, foreign, [id]);
  }
  return ids.length;
}

/** Colleagues may not see each other, which is no secret: 403 (`roles.ts`). */
const ofColleagues = ({ path }: Operation): boolean => path.startsWith('/users');

describe.each(['tenant', 'user of the tenant'])('every operation of /openapi.json', (kind) => {
  const withinTenant = kind !== 'tenant';
  beforeAll(() => {
    asking = withinTenant ? colleague : other;
  });
  afterAll(() => {
    asking = other;
  });

  test(`with an id of another ${kind} in its path answers as if it did not exist`, async () => {
    const walked = operations.filter(
      (operation) => !TAKES_ANY_ID.has(operation.id) && !(withinTenant && ofColleagues(operation)),
    );
    let asked = 0;
    for (const operation of walked) asked += await askForForeignIds(operation, [401, 404]);
    expect(asked).toBeGreaterThanOrEqual(withinTenant ? 17 : 22);
  });

  test(`with the device of another ${kind}, in query, header or body, answers 404`, async () => {
    let asked = 0;
    const { device = '' } = owner.names;
    for (const operation of operations.filter(({ access }) => access === 'user')) {
      // The path names something of the asking user's own, so that the device alone is foreign.
      const own = operation.path.startsWith('/newsletters/') ? CHANNEL : (asking.names.ownMessage ?? '');
      const path = goodPath(operation, own);
      const separator = path.includes('?') ? '&' : '?';
      const answers: RawAnswer[] = [];
      if (operation.query.some(({ name }) => name === 'device_id')) {
        answers.push(await ask(operation, `${path}${separator}device_id=${device}`));
      }
      if (operation.headers.some(({ name }) => name.toLowerCase() === 'x-device-id')) {
        answers.push(await ask(operation, path, goodBody(operation), { 'x-device-id': device }));
      }
      if (operation.body?.properties?.device_id) {
        answers.push(await ask(operation, path, { ...goodBody(operation), device_id: device }));
      }
      for (const answer of answers) {
        if (operation.id === 'checkSessionStatus') {
          expect([answer.status, answer.body.data.reason]).toEqual([200, 'device_not_found']);
        } else expectRefused(answer, { status: 404, code: 'DEVICE_NOT_FOUND' });
        expectNothingOfTheOwner(operation, answer);
      }
      asked += answers.length;
    }
    expect(asked).toBeGreaterThanOrEqual(40);
  });

  test(`without ids shows nothing of another ${kind}`, async () => {
    const idle = operations.filter(
      ({ method, pathParameters }) => method === 'GET' && pathParameters.length === 0,
    );
    for (const operation of idle.filter((each) => !(withinTenant && ofColleagues(each)))) {
      for (const search of operation.query.some(({ name }) => name === 'scope')
        ? ['', '?scope=tenant']
        : ['']) {
        const answer = await ask(operation, `${goodPath(operation)}${search}`);
        if (operation.access === 'master') expect(answer.status, label(operation)).toBe(401);
        expectNothingOfTheOwner(operation, answer);
      }
    }
    expect(idle.length).toBeGreaterThanOrEqual(10);
    const { webhooks } = (await asking.api.get('/webhooks')).body;
    expect(webhooks.map(({ id }: Json) => id)).toEqual([asking.names.webhook]);
    const { deliveries } = (await asking.api.get('/webhook/deliveries')).body;
    expect(deliveries.map(({ id }: Json) => id)).toContain(asking.names.delivery);
  });
});

test('the whole tenant is that of the caller alone, and for those who may see it', async () => {
  expect((await other.api.get('/devices?scope=tenant')).body.devices).toHaveLength(1);
  expect((await other.api.get('/users')).body.users).toHaveLength(1);
  expect((await owner.api.get('/devices?scope=tenant')).body.devices).toHaveLength(2);
  expect((await colleague.api.get('/devices?scope=tenant')).status).toBe(403);
});

test('an admin downloads the media of a user’s device, a user only that of the own', async () => {
  const picture = await contact.sendImage(colleague.names.number ?? '', { bytes: await jpeg() });
  const path = `/messages/${picture.id}/media`;
  await until('the picture is there', async () => (await colleague.api.get(path)).status === 200);
  expect((await owner.api.get(path)).status).toBe(200);
  for (const what of ['media', 'status', '']) {
    const answer = await colleague.api.get(
      `/messages/${owner.names.receivedMessage}/${what}`.replace(/\/$/, ''),
    );
    expect([what, answer.status]).toEqual([what, 404]);
  }
});

describe('ids of another tenant that travel inside of a body', () => {
  test('a quoted message of theirs is not looked up', async () => {
    const sent = await other.api.post('/send/text', {
      number: contact.number,
      text: 'answering',
      quoted: { message_id: owner.names.sentMessage, body: 'what I claim it says' },
    });
    expect(sent.status).toBe(200);
    expect(sent.body.metadata.quoted_message_found).toBe(false);
    const got = await contact.waitForMessage((message) => message.id === sent.body.message_id);
    expect(JSON.stringify(got.message)).not.toContain(SECRET_TEXT);
  });

  test('a message of theirs cannot be asked for again, beside an own one either', async () => {
    const { receivedMessage } = owner.names;
    for (const messageIds of [[receivedMessage], [other.names.ownMessage, receivedMessage]]) {
      const answer = await other.api.post(`/messages/${other.names.ownMessage}/retry`, {
        chat_jid: contact.jid,
        message_ids: messageIds,
      });
      expectRefused(answer, { status: 404, code: 'MESSAGE_NOT_FOUND' });
    }
  });

  test('an Idempotency-Key of theirs is another key', async () => {
    const headers = { 'idempotency-key': 'shared between tenants' };
    const body = { number: contact.number, text: 'once each' };
    const first = await owner.api.post('/send/text', body, headers);
    const second = await other.api.post('/send/text', body, headers);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.headers.get('idempotency-replayed')).toBeNull();
    expect(second.body.message_id).not.toBe(first.body.message_id);
    expect(second.body.metadata.device_id).toBe(other.names.device);
  });
});

test('the master token is no tenant’s token, and tokens of one tenant are not the other’s', async () => {
  // The platform reads any user, as documented, and nothing else of a tenant.
  expect(operations.filter(({ orMaster }) => orMaster).map(({ id }) => id)).toEqual(['getUserById']);
  for (const operation of operations.filter(({ access, orMaster }) => access === 'user' && !orMaster)) {
    const path = pathOf(operation, crypto.randomUUID());
    const answer = await ask(operation, path, goodBody(operation), {
      authorization: `Bearer ${MASTER_TOKEN}`,
    });
    expect(answer.status, label(operation)).toBe(401);
  }
});

test('events of another tenant are neither pulled nor streamed, wherever one begins', async () => {
  const page = (await other.api.get('/events?after=0&limit=1000')).body;
  const own: string[] = page.events.map(({ id }: Json) => id);
  const foreign = (await owner.api.get('/events?after=0&limit=1000')).body.events.map(({ id }: Json) => id);
  expect(own.length).toBeGreaterThan(0);
  expect(own.filter((id) => foreign.includes(id))).toEqual([]);
  expect(page.events.map(({ device_id }: Json) => device_id)).not.toContain(owner.names.device);

  const stream = await EventStream.open(`${world.gateway.url}/events/stream?after=0`, {
    authorization: `Bearer ${other.token}`,
  });
  const streamed: string[] = [];
  while (streamed.length < own.length) streamed.push(JSON.parse((await stream.next()).data).id);
  expect(streamed).toEqual(own);
  // What comes live is told apart as well: the owner's message is the earlier one.
  await contact.sendText(`${owner.names.number}`, SECRET_TEXT);
  await until('the owner has the message', async () => {
    const { events } = (await owner.api.get(`/events?after=${page.next}`)).body;
    return events.some(({ data }: Json) => data.content === SECRET_TEXT);
  });
  await contact.sendText(`${other.names.number}`, 'for the other tenant');
  const live: string[] = [];
  while (!live.at(-1)?.includes('for the other tenant')) live.push((await stream.next()).data);
  await stream.close();
  for (const value of [SECRET_TEXT, owner.names.device, owner.names.tenant]) {
    expect(live.join()).not.toContain(value);
  }
});

test('a webhook of another tenant that a body or query names is unknown', async () => {
  const { webhook, delivery } = owner.names;
  for (const path of ['/webhook/test', '/webhook/replay']) {
    const body = { endpoint_id: webhook, after_seq: 0 };
    const answer = await other.api.post(path, body);
    const unknown = await other.api.post(path, { ...body, endpoint_id: `wh_${'0'.repeat(32)}` });
    expect([answer.status, answer.body.error]).toEqual([404, unknown.body.error]);
  }
  expect((await other.api.get(`/webhook/deliveries?endpoint_id=${webhook}`)).body.deliveries).toEqual([]);
  await owner.api.post('/webhook/test', {});
  const { next_cursor: cursor } = (await owner.api.get('/webhook/deliveries?limit=1')).body;
  expect(cursor).toEqual(expect.any(String));
  const page = (await other.api.get(`/webhook/deliveries?cursor=${encodeURIComponent(cursor)}`)).body;
  expect(page.deliveries.map(({ id }: Json) => id)).not.toContain(delivery);
  expect(page.deliveries.filter(({ webhook_id }: Json) => webhook_id === webhook)).toEqual([]);
});

test('receipts for any id: a foreign one is told nothing that an unknown one is not', async () => {
  const { sentMessage, receivedMessage, number } = owner.names;
  const state = async () => {
    const { timestamp, request_id, ...status } = (await owner.api.get(`/messages/${sentMessage}/status`))
      .body;
    return status;
  };
  const before = await state();
  const passing = operations.filter(({ id }) => TAKES_ANY_ID.has(id));
  expect(passing).toHaveLength(TAKES_ANY_ID.size);
  for (const operation of passing) await askForForeignIds(operation, [200]);
  const receipt = await contact.waitForReceipt(
    ({ messageId, type }) => messageId === receivedMessage && type === 'read',
  );
  expect(receipt.from).toBe(`${other.names.number}@s.whatsapp.net`);
  const byOwner = contact.receivedReceipts.filter(
    ({ type, from }) => type === 'read' && from === `${number}@s.whatsapp.net`,
  );
  expect(byOwner).toEqual([]);
  expect(await state()).toEqual(before);
});

test('nothing of the owner has changed', async () => {
  const { device, user, email, sentMessage = '', webhook, webhookUrl } = owner.names;
  expect((await owner.api.get('/devices')).body.devices).toEqual([
    expect.objectContaining({ id: device, connected: true }),
  ]);
  expect((await owner.api.get('/users')).body.users).toContainEqual(
    expect.objectContaining({ id: user, email, role: 'admin', active: true }),
  );
  expect((await owner.api.get('/webhooks')).body.webhooks).toContainEqual(
    expect.objectContaining({ id: webhook, webhook_url: webhookUrl, state: 'active' }),
  );
  const conversation = contact.conversation(`${owner.names.number}@s.whatsapp.net`);
  const message = conversation.find(({ id }) => id === sentMessage);
  expect(message).toMatchObject({ text: SECRET_TEXT, edited: false, revoked: false });
});
