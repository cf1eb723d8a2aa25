import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { Api, type Json, MASTER_TOKEN, until } from '../end-to-end/harness.ts';
import { jpeg, sha256 } from '../end-to-end/samples.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');

/** A child process that speaks in lines. */
class Lines {
  readonly child: ChildProcess;
  readonly seen: string[] = [];
  #waiting: (() => void)[] = [];

  constructor(command: string, args: string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
      // A group of its own: npm starts a shell that starts node, and all of them have to end.
      detached: true,
    });
    const wake = () => {
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    this.child.once('exit', wake);
    if (!this.child.stdout) throw new Error('no stdout');
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.seen.push(line);
      wake();
    });
  }

  async find<T>(pick: (line: string) => T | null | undefined): Promise<T> {
    for (let index = 0; ; index += 1) {
      while (index >= this.seen.length) {
        if (this.child.exitCode !== null) throw new Error(`the process ended:\n${this.seen.join('\n')}`);
        await new Promise<void>((wake) => this.#waiting.push(wake));
      }
      const picked = pick(this.seen[index] ?? '');
      if (picked) return picked;
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = new Promise((end) => this.child.once('exit', end));
    if (this.child.pid) process.kill(-this.child.pid, 'SIGTERM');
    await ended;
  }
}

let sandbox: Lines;
let client: Lines;
let gateway: Gateway;
let dataDir: string;
let control: Api;
let network: { url: string; rootKey: string; caFile: string };

beforeAll(async () => {
  const ports = ['--port', '0', '--cdn-port', '0', '--control-port', '0'];
  sandbox = new Lines('npm', ['run', '--silent', 'sandbox', '--', ...ports], {});
  const setting = (name: string) =>
    sandbox.find((line) => (line.trim().startsWith(`${name}=`) ? line.trim().slice(name.length + 1) : null));
  network = {
    url: await setting('WUTS_NETWORK_URL'),
    rootKey: await setting('WUTS_NETWORK_ROOT_KEY'),
    caFile: await setting('WUTS_NETWORK_CA_FILE'),
  };
  control = new Api(await sandbox.find((line) => /Control API: (\S+)/.exec(line)?.[1]), null);
  dataDir = await mkdtemp(join(tmpdir(), 'wuts-interop-'));
  const config = loadConfig({
    WUTS_PORT: '0',
    WUTS_DATA_DIR: dataDir,
    WUTS_MASTER_TOKEN: MASTER_TOKEN,
    WUTS_LOG_LEVEL: 'silent',
    WUTS_NETWORK_URL: network.url,
    WUTS_NETWORK_ROOT_KEY: network.rootKey,
    WUTS_NETWORK_CA_FILE: network.caFile,
  });
  gateway = await createGateway(config);
  await gateway.start();
});

afterAll(async () => {
  await client?.stop();
  await gateway?.stop();
  await sandbox?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

test('an unmodified Baileys client links to `npm run sandbox` and exchanges a text and an image with a gateway device', async () => {
  const tenant = { tenant_name: 'interop', email: 'a@interop.example', password: 'correct horse battery' };
  const registered = await new Api(gateway.url, MASTER_TOKEN).post('/register', tenant);
  const api = new Api(gateway.url, registered.body.token);
  const qr = (await api.get('/qr')).body.data.qr_code;
  expect((await control.post('/phones/5511999990001/scan', { qr })).status).toBe(200);
  await until(
    'the gateway is connected',
    async () => (await api.get('/status')).body.data.connected === true,
  );

  const script = 'packages/gateway/test/interop/plain-client.ts';
  client = new Lines(process.execPath, [script], {
    NETWORK_URL: network.url,
    ROOT_KEY: network.rootKey,
    NODE_EXTRA_CA_CERTS: network.caFile,
  });
  const said = (pick: (line: Json) => Json) =>
    client.find((line) => (line.startsWith('{') ? pick(JSON.parse(line)) : null));
  const clientQr = await said((line) => line.qr);
  expect((await control.post('/phones/5511999990002/scan', { qr: clientQr })).status).toBe(200);
  await said((line) => line.open);
  const tell = (send: object) => client.child.stdin?.write(`${JSON.stringify({ send })}\n`);

  // Gateway to client: text and image.
  const text = await api.post('/send/text', { number: '5511999990002', text: 'hello, client' });
  expect(text.status).toBe(200);
  const gotText = await said((line) => line.message?.id === text.body.message_id && line.message);
  expect(gotText.text).toBe('hello, client');
  const picture = await jpeg();
  const image = await api.post('/send/image', { number: '5511999990002', image: picture.toString('base64') });
  const gotImage = await said((line) => line.message?.id === image.body.message_id && line.message);
  expect(sha256(Buffer.from(gotImage.image, 'base64'))).toBe(sha256(picture));

  // Client to gateway: text and image.
  const reply = await jpeg();
  tell({ to: '5511999990001@s.whatsapp.net', text: 'a picture', image: reply.toString('base64') });
  const sentId: string = await said((line) => line.sent);
  const media = await until('the gateway has the picture', async () => {
    const answer = await api.get(`/messages/${sentId}/media`);
    return answer.status === 200 && answer;
  });
  expect(sha256(media.bytes)).toBe(sha256(reply));
  tell({ to: '5511999990001@s.whatsapp.net', text: 'hello, gateway' });
  const plainId: string = await said((line) => line.sent !== sentId && line.sent);
  await until('the gateway has the text', async () => {
    const answer = await api.get(`/messages/${plainId}/media`);
    return answer.body?.error_code === 'MEDIA_NOT_FOUND';
  });
  expect((await api.get(`/messages/${text.body.message_id}/status`)).body.status).toBe('delivered');
});
