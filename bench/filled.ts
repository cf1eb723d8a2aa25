/** A gateway whose one device, which is not linked, has a large store: what lists and look-ups cost by its size. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DATABASE_FILE } from '../packages/gateway/src/storage/database.ts';
import { GatewayProcess, type HttpClient } from './gateway.ts';

/** Writes so many rows for the device into the database file, beside the running gateway. */
export type Fill = (file: string, deviceId: string, count: number) => void | Promise<void>;

export class Filled {
  readonly api: HttpClient;
  readonly count: number;
  readonly #gateway: GatewayProcess;
  readonly #dataDir: string;

  private constructor(api: HttpClient, count: number, gateway: GatewayProcess, dataDir: string) {
    this.api = api;
    this.count = count;
    this.#gateway = gateway;
    this.#dataDir = dataDir;
  }

  static async create(count: number, fill: Fill): Promise<Filled> {
    const dataDir = await mkdtemp(join(tmpdir(), 'wuts-bench-filled-'));
    const gateway = await GatewayProcess.start({ dataDir });
    const api = await gateway.tenant();
    const created = await api.ok('POST', '/devices', { name: 'bench' });
    await fill(join(dataDir, DATABASE_FILE), created.body.device.id, count);
    return new Filled(api, count, gateway, dataDir);
  }

  async stop(): Promise<void> {
    await this.api.close();
    await this.#gateway.stop();
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}
