import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlServer, startControl } from '../../src/control/control.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox.ts';
import { Client } from '../network/baileys-client.ts';

let sandbox: Sandbox;
let control: ControlServer;
beforeAll(async () => {
  sandbox = await startSandbox({ companionRegRefresh: 'never' });
  control = await startControl(sandbox);
});
afterAll(async () => {
  await control.stop();
  await sandbox.stop();
});

type Json = Record<string, unknown>;

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${control.url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

const ALICE = '5511999990001';
const BOB = '5511999990002';

describe('the control API', () => {
  test('says what is here', async () => {
    const { body } = await call('GET', '/');
    expect(body).toMatchObject({
      networkUrl: sandbox.url,
      rootKey: sandbox.rootKey,
      caFile: sandbox.caFile,
    });
  });

  test('makes phones that write to each other', async () => {
    expect((await call('POST', '/phones', { number: ALICE, name: 'Alice' })).body).toMatchObject({
      jid: `${ALICE}@s.whatsapp.net`,
      online: true,
      companions: [],
    });
    await call('POST', '/phones', { number: `+${BOB}`, name: 'Bob' });
    const sent = await call('POST', `/phones/${ALICE}/send`, { to: BOB, text: 'hello' });
    expect(sent.status).toBe(200);
    const file = randomBytes(100);
    await call('POST', `/phones/${ALICE}/send`, {
      to: BOB,
      type: 'document',
      base64: file.toString('base64'),
      fileName: 'x.bin',
    });
    await sandbox.phones[1]?.waitForMessage(({ kind }) => kind === 'document');
    const { body } = await call('GET', `/phones/${BOB}/inbox?chat=${ALICE}`);
    expect(body.messages).toMatchObject([
      { position: 1, id: sent.body.id, text: 'hello', kind: 'text' },
      { position: 2, kind: 'document', message: { documentMessage: { mediaKey: expect.any(String) } } },
    ]);
    await call('POST', `/phones/${BOB}/read`, { chat: ALICE, ids: [sent.body.id] });
    await sandbox.phones[0]?.waitForReceipt(({ type }) => type === 'read');
    expect(JSON.stringify((await call('GET', `/phones/${ALICE}/receipts`)).body)).toContain('"read"');
  });

  test('lets phones be hostile', async () => {
    const stanza = { tag: 'receipt', attrs: { from: `${ALICE}@s.whatsapp.net`, id: 'INJECTED', type: '@' } };
    const device = `${BOB}@s.whatsapp.net`;
    expect((await call('POST', '/hostile/stanza', { device, stanza })).status).toBe(200);
    await call('POST', `/phones/${ALICE}/hostile/receipt`, { to: BOB, type: 'retry', ids: ['A', 'B'] });
    await call('POST', `/phones/${ALICE}/hostile/push-name`, { name: 'call me @' });
    const made = { to: BOB, base64: Buffer.from([10, 2, 104, 105]).toString('base64') };
    const { body } = await call('POST', `/phones/${ALICE}/hostile/plaintext`, made);
    const bob = sandbox.phones.find(({ number }) => number === BOB);
    const message = await bob?.waitForMessage(({ id }) => id === body.id);
    expect(message?.text).toBe('hi');
    const receipts = (await call('GET', `/phones/${BOB}/receipts`)).body.receipts as Json[];
    expect(receipts.map(({ messageId }) => messageId)).toEqual(
      expect.arrayContaining(['INJECTED', 'A', 'B']),
    );
    expect((await call('POST', '/hostile/stanza', { device, stanza: { attrs: {} } })).status).toBe(400);
  });

  test('links companions, changes phones, makes groups', async () => {
    const client = new Client({
      url: sandbox.url,
      rootPublic: Buffer.from(sandbox.rootKey, 'hex'),
    }).connect();
    const linked = await call('POST', `/phones/${ALICE}/scan`, { qr: await client.qr() });
    expect(linked).toMatchObject({ status: 200, body: { device: 1 } });
    await client.end();
    const patched = await call('PATCH', `/phones/${ALICE}`, {
      mediaRetry: 'silent',
      receipts: { read: 'auto' },
      online: false,
    });
    expect(patched.body).toMatchObject({
      mediaRetry: 'silent',
      receipts: { delivered: true, read: 'auto' },
      online: false,
      companions: [1],
    });
    await call('PATCH', `/phones/${ALICE}`, { online: true });
    const group = await call('POST', '/groups', { by: ALICE, subject: 'Lunch', members: [BOB] });
    await call('POST', `/phones/${BOB}/send`, { to: group.body.jid, text: 'hi all' });
    await sandbox.phones[0]?.waitForMessage(({ chat }) => chat === group.body.jid);
  });

  test('breaks the CDN and the network on order', async () => {
    const objects = (await call('GET', '/cdn/objects')).body.objects as { path: string }[];
    const path = objects[0]?.path ?? '';
    await call('POST', '/cdn/expire', { path, status: 410 });
    expect(sandbox.cdn.object(path)?.fault).toEqual({ status: 410 });
    await call('POST', '/cdn/restore', { path });
    await call('POST', '/cdn/truncate', { path, bytes: 5 });
    expect(sandbox.cdn.object(path)?.fault).toEqual({ truncate: 5 });
    await call('POST', '/faults/latency', { ms: 2 });
    expect(sandbox.faults.latencyMs).toBe(2);
    await call('POST', '/faults/clear');
    expect(sandbox.faults.latencyMs).toBe(0);
    const away = await call('POST', '/faults/drop', { device: `${ALICE}:1@s.whatsapp.net` });
    expect(away.body.error).toMatch(/not attached/);
  });

  test('names what is wrong with a request', async () => {
    expect(await call('POST', `/phones/${ALICE}/send`, { to: BOB, type: 'telex' })).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/^type: one of text, image/) },
    });
    expect((await call('POST', `/phones/${ALICE}/scan`, { qr: 'nonsense' })).body.reason).toBe('invalid_qr');
    expect((await call('POST', '/phones', '{')).status).toBe(400);
    expect((await call('GET', '/phones/1')).status).toBe(404);
    expect((await call('GET', '/nothing')).status).toBe(404);
    expect((await call('DELETE', '/phones')).status).toBe(405);
    expect((await call('POST', '/cdn/expire', { path: '/v/none' })).status).toBe(400);
    const fromPage = await fetch(`${control.url}/phones`, { headers: { origin: 'https://example.com' } });
    expect(fromPage.status).toBe(403);
  });
});

test('changes of the account, a past and channels are ordered over the control API', async () => {
  const number = '5511999990077';
  await call('POST', '/phones', { number, name: 'Dora' });
  const done = [
    { change: 'pin', chat: ALICE },
    { change: 'mute', chat: ALICE, on: false },
    { change: 'contact', contact: ALICE, fullName: 'Alice A.' },
    { change: 'label', label: '2', name: 'Paid' },
    { change: 'label_chat', label: '2', chat: ALICE },
  ];
  for (const body of done) {
    expect((await call('POST', `/phones/${number}/account`, body)).status, body.change).toBe(200);
  }
  const { appState, newsletters } = sandbox.network;
  expect(appState.version(number, 'regular')).toBe(2);
  expect(appState.version(number, 'regular_low')).toBe(1);
  const unknown = await call('POST', `/phones/${number}/account`, { change: 'paint' });
  expect(unknown.status).toBe(400);

  const past = await call('POST', `/phones/${number}/past`, { chat: ALICE, count: 3 });
  expect(past.body.messages).toMatchObject([{ fromMe: false }, { fromMe: true }, { fromMe: false }]);

  const { jid } = (await call('POST', '/newsletters', { title: 'Offers' })).body;
  await call('POST', `/phones/${number}/account`, { change: 'follow', newsletter: jid });
  expect(newsletters.get(String(jid))?.followers.size).toBe(1);
  const update = { post: 7, views: 3, reactions: { '👍': 1 } };
  expect((await call('POST', `/newsletters/${jid}/update`, update)).status).toBe(200);
});

test('the command line runs a sandbox until it is told to stop', async () => {
  const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
  const ports = ['--port', '0', '--cdn-port', '0', '--control-port', '0'];
  const child = spawn(process.execPath, [cli, ...ports]);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  while (!output.includes('Ctrl-C stops it.')) {
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    expect(child.exitCode, output).toBe(null);
  }
  const caFile = /WUTS_NETWORK_CA_FILE=(.+)/.exec(output)?.[1] ?? '';
  expect(existsSync(caFile)).toBe(true);
  expect(output).toMatch(/WUTS_NETWORK_URL=ws:\/\/127\.0\.0\.1:\d+\/ws\/chat/);
  expect(output).toMatch(/WUTS_NETWORK_ROOT_KEY=[0-9a-f]{64}/);
  const url = /Control API: (\S+)/.exec(output)?.[1] ?? '';
  const phones = (await (await fetch(`${url}/phones`)).json()) as { phones: unknown[] };
  expect(phones.phones).toHaveLength(2);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(existsSync(caFile)).toBe(false);
});
