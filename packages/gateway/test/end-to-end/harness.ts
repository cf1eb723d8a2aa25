import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Phone, type Sandbox, type SandboxOptions, startSandbox } from '@wuts/sandbox';
import { type Clock, systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { createBaileysSessionFactory } from '../../src/whatsapp/baileys/session.ts';
import { forgiveStandstills } from '../worlds/standstills.ts';
import { until } from '../worlds/until.ts';

export { until };

export const MASTER_TOKEN = '6b1f1f7e-2a53-4c7e-9d61-6c1a1d7f0a11-master';

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON, or undefined when the answer was not JSON. */
  body: Json;
  bytes: Buffer;
}

/** JSON as a test walks it: whatever the parser gives. */
export type Json = ReturnType<typeof JSON.parse>;

/** One caller of the HTTP API. */
export class Api {
  readonly #base: string;
  readonly #token: string | null;

  constructor(base: string, token: string | null) {
    this.#base = base;
    this.#token = token;
  }

  get = (path: string, headers: Record<string, string> = {}) => this.call('GET', path, undefined, headers);
  post = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
    this.call('POST', path, body, headers);
  put = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    this.call('PUT', path, body, headers);
  delete = (path: string) => this.call('DELETE', path);

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.includes('application/json');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && bytes.length > 0 ? JSON.parse(bytes.toString('utf8')) : undefined,
      bytes,
    };
  }
}

/** How long the gateway waits for WhatsApp, in milliseconds. Does not outlive a restart of the gateway. */
interface Patience {
  ackTimeoutMs: number;
  queryTimeoutMs: number;
}

/** A sandbox network and a gateway with an empty data folder on it. */
export class World {
  readonly sandbox: Sandbox;
  readonly dataDir: string;
  readonly #clock: Clock | undefined;
  readonly #settings: Record<string, string>;
  gateway: Gateway;

  private constructor(
    sandbox: Sandbox,
    dataDir: string,
    gateway: Gateway,
    clock: Clock | undefined,
    settings: Record<string, string>,
  ) {
    this.sandbox = sandbox;
    this.dataDir = dataDir;
    this.gateway = gateway;
    this.#clock = clock;
    this.#settings = settings;
  }

  static async create(
    options: {
      clock?: Clock;
      sandbox?: SandboxOptions;
      settings?: Record<string, string>;
      patience?: Patience;
    } = {},
  ): Promise<World> {
    for (const ms of new Set(Object.values(options.patience ?? {}))) forgiveStandstills(ms);
    const sandbox = await startSandbox(options.sandbox ?? {});
    const dataDir = await mkdtemp(join(tmpdir(), 'wuts-test-'));
    const settings = options.settings ?? {};
    const gateway = await startGateway(sandbox, dataDir, options.clock, settings, options.patience);
    return new World(sandbox, dataDir, gateway, options.clock, settings);
  }

  /** Stops the gateway as SIGTERM does and starts a new one on the same data folder. */
  async restartGateway(settings: Record<string, string> = {}): Promise<void> {
    await this.gateway.stop();
    const all = { ...this.#settings, ...settings };
    this.gateway = await startGateway(this.sandbox, this.dataDir, this.#clock, all);
  }

  async destroy(): Promise<void> {
    await this.gateway.stop();
    await this.sandbox.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  get master(): Api {
    return new Api(this.gateway.url, MASTER_TOKEN);
  }

  as(token: string | null): Api {
    return new Api(this.gateway.url, token);
  }

  /** Registers a tenant; returns its first admin's token. */
  async tenant(name: string): Promise<string> {
    const answer = await this.master.post('/register', {
      tenant_name: name,
      email: `admin@${name}.example`,
      password: 'correct horse battery',
    });
    if (answer.status !== 201) throw new Error(`register: ${answer.status} ${answer.bytes}`);
    return answer.body.token;
  }

  /** Creates a device for the token and links it to the phone by QR; resolves once connected. */
  async linkByQr(token: string, phone: Phone): Promise<string> {
    const api = this.as(token);
    const created = await api.post('/devices', { name: `device of ${phone.name}` });
    const deviceId: string = created.body.device.id;
    const qr = await api.get(`/qr?device_id=${deviceId}`);
    if (qr.status !== 200) throw new Error(`qr: ${qr.status} ${qr.bytes}`);
    await phone.scanQr(qr.body.data.qr_code);
    await this.untilConnected(token, deviceId);
    return deviceId;
  }

  async untilConnected(token: string, deviceId: string): Promise<void> {
    await until(`device ${deviceId} is connected`, async () => {
      const status = await this.as(token).get(`/status?device_id=${deviceId}`);
      return status.body.data.connected === true;
    });
  }
}

async function startGateway(
  sandbox: Sandbox,
  dataDir: string,
  clock: Clock | undefined,
  settings: Record<string, string>,
  patience?: Patience,
): Promise<Gateway> {
  const config = loadConfig({
    WUTS_PORT: '0',
    WUTS_DATA_DIR: dataDir,
    WUTS_MASTER_TOKEN: MASTER_TOKEN,
    WUTS_LOG_LEVEL: process.env.WUTS_LOG_LEVEL ?? 'silent',
    WUTS_NETWORK_URL: sandbox.url,
    WUTS_NETWORK_ROOT_KEY: sandbox.rootKey,
    WUTS_NETWORK_CA_FILE: sandbox.caFile,
    ...settings,
  });
  const gateway = await createGateway(config, {
    ...(clock ? { clock } : {}),
    ...(patience
      ? {
          createSession: createBaileysSessionFactory({
            network: {
              url: config.network.url,
              rootKey: Buffer.from(sandbox.rootKey, 'hex'),
              caFile: sandbox.caFile,
            },
            log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
            clock: clock ?? systemClock,
            ...patience,
          }),
        }
      : {}),
  });
  await gateway.start();
  return gateway;
}

/** Resolves when the message has been reported as received. */
export async function untilReceived(api: Api, messageId: string): Promise<string> {
  await until(`message ${messageId} is stored`, async () => {
    const { body } = await api.get('/events?event=message.received&limit=200');
    return body.events.some((event: Json) => event.data.message_id === messageId);
  });
  return messageId;
}
