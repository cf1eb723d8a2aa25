/** What callers are told while the connection to WhatsApp dies. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { createBaileysSessionFactory } from '../../src/whatsapp/baileys/session.ts';
import { holdTimers } from '../worlds/held-timers.ts';
import { BadRoad } from './bad-road.ts';
import { Api, type Json, MASTER_TOKEN, until } from './harness.ts';

/** A dead connection is found after so long without an answer, and as long again without one to a ping. */
const PATIENCE_MS = 1_501;
const patience = holdTimers(PATIENCE_MS);
const SENDS = 20;

let sandbox: Sandbox;
let road: BadRoad;
let dataDir: string;
let gateway: Gateway;
let api: Api;
let shop: Phone;
let contact: Phone;
let companion: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  road = await BadRoad.build();
  dataDir = await mkdtemp(join(tmpdir(), 'wuts-test-'));
  const url = road.leadTo(sandbox.url);
  const config = loadConfig({
    WUTS_PORT: '0',
    WUTS_DATA_DIR: dataDir,
    WUTS_MASTER_TOKEN: MASTER_TOKEN,
    WUTS_LOG_LEVEL: process.env.WUTS_LOG_LEVEL ?? 'silent',
    WUTS_NETWORK_URL: url,
    WUTS_NETWORK_ROOT_KEY: sandbox.rootKey,
    WUTS_NETWORK_CA_FILE: sandbox.caFile,
    WUTS_PACE_PER_MINUTE: '0',
  });
  const createSession = createBaileysSessionFactory({
    network: { url, rootKey: Buffer.from(sandbox.rootKey, 'hex'), caFile: sandbox.caFile },
    log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
    clock: systemClock,
    ackTimeoutMs: PATIENCE_MS,
    queryTimeoutMs: PATIENCE_MS,
  });
  gateway = await createGateway(config, { createSession });
  await gateway.start();
  const master = new Api(gateway.url, MASTER_TOKEN);
  const registered = await master.post('/register', {
    tenant_name: 'road',
    email: 'admin@road.example',
    password: 'correct horse battery',
  });
  api = new Api(gateway.url, registered.body.token);
  shop = await sandbox.createPhone({ number: '5511999993001', name: 'Shop' });
  contact = await sandbox.createPhone({ number: '5511999993002', name: 'Contact' });
  const { body } = await api.post('/devices', { name: 'shop' });
  const qr = await api.get(`/qr?device_id=${body.device.id}`);
  await shop.scanQr(qr.body.data.qr_code);
  await connected();
  companion = `${shop.number}:${shop.companions[0]}@s.whatsapp.net`;
});
afterAll(async () => {
  await gateway.stop();
  await road.close();
  await sandbox.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const connected = () =>
  until('the device is connected', async () => (await api.get('/status')).body.data.connected === true);

/** As long as the road is bad, nothing is answered any more, however long that is waited for. */
const waitInVain = () => {
  if (road.passage !== 'open') patience.fire();
};
const disconnected = () =>
  until('the device is not connected', async () => {
    waitInVain();
    return (await api.get('/status')).body.data.connected === false;
  });

/** What `work` comes to. */
async function answered<T>(work: Promise<T>): Promise<T> {
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  await until('all is answered', () => {
    waitInVain();
    return over;
  });
  return ended;
}

async function send(text: string, to = contact.number): Promise<{ status: number; body: Json }> {
  return api.post('/send/text', { number: to, text });
}

test.each([
  ['freezes', () => (road.passage = 'frozen')],
  ['loses what we send', () => (road.passage = 'loses requests')],
  ['loses what we should hear', () => (road.passage = 'loses answers')],
  ['is reset', () => road.reset()],
  ['is closed by the server', () => sandbox.faults.drop(companion)],
  ['ends with a stream error', () => sandbox.faults.streamError(companion, 503)],
  [
    'ends with a stream error whose close is lost',
    () => {
      sandbox.faults.streamError(companion, 503);
      setImmediate(() => (road.passage = 'frozen'));
    },
  ],
])('a connection that %s: no send ends as our failure, none is a lie', async (_how, breaks) => {
  await connected();
  await sandbox.waitForOnline(companion);
  expect((await send('before')).status).toBe(200);
  const { body: later } = await api.post('/send/text', {
    number: contact.number,
    text: 'at its time',
    send_at: new Date(Date.now() + 1_000).toISOString(),
  });
  // Its members are not known yet: this send begins with a question.
  const { jid: group } = await shop.createGroup('Team', [contact]);
  breaks();
  const half = Array.from({ length: SENDS / 2 }, (_, n) =>
    send(`at once ${n}`, n % 2 === 0 ? group : undefined),
  );
  const answers: Awaited<ReturnType<typeof send>>[] = [];
  for (let n = half.length; n < SENDS; n += 1) answers.push(await answered(send(`one by one ${n}`)));
  answers.push(...(await answered(Promise.all(half))));
  if (road.passage !== 'open') {
    await disconnected();
    road.passage = 'open';
    // What it lost is lost: nobody waits for it on a connection from before.
    road.reset();
  }
  // Not to wait for the back-off, which grows with every row of this table.
  await until('a connection is asked for', async () => (await api.post('/connect')).status < 400);
  await connected();
  await sandbox.waitForOnline(companion);

  const codes = answers.map(({ status, body }) => `${status} ${body.error_code ?? ''}`);
  for (const code of codes) {
    expect(['200 ', '503 DEVICE_NOT_READY', '504 WHATSAPP_TIMEOUT'], codes.join()).toContain(code);
  }
  const states = new Map<string, string>();
  for (const { status, body } of answers) {
    if (!body.message_id) continue;
    const row = await api.get(`/messages/${body.message_id}/status`);
    states.set(body.message_id, `${status} ${row.body.status}`);
    if (status === 200) await contact.waitForMessage(({ id }) => id === body.message_id);
  }
  const arrived = new Set(contact.inbox.map(({ id }) => id));
  for (const [id, state] of states) {
    if (state.endsWith('failed')) expect(arrived.has(id), state).toBe(false);
    else if (!arrived.has(id)) expect(state).toMatch(/^50[34] pending$/);
  }
  // What was to leave meanwhile has waited for the connection.
  await until('the scheduled message is sent', async () => {
    const job = await api.get(`/jobs/${later.job_id}`);
    return (job.body.job ?? job.body).state === 'sent' || (job.body.job ?? job.body).status === 'sent';
  });
});
