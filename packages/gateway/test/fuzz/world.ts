/** A gateway in its own process with two tenants, honest and hostile phones, and what must hold afterwards. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { Caller } from '../crash/api-traffic.ts';
import { GatewayChild, MAIN } from '../crash/gateway-child.ts';
import { qrToScan } from '../crash/qr-to-scan.ts';
import { harmless, type OddRequest, type Operation } from './requests.ts';

const MASTER_TOKEN = '4f6b1c3a-77d4-4b43-8a53-1f1c1a0f3b52-fuzz';
/** How long the next good message may take. Hundreds of times what it takes on a busy machine. */
const GOOD_MESSAGE_MS = 60_000;
const BYSTANDER_MS = 30_000;
/** What asks WhatsApp for the account's state is told once the history that came before is stored, or given up. */
const ASKING_MS = 180_000;
const LOOK_AGAIN_MS = 50;

export class FuzzWorld {
  readonly sandbox: Sandbox;
  readonly shop: Phone;
  readonly honest: Phone;
  readonly mallory: Phone;
  readonly group: { readonly jid: string };
  readonly deviceId: string;
  readonly operations: readonly Operation[];
  readonly #parts: Parts;
  #goodMessages = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.sandbox = parts.sandbox;
    this.shop = parts.shop;
    this.honest = parts.honest;
    this.mallory = parts.mallory;
    this.group = parts.group;
    this.deviceId = parts.deviceId;
    this.operations = parts.operations;
  }

  static async create(): Promise<FuzzWorld> {
    const sandbox = await startSandbox({ companionRegRefresh: 'never' });
    const folder = await mkdtemp(join(tmpdir(), 'wuts-fuzz-'));
    const hook = await WebhookInbox.start();
    const gateway = await GatewayChild.create({
      command: [MAIN, 'serve'],
      logFile: join(folder, 'gateway.log'),
      settings: {
        WUTS_DATA_DIR: join(folder, 'data'),
        WUTS_MASTER_TOKEN: MASTER_TOKEN,
        WUTS_LOG_LEVEL: 'warn',
        WUTS_NETWORK_URL: sandbox.url,
        WUTS_NETWORK_ROOT_KEY: sandbox.rootKey,
        WUTS_NETWORK_CA_FILE: sandbox.caFile,
        WUTS_ALLOW_NETWORKS: '127.0.0.0/8',
      },
    });
    gateway.spawn();
    if (!(await gateway.ready())) throw new Error(`the gateway ended with ${gateway.ending}`);
    const [shop, honest, mallory] = await Promise.all([
      sandbox.createPhone({ number: '5511999997001', name: 'Shop' }),
      sandbox.createPhone({ number: '5511999997002', name: 'Honest' }),
      sandbox.createPhone({ number: '5511999997003', name: 'Mallory' }),
    ]);
    const group = await mallory.createGroup('fuzz', [shop, honest]);
    const master = new Caller(gateway.url, MASTER_TOKEN);
    const tenant = async (name: string): Promise<Caller> => {
      const email = `a@${name}.example`;
      const body = { tenant_name: name, email, password: 'a long passphrase' };
      return new Caller(gateway.url, (await master.must('POST', '/register', 201, body)).token);
    };
    const [caller, bystander] = [await tenant('fuzzed'), await tenant('bystander')];
    const { device } = await caller.must('POST', '/devices', 201, { name: 'device' });
    await caller.must('POST', '/webhook', 200, {
      device_id: device.id,
      webhook_url: hook.url,
      enabled_events: ['message.received'],
    });
    const companion = await shop.scanQr(await qrToScan(caller, device.id));
    await shop.bootstrapped(companion.device);
    const document = await master.must('GET', '/openapi.json', 200);
    const operations = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    );
    return new FuzzWorld({
      sandbox,
      folder,
      hook,
      gateway,
      shop,
      honest,
      mallory,
      group,
      caller,
      bystander,
      deviceId: device.id,
      operations: harmless(operations),
    });
  }

  /** The gateway's device, as the network names it. */
  get companion(): string {
    return `${this.shop.number}:${this.shop.companions[0]}@s.whatsapp.net`;
  }

  /** Resident memory of the gateway in MiB; 0 where the system does not tell. */
  get memory(): number {
    try {
      const status = readFileSync(`/proc/${this.#parts.gateway.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    } catch {
      return 0;
    }
  }

  /** The last lines of the gateway's log. */
  log(lines = 12): string {
    const text = readFileSync(join(this.#parts.folder, 'gateway.log'), 'utf8');
    return text.trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** The status of the answer; rejects when there is none. */
  async request({ method, path, headers, body, asks = false }: OddRequest): Promise<number> {
    const { gateway, caller } = this.#parts;
    const init = body === undefined ? {} : { body };
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${caller.token}` },
      signal: AbortSignal.timeout(asks ? ASKING_MS : BYSTANDER_MS),
      ...init,
    }).catch((error: unknown) => {
      // Streams of events have no end.
      if (error instanceof Error && error.name === 'TimeoutError' && path.startsWith('/events')) return null;
      throw error;
    });
    await response?.body?.cancel();
    return response?.status ?? 200;
  }

  /** Throws when a promise is broken: the first that is, in a few words. */
  async assertWell(): Promise<void> {
    const { gateway, caller, bystander, hook } = this.#parts;
    if (!gateway.running) throw new Error(`the gateway ended with ${gateway.ending}`);
    const other = await within(BYSTANDER_MS, bystander.call('GET', '/devices')).catch(() => null);
    if (other?.status !== 200) throw new Error(`the bystander got ${other?.status ?? 'no answer'}`);
    this.#goodMessages += 1;
    const text = `good message ${this.#goodMessages} of ${process.pid}`;
    await this.honest.sendText(this.shop, text);
    const deadline = Date.now() + GOOD_MESSAGE_MS;
    for (;;) {
      const stored = await within(BYSTANDER_MS, caller.call('GET', `/messages?limit=20`)).catch(() => null);
      const isStored = stored?.bytes.includes(text) ?? false;
      if (isStored && hook.has(text)) break;
      if (Date.now() > deadline) {
        const connected = this.sandbox.online(this.companion);
        throw new Error(
          `the next good message is ${isStored ? 'stored and not delivered' : 'not stored'}; ` +
            `the device is ${connected ? 'connected' : 'not connected'}, GET /messages ${stored?.status ?? 'no answer'}`,
        );
      }
      await pause(LOOK_AGAIN_MS);
    }
    if (!this.sandbox.online(this.companion)) throw new Error('the device is not connected');
  }

  async destroy(): Promise<void> {
    const { gateway, hook, sandbox, folder } = this.#parts;
    await gateway.close();
    await hook.stop();
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Parts {
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly hook: WebhookInbox;
  readonly gateway: GatewayChild;
  readonly shop: Phone;
  readonly honest: Phone;
  readonly mallory: Phone;
  readonly group: { readonly jid: string };
  readonly caller: Caller;
  readonly bystander: Caller;
  readonly deviceId: string;
  readonly operations: readonly Operation[];
}

/** Takes every delivery and remembers what it said. */
class WebhookInbox {
  readonly url: string;
  readonly #server: Server;
  readonly #taken: string[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}/hook`;
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.#taken.push(Buffer.concat(chunks).toString('utf8'));
        response.writeHead(204).end();
      });
    });
  }

  static async start(): Promise<WebhookInbox> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new WebhookInbox(server, address.port);
  }

  has(text: string): boolean {
    return this.#taken.some((body) => body.includes(text));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const abort = new AbortController();
  const late = pause(milliseconds, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`no answer within ${milliseconds} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    abort.abort();
    late.catch(() => undefined);
  }
}
