/** A sandbox in the test's process, and one linked device in a gateway that runs in its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { Caller } from './api-traffic.ts';
import { GatewayChild, MAIN } from './gateway-child.ts';
import { qrToScan } from './qr-to-scan.ts';

const MASTER_TOKEN = '4f6b1c3a-77d4-4b43-8a53-1f1c1a0f3b52-child';

export class ChildWorld {
  readonly sandbox: Sandbox;
  readonly gateway: GatewayChild;
  readonly dataDir: string;
  readonly shop: Phone;
  readonly contact: Phone;
  readonly caller: Caller;
  readonly deviceId: string;
  readonly #folder: string;

  private constructor(parts: {
    sandbox: Sandbox;
    gateway: GatewayChild;
    folder: string;
    shop: Phone;
    contact: Phone;
    caller: Caller;
    deviceId: string;
  }) {
    this.sandbox = parts.sandbox;
    this.gateway = parts.gateway;
    this.#folder = parts.folder;
    this.dataDir = join(parts.folder, 'data');
    this.shop = parts.shop;
    this.contact = parts.contact;
    this.caller = parts.caller;
    this.deviceId = parts.deviceId;
  }

  static async create(): Promise<ChildWorld> {
    const sandbox = await startSandbox();
    const folder = await mkdtemp(join(tmpdir(), 'wuts-crash-'));
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
      },
    });
    gateway.spawn();
    if (!(await gateway.ready())) throw new Error(`the gateway ended with ${gateway.ending}`);
    const shop = await sandbox.createPhone({ number: '5511999995001', name: 'Shop' });
    const contact = await sandbox.createPhone({ number: '5511999995002', name: 'Contact' });
    const master = new Caller(gateway.url, MASTER_TOKEN);
    const registration = { tenant_name: 'child', email: 'a@child.example', password: 'a long passphrase' };
    const { token } = await master.must('POST', '/register', 201, registration);
    const caller = new Caller(gateway.url, token);
    const { device } = await caller.must('POST', '/devices', 201, { name: 'device' });
    const companion = await shop.scanQr(await qrToScan(caller, device.id));
    await shop.bootstrapped(companion.device);
    return new ChildWorld({ sandbox, gateway, folder, shop, contact, caller, deviceId: device.id });
  }

  /** The gateway's device, as the network names it. */
  get companion(): string {
    return `${this.shop.number}:${this.shop.companions[0]}@s.whatsapp.net`;
  }

  async destroy(): Promise<void> {
    await this.gateway.close();
    await this.sandbox.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
