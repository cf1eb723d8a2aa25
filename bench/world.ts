/** The network, a gateway and a bare client on it, each in its own process and linked to a phone of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayProcess, type HttpClient } from './gateway.ts';
import { nowMs, Part } from './processes/calls.ts';

/** The phone that the gateway is linked to, and the one of the bare client. */
export const WUTS_PHONE = '5511999990001';
export const BARE_PHONE = '5511999990002';
/** Those who write to them, and whom they write to. */
export const CONTACTS = Array.from({ length: 8 }, (_, index) => `551199998000${index + 1}`);

export interface World {
  dataDir: string;
  network: Part;
  bare: Part;
  receiver: Part;
  gateway: GatewayProcess;
  api: HttpClient;
  /** How what arrives is seen: pushed to the receiver, or in the pull API while there is no webhook. */
  webhook: boolean;
  /**
   * Stops the gateway and starts it again on its data, with `meanwhile` in between; `gateway` and `api` are those of
   * the new process. Resolves once its device is online, with the time at which the process was started.
   */
  restart(meanwhile?: () => Promise<void>): Promise<number>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  settings: Record<string, string>;
  profileDir: string | null;
}

export async function startWorld({ settings, profileDir }: WorldOptions): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'wuts-bench-'));
  const network = Part.start('network', { profileDir });
  const address = await network.call<{ url: string; rootKey: string; caFile: string }>('address');
  const bare = Part.start('bare', {
    env: { NETWORK_URL: address.url, ROOT_KEY: address.rootKey },
    profileDir,
  });
  const receiver = Part.start('receiver', { profileDir });
  const gateway = await GatewayProcess.start({ dataDir, network: address, settings, profileDir });
  const api = await gateway.tenant();
  for (const [index, number] of [WUTS_PHONE, BARE_PHONE, ...CONTACTS].entries()) {
    await network.call('phone', { number, name: `Phone ${index}` });
  }
  const device = await linkGateway(api, network);
  await network.call('scan', { number: BARE_PHONE, qr: await bare.call<string>('qr') });
  await bare.call('opened');
  const webhook = await subscribe(api, await receiver.call<string>('url'));
  const world: World = {
    dataDir,
    network,
    bare,
    receiver,
    gateway,
    api,
    webhook,
    async restart(meanwhile = async () => undefined) {
      await world.api.close();
      await world.gateway.stop();
      await meanwhile();
      const begun = nowMs();
      world.gateway = await GatewayProcess.start({ dataDir, network: address, settings, profileDir });
      world.api = world.api.at(world.gateway.url);
      await connected(world.api, device);
      return begun;
    },
    async stop() {
      await world.api.close();
      await Promise.all([world.gateway.stop(), bare.stop(), receiver.stop()]);
      await network.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return world;
}

async function linkGateway(api: HttpClient, network: Part): Promise<string> {
  const created = await api.ok('POST', '/devices', { name: 'bench' });
  const id: string = created.body.device.id;
  const qr = await api.ok('GET', `/qr?device_id=${id}`);
  await network.call('scan', { number: WUTS_PHONE, qr: qr.body.data.qr_code });
  await connected(api, id);
  return id;
}

async function connected(api: HttpClient, device: string): Promise<void> {
  for (;;) {
    const status = await api.ok('GET', `/status?device_id=${device}`);
    if (status.body.data.connected === true) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function subscribe(api: HttpClient, url: string): Promise<boolean> {
  const answer = await api.call('POST', '/webhook', {
    webhook_url: url,
    enabled_events: ['message.received'],
  });
  return answer.status === 200;
}
