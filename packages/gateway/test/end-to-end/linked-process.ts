import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { GatewayProcess } from './gateway-process.ts';
import { Api, MASTER_TOKEN, until } from './harness.ts';

/** A gateway in a process of its own with one linked device, to be killed in the middle of something. */
export class LinkedProcess {
  readonly token: string;
  readonly contact: Phone;
  readonly #gateway: GatewayProcess;
  readonly #sandbox: Sandbox;
  readonly #dataDir: string;

  private constructor(
    gateway: GatewayProcess,
    sandbox: Sandbox,
    dataDir: string,
    token: string,
    contact: Phone,
  ) {
    this.#gateway = gateway;
    this.#sandbox = sandbox;
    this.#dataDir = dataDir;
    this.token = token;
    this.contact = contact;
  }

  static async start(): Promise<LinkedProcess> {
    const sandbox = await startSandbox({});
    const dataDir = await mkdtemp(join(tmpdir(), 'wuts-killed-'));
    const gateway = await GatewayProcess.on({ sandbox, dataDir }, MASTER_TOKEN);
    const { body } = await new Api(gateway.url, MASTER_TOKEN).post('/register', {
      tenant_name: 'killed',
      email: 'admin@killed.example',
      password: 'correct horse battery',
    });
    const api = new Api(gateway.url, body.token);
    const phone = await sandbox.createPhone({ number: '5511999994011', name: 'Shop' });
    const contact = await sandbox.createPhone({ number: '5511999994012', name: 'Friend' });
    const device = (await api.post('/devices', { name: 'one' })).body.device.id;
    await phone.scanQr((await api.get(`/qr?device_id=${device}`)).body.data.qr_code);
    await until('it is connected', async () => {
      return (await api.get(`/status?device_id=${device}`)).body.data.connected === true;
    });
    return new LinkedProcess(gateway, sandbox, dataDir, body.token, contact);
  }

  get api(): Api {
    return new Api(this.url, this.token);
  }

  get url(): string {
    return this.#gateway.url;
  }

  get pid(): number {
    return this.#gateway.pid;
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return this.#gateway.kill();
  }

  async destroy(): Promise<void> {
    await this.kill().catch(() => undefined);
    await this.#sandbox.stop();
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}
