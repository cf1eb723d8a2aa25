/** A session that moves in while the line is cut, or the gateway is killed: it is here whole, or not at all. */
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { GatewayProcess } from '../../end-to-end/gateway-process.ts';
import { Api, MASTER_TOKEN, until } from '../../end-to-end/harness.ts';
import { archived, expectToGoOn, type OpenSessions, openSessionsIn, openTown, type Town } from './goes-on.ts';
import { setWrittenAt } from './other-program.ts';

const HOUR = 3_600_000;

let town: Town;
let before: OpenSessions;
let archive: Uint8Array;
let deviceId: string;
let gateway: GatewayProcess;
/** Where the gateway puts what comes in: in its own folder, since it holds keys in clear. */
let uploads: string;

beforeAll(async () => {
  town = await openTown('baileys');
  await town.other.end();
  setWrittenAt(town.folder, Date.now() - HOUR);
  before = openSessionsIn(town.folder);
  archive = archived(town);
  deviceId = (await town.api.post('/devices', { name: 'moved in' })).body.device.id;
  await town.world.gateway.stop();
  uploads = join(town.world.dataDir, 'scratch');
  gateway = await started();
});
afterEach(async () => {
  await gateway.kill();
});
afterAll(async () => {
  await gateway?.kill();
  await town.destroy();
});

function started(): Promise<GatewayProcess> {
  const { sandbox, dataDir } = town.world;
  return GatewayProcess.on({ sandbox, dataDir }, MASTER_TOKEN);
}

const status = async () =>
  (await new Api(gateway.url, town.token).get(`/status?device_id=${deviceId}`)).body.data;
const coming = () => readdir(uploads).catch(() => [] as string[]);

function keysHere(): number {
  const database = new SqliteDatabase(join(town.world.dataDir, 'wuts.db'), { readonly: true });
  try {
    return database.prepare('select count(*) from signal_keys').pluck().get() as number;
  } finally {
    database.close();
  }
}

/** The request that hands the archive in, as bytes. */
function request(): Buffer {
  const line = '--limit';
  const head = `${line}\r\ncontent-disposition: form-data; name="file"; filename="session.tar"\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), archive, Buffer.from(`\r\n${line}--\r\n`)]);
  const lines = [
    `POST /devices/${deviceId}/import HTTP/1.1`,
    'host: gateway',
    `authorization: Bearer ${town.token}`,
    'content-type: multipart/form-data; boundary=limit',
    `content-length: ${body.length}`,
    '',
    '',
  ];
  return Buffer.concat([Buffer.from(lines.join('\r\n')), body]);
}

/** Sends so much of the request; the connection is left open. */
async function sent(bytes: Uint8Array) {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  return socket;
}

test('an upload that is cut leaves nothing', async () => {
  const all = request();
  const socket = await sent(all.subarray(0, all.length - 1000));
  await until('some of it is here', async () => (await coming()).length > 0);
  socket.destroy();
  await until('it is gone', async () => (await coming()).length === 0);
  expect(await status()).toMatchObject({ status: 'new', is_logged_in: false, jid: null });
  expect(keysHere()).toBe(0);
});

test('killed while it comes, nothing of it is there after the start', async () => {
  gateway = await started();
  const all = request();
  await sent(all.subarray(0, all.length - 1000));
  await until('some of it is here', async () => (await coming()).length > 0);
  await gateway.kill();
  expect(await coming()).not.toEqual([]);
  gateway = await started();
  expect(await coming()).toEqual([]);
  expect(await status()).toMatchObject({ status: 'new', is_logged_in: false, jid: null });
  expect(keysHere()).toBe(0);
});

test('killed as soon as it is written, it goes on after the start, although WhatsApp is not there at first', async () => {
  gateway = await started();
  town.world.sandbox.faults.refuseLogin(503, { number: town.shop.number });
  await sent(request());
  await until('it is written', async () => keysHere() > 0);
  await gateway.kill();
  // Keys, credentials and the device's state are one commit.
  const written = keysHere();
  await town.world.restartGateway();
  expect(keysHere()).toBe(written);
  const { body } = await town.world.as(town.token).get(`/status?device_id=${deviceId}`);
  expect(body.data).toMatchObject({ is_logged_in: true, jid: town.shop.jid });
  town.world.sandbox.faults.clear();
  await expectToGoOn({ ...town, api: town.world.as(town.token) }, deviceId, before);
});
