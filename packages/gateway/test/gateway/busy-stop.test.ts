import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { createLog } from '../../src/observability/log.ts';
import { lockFolder } from '../../src/storage/database.ts';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { idleContacts, idleMessages, idleSession } from '../whatsapp/idle-session.ts';

const MASTER = 'Zk3Vx9qLw2Rt7Yp4Nb8Hs6Df1Gj5Mc0A';
const DEVICES = 30;

let dataDir: string;
let gateway: Gateway | null = null;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'wuts-stop-'));
});
afterEach(async () => {
  await gateway?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** Sessions that take a message, never say what became of it, and do not end when they are stopped. */
class StuckNetwork {
  sends = 0;
  opened = 0;
  /** What happened, in order. */
  readonly told: string[] = [];
  #allOpen: () => void = () => undefined;
  #allBusy: () => void = () => undefined;
  readonly open = new Promise<void>((resolve) => {
    this.#allOpen = resolve;
  });
  readonly busy = new Promise<void>((resolve) => {
    this.#allBusy = resolve;
  });

  readonly factory: SessionFactory = async ({ deviceId, report }) => ({
    ...idleSession({
      messages: {
        ...idleMessages,
        newId: () => `3EB0${randomUUID().replaceAll('-', '').slice(0, 18).toUpperCase()}`,
        send: () => {
          this.sends += 1;
          if (this.sends === DEVICES) this.#allBusy();
          return forever();
        },
      },
      contacts: {
        ...idleContacts,
        lookUpNumbers: async (numbers) =>
          numbers.map((number) => ({ number, exists: true, jid: `${number}@s.whatsapp.net`, lid: null })),
      },
    }),
    start: async () => {
      const jid = `49170${digitsOf(deviceId)}@s.whatsapp.net`;
      await report({ type: 'open', jid, lid: null, pushName: null });
      this.opened += 1;
      if (this.opened === DEVICES) this.#allOpen();
    },
    stop: () => {
      this.told.push('session');
      return forever();
    },
  });
}

const forever = (): Promise<never> => new Promise(() => undefined);
const digitsOf = (id: string): string => (Number.parseInt(id.slice(0, 8), 16) % 10_000_000).toString();

it('stops with 30 busy devices that do not end: all at once, each step within its limit, the database last', async () => {
  const network = new StuckNetwork();
  const log = createLog({
    level: 'info',
    format: 'json',
    destination: {
      write: (line: string) => {
        const { step, msg } = JSON.parse(line) as { step?: string; msg: string };
        if (step !== undefined) network.told.push(step);
        if (msg === 'the gateway has stopped') network.told.push('stopped');
      },
    },
  });
  const config = loadConfig({ WUTS_PORT: '0', WUTS_DATA_DIR: dataDir, WUTS_MASTER_TOKEN: MASTER });
  const first = await createGateway(config, { log, createSession: network.factory });
  gateway = first;
  await first.start();
  const token = await register(first);
  const devices = await Promise.all(Array.from({ length: DEVICES }, () => device(first, token)));
  await first.parts.db
    .updateTable('devices')
    .set({ state: 'connected', wanted: 1, jid: '491700000001@s.whatsapp.net' })
    .execute();
  await first.stop();
  network.told.length = 0;

  gateway = await createGateway(config, { log, createSession: network.factory });
  const busy = gateway;
  await busy.start();
  await network.open;
  const answers = Promise.allSettled(
    devices.map((id) =>
      post(busy, token, '/send/text', { to: '4915112345678', text: 'Hello', device_id: id }),
    ),
  );
  await network.busy;
  await busy.stop();

  expect(network.told.filter((each) => each === 'session')).toHaveLength(DEVICES);
  const steps = network.told.filter((each) => each !== 'session');
  // The sends never end, and nothing else is waited for that long.
  expect(steps.filter((each) => each !== 'devices')).toEqual(['requests', 'connections', 'stopped']);
  const sessions = network.told.flatMap((each, index) => (each === 'session' ? [index] : []));
  expect(network.told.indexOf('requests')).toBeLessThan(sessions[0] ?? -1);
  expect(sessions.at(-1)).toBeLessThan(network.told.indexOf('connections'));
  expect((await answers).map(({ status }) => status)).not.toContain('fulfilled');
  lockFolder(dataDir, 0)();
});

async function register(at: Gateway): Promise<string> {
  const response = await post(at, MASTER, '/register', {
    tenant_name: 'acme',
    email: 'a@b.example',
    password: 'correct horse battery',
  });
  return ((await response.json()) as { token: string }).token;
}

async function device(at: Gateway, token: string): Promise<string> {
  const response = await post(at, token, '/devices', { name: 'phone' });
  return ((await response.json()) as { device: { id: string } }).device.id;
}

function post(at: Gateway, token: string, path: string, body: unknown): Promise<Response> {
  return fetch(`${at.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
