/** Everything the story needs: the simulated network with its people, the gateway, and its callers. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { Api } from './api.ts';
import { GatewayProcess } from './gateway-process.ts';
import type { Sample } from './samples.ts';

/** A file that Carla sent and the shop's device received. */
export interface Received {
  id: string;
  sample: Sample;
  /** Where its encrypted copy lies on the CDN. */
  directPath: string;
}

interface StageHands {
  onCleanUp(undo: () => Promise<unknown>): void;
  onGateway(gateway: GatewayProcess): void;
}

/** What runs, and what it runs on. */
interface Platform {
  sandbox: Sandbox;
  gateway: GatewayProcess;
  dataDir: string;
  masterToken: string;
}

export class Stage {
  readonly sandbox: Sandbox;
  readonly dataDir: string;
  readonly gateway: GatewayProcess;
  readonly master: Api;
  /** The phones of two businesses, and of two people who write to them. */
  readonly shop: Phone;
  readonly bakery: Phone;
  readonly carla: Phone;
  readonly davi: Phone;
  /** Filled by the story's steps. */
  readonly facts = { deviceId: '', userId: '', textId: '', voiceId: '', received: [] as Received[] };
  #shopApi: Api | null = null;
  #bakeryApi: Api | null = null;

  private constructor(
    { sandbox, gateway, dataDir, masterToken }: Platform,
    people: { shop: Phone; bakery: Phone; carla: Phone; davi: Phone },
  ) {
    this.sandbox = sandbox;
    this.dataDir = dataDir;
    this.gateway = gateway;
    this.master = new Api(() => gateway.url, masterToken, '$MASTER_TOKEN');
    this.shop = people.shop;
    this.bakery = people.bakery;
    this.carla = people.carla;
    this.davi = people.davi;
  }

  /** Starts network and gateway; what has to be taken down again is handed over at once. */
  static async set({ onCleanUp, onGateway }: StageHands): Promise<Stage> {
    const starting = startSandbox({ companionRegRefresh: 'on_scan' });
    onCleanUp(async () => (await starting).stop());
    const sandbox = await starting;
    const dataDir = await mkdtemp(join(tmpdir(), 'wuts-demo-'));
    onCleanUp(() => rm(dataDir, { recursive: true, force: true }));
    const masterToken = randomBytes(32).toString('hex');
    const gateway = await GatewayProcess.create({
      WUTS_DATA_DIR: dataDir,
      WUTS_MASTER_TOKEN: masterToken,
      WUTS_LOG_FORMAT: 'json',
      WUTS_NETWORK_URL: sandbox.url,
      WUTS_NETWORK_ROOT_KEY: sandbox.rootKey,
      WUTS_NETWORK_CA_FILE: sandbox.caFile,
    });
    onCleanUp(() => gateway.close());
    onGateway(gateway);
    const person = (number: string, name: string) => sandbox.createPhone({ number, name });
    const [shop, bakery, carla, davi] = await Promise.all([
      person('5511999990001', 'Shop'),
      person('5511999990002', 'Bakery'),
      person('5511999990003', 'Carla'),
      person('5511999990004', 'Davi'),
    ]);
    await gateway.start();
    return new Stage({ sandbox, gateway, dataDir, masterToken }, { shop, bakery, carla, davi });
  }

  admit(tenant: 'shop' | 'bakery', token: string): Api {
    const shown = tenant === 'shop' ? '$TOKEN' : '$OTHER_TOKEN';
    const api = new Api(() => this.gateway.url, token, shown);
    if (tenant === 'shop') this.#shopApi = api;
    else this.#bakeryApi = api;
    return api;
  }

  get shopApi(): Api {
    if (!this.#shopApi) throw new Error('the shop is not registered yet');
    return this.#shopApi;
  }

  get bakeryApi(): Api {
    if (!this.#bakeryApi) throw new Error('the bakery is not registered yet');
    return this.#bakeryApi;
  }

  /** Downloads from the CDN since its log was cleared. */
  cdnDownloads(): string[] {
    return this.sandbox.cdn.log.filter((entry) => entry.method === 'GET').map((entry) => entry.path);
  }

  received(name: string): Received {
    const found = this.facts.received.find((each) => each.sample.name === name);
    if (!found) throw new Error(`no ${name} was received`);
    return found;
  }

  /** Deletes the files of the warm cache behind the gateway's back, as an operator short of disk may. */
  async emptyMediaCache(): Promise<number> {
    const entries = await readdir(this.dataDir, { recursive: true, withFileTypes: true });
    const blobs = entries.filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name));
    for (const blob of blobs) await rm(join(blob.parentPath, blob.name));
    return blobs.length;
  }
}
