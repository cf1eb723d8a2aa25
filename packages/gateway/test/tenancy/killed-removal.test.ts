/** The removal of a device goes on after a kill, for which no step of a stop was run. */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { GatewayProcess } from '../end-to-end/gateway-process.ts';
import { Api, MASTER_TOKEN, until, World } from '../end-to-end/harness.ts';
import { fillDevice } from './much-data.ts';

let world: World | undefined;
let killed: GatewayProcess | undefined;
afterEach(async () => {
  await killed?.kill();
  await world?.destroy();
});

test('a device with much data, killed in the middle, is gone after the next start', async () => {
  world = await World.create();
  const { sandbox, dataDir } = world;
  const phone = await sandbox.createPhone({ number: '5511999995041', name: 'Much' });
  const token = await world.tenant('killed-removal');
  const device = await world.linkByQr(token, phone);
  await fillDevice(world.gateway, device, 'thylacine');
  await world.gateway.stop();

  killed = await GatewayProcess.on({ sandbox, dataDir }, MASTER_TOKEN);
  const api = new Api(killed.url, token);
  await until('it is connected again', async () => {
    return (await api.get(`/status?device_id=${device}`)).body.data.connected === true;
  });
  const watcher = new Sqlite(join(dataDir, 'wuts.db'), { readonly: true });
  const rows = (): number =>
    watcher.prepare('select count(*) from receipts where device_id = ?').pluck().get(device) as number;
  try {
    const stored = rows();
    const answer = api.delete(`/devices/${device}?remove=true`).catch(() => null);
    await until('the removal has begun', async () => rows() < stored);
    await killed.kill();
    await answer;
    expect(rows()).toBeGreaterThan(0);

    await world.restartGateway();
    expect((await world.as(token).get('/devices')).body.devices).toEqual([]);
    await world.gateway.parts.deletions.idle();
    expect(rows()).toBe(0);
  } finally {
    watcher.close();
  }
});
