/** What must hold of any session that another program had and that moves in: messages go on where they were. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Phone } from '@wuts/sandbox';
import { expect } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { StoredCredentials } from '../../../src/storage/credentials.ts';
import { decodeStoredValue } from '../../../src/whatsapp/baileys/connection/stored-values.ts';
import { type Answer, type Api, until, World } from '../../end-to-end/harness.ts';
import { archiveOf, filesOf, OtherProgram } from './other-program.ts';

export interface Town {
  world: World;
  token: string;
  api: Api;
  shop: Phone;
  ana: Phone;
  bia: Phone;
  group: string;
  folder: string;
  other: OtherProgram;
  destroy(): Promise<void>;
}

/** A shop whose phone is linked to the other program, which has written to people and groups and heard from them. */
export async function openTown(library: string): Promise<Town> {
  const world = await World.create();
  const token = await world.tenant('movers');
  const phone = (number: string, name: string) => world.sandbox.createPhone({ number, name });
  const shop = await phone('5511999996001', 'Shop');
  const ana = await phone('5511999996002', 'Ana');
  const bia = await phone('5511999996003', 'Bia');
  const { jid: group } = await ana.createGroup('Team', [shop, bia]);
  await shop.account.pinChat(ana, true);
  const folder = await mkdtemp(join(tmpdir(), 'wuts-test-other-'));
  const other = new OtherProgram(library, folder, world.sandbox);
  const destroy = async (): Promise<void> => {
    other.kill();
    await world.destroy();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const linked = await shop.scanQr(await other.qr());
    await other.told('that it is open', ({ type }) => type === 'open');
    await shop.bootstrapped(linked.device);
    for (const [at, person] of [ana, bia].entries()) {
      await person.sendText(shop, `hello ${at}`);
      await other.text(`hello ${at}`);
      await other.send(person.jid, `good day ${at}`);
      await person.waitForMessage(({ text }) => text === `good day ${at}`);
      // The answer to an answer is in a session that both sides know.
      await person.sendText(shop, `how are you ${at}`);
      await other.text(`how are you ${at}`);
      await other.send(person.jid, `fine ${at}`);
      await person.waitForMessage(({ text }) => text === `fine ${at}`);
    }
    await ana.sendText(group, 'team?');
    await other.text('team?');
    await other.send(group, 'present');
    await bia.waitForMessage(({ text }) => text === 'present');
  } catch (error) {
    await destroy();
    throw error;
  }
  return { world, token, api: world.as(token), shop, ana, bia, group, folder, other, destroy };
}

/** Hands in the archive for a new device. */
export async function handIn(
  { world, token, api }: Pick<Town, 'world' | 'token' | 'api'>,
  archive: Uint8Array,
  options: { deviceId?: string; fields?: Record<string, string> } = {},
): Promise<Answer & { deviceId: string }> {
  const deviceId = options.deviceId ?? (await api.post('/devices', { name: 'moved in' })).body.device.id;
  const form = new FormData();
  for (const [name, value] of Object.entries(options.fields ?? {})) form.set(name, value);
  form.set('file', new Blob([Buffer.from(archive)]), 'session.tar');
  const response = await fetch(`${world.gateway.url}/devices/${deviceId}/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    headers: response.headers,
    body: JSON.parse(bytes.toString()),
    bytes,
    deviceId,
  };
}

export function archived(town: Town, prefix = ''): Uint8Array {
  return archiveOf(filesOf(town.folder, prefix));
}

/** Messages in both directions, in chats and in the group, without a session being begun anew. */
export async function expectToGoOn(town: Town, deviceId: string, before: OpenSessions): Promise<void> {
  const { world, api, shop, ana, bia, group, token } = town;
  await world.untilConnected(token, deviceId);
  const begun: string[] = [];
  const unwatch = world.sandbox.network.onStanza((node, from) => {
    const name = `${from.user}:${from.device}`;
    if (node.tag === 'receipt' && node.attrs.type === 'retry') begun.push(`${name} asks again`);
    for (const to of beginningsIn(node)) {
      // The shop's own phone answers nobody, so whoever writes to it goes on beginning sessions with it.
      if (!ofPhone(to, shop)) begun.push(`${name} begins a session with ${to}`);
    }
  });
  try {
    for (const [at, person] of [ana, bia].entries()) {
      await person.sendText(shop, `still there ${at}`);
      await stored(api, `still there ${at}`);
      const sent = await api.post('/send/text', {
        number: person.number,
        text: `still here ${at}`,
        device_id: deviceId,
      });
      expect(sent.body).toMatchObject({ success: true });
      await person.waitForMessage(({ text }) => text === `still here ${at}`);
    }
    await ana.sendText(group, 'team again');
    await stored(api, 'team again');
    const toGroup = await api.post('/send/text', {
      number: group,
      text: 'present again',
      device_id: deviceId,
    });
    expect(toGroup.body).toMatchObject({ success: true });
    await bia.waitForMessage(({ text }) => text === 'present again');
  } finally {
    unwatch();
  }
  expect(begun).toEqual([]);
  expect([...ana.problems, ...bia.problems, ...shop.problems]).toEqual([]);
  const after = await openSessionsHere(world, deviceId, [...before.keys()]);
  for (const [address, baseKeys] of before) expect(baseKeys, address).toContain(after.get(address)?.[0]);
}

interface Node {
  tag: string;
  attrs: Record<string, string>;
  content?: unknown;
}

/** The devices that a stanza begins a session with. */
function beginningsIn(node: Node, to = node.attrs.jid ?? node.attrs.to ?? ''): string[] {
  if (node.tag === 'enc') return node.attrs.type === 'pkmsg' ? [to] : [];
  const children = Array.isArray(node.content) ? (node.content as Node[]) : [];
  return children.flatMap((child) => beginningsIn(child, child.attrs.jid ?? to));
}

function ofPhone(jid: string, { number, lid }: Phone): boolean {
  return jid === `${number}@s.whatsapp.net` || jid === lid;
}

async function stored(api: Api, text: string): Promise<void> {
  await until(`"${text}" is stored`, async () => {
    const { body } = await api.get('/messages?limit=50');
    return JSON.stringify(body).includes(`"${text}"`);
  });
}

/**
 * The base key of the open session, by address: it changes only when a session is begun anew. There are two where a
 * person's sessions were kept under number and LID.
 */
export type OpenSessions = Map<string, string[]>;

interface SessionJson {
  _sessions: Record<string, { indexInfo: { closed: number; baseKey: string } }>;
}

export function openSessions(records: Iterable<[string, SessionJson]>): OpenSessions {
  const found: OpenSessions = new Map();
  for (const [address, { _sessions }] of records) {
    const open = Object.values(_sessions).find(({ indexInfo }) => indexInfo.closed === -1);
    if (open) found.set(address, [...(found.get(address) ?? []), open.indexInfo.baseKey]);
  }
  return found;
}

/** As the folder has them; `named` says what an address is called here. */
export function openSessionsIn(folder: string, named = (address: string) => address): OpenSessions {
  const files = filesOf(folder).filter(({ path }) => path.startsWith('session-'));
  return openSessions(
    files.map(({ path, bytes }) => [
      named(path.slice('session-'.length, -'.json'.length)),
      JSON.parse(Buffer.from(bytes).toString()),
    ]),
  );
}

async function openSessionsHere(world: World, deviceId: string, addresses: string[]): Promise<OpenSessions> {
  const { db, vault } = world.gateway.parts;
  const row = await db.selectFrom('devices').selectAll().where('id', '=', deviceId).executeTakeFirstOrThrow();
  const device = { id: deviceId, tenantId: row.tenant_id };
  const keys = new StoredCredentials({ db, vault, clock: systemClock, device });
  const found = await keys.readKeys('session', addresses);
  return openSessions(
    [...found].map(([address, bytes]) => [
      address,
      decodeStoredValue('session', bytes) as unknown as SessionJson,
    ]),
  );
}
