/** A shop that is linked, three people, and groups that the shop makes with two of them. */
import type { Phone } from '@wuts/sandbox';
import { expect } from 'vitest';
import { type Api, type Json, until, World } from '../harness.ts';

export interface Team {
  world: World;
  /** Of the tenant's admin. */
  token: string;
  /** With that token. */
  api: Api;
  shop: Phone;
  ana: Phone;
  bia: Phone;
  caio: Phone;
}

/** `options` are those of the gateway. */
export async function startTeam(
  options: Parameters<typeof World.create>[0] = { settings: { WUTS_PACE_PER_MINUTE: '0' } },
): Promise<Team> {
  const world = await World.create(options);
  const phone = (number: string, name: string) => world.sandbox.createPhone({ number, name });
  const shop = await phone('5511999992001', 'Shop');
  const ana = await phone('5511999992002', 'Ana');
  const bia = await phone('5511999992003', 'Bia');
  const caio = await phone('5511999992004', 'Caio');
  const token = await world.tenant('changes-groups');
  await world.linkByQr(token, shop);
  return { world, token, api: world.as(token), shop, ana, bia, caio };
}

/** A new group of the shop's, with Ana and Bia in it. */
export async function makeGroup({ api, ana, bia }: Team): Promise<string> {
  const { status, body } = await api.post('/groups', {
    name: 'Team',
    participants: [ana.number, `+${bia.number.slice(0, 2)} ${bia.number.slice(2)}`],
  });
  expect(status, JSON.stringify(body)).toBe(201);
  return body.group.jid;
}

/** A member as the API shows it. */
export function memberOf(phone: Phone, more: Json = {}) {
  return {
    jid: phone.jid,
    lid: phone.lid,
    phone_number: phone.jid,
    is_admin: false,
    is_super_admin: false,
    ...more,
  };
}

/** The group as the gateway has it. */
export async function storedGroup({ api }: Team, jid: string): Promise<Json> {
  return (await api.get(`/groups/${jid}`)).body.group;
}

/** The event of the change, once it is recorded. */
export function recorded({ api }: Team, name: string, fits: (data: Json) => boolean): Promise<Json> {
  return until(`${name} is recorded`, async () => {
    const { events } = (await api.get(`/events?event=${name}&limit=1000`)).body;
    return events.map(({ data }: Json) => data).find(fits);
  });
}

/** Who is in a group as one of its members sees it, by JID. */
export async function membersOf(by: Phone, jid: string): Promise<string[]> {
  return (await by.groupInfo({ jid })).members.map((member) => member.jid).sort();
}

/** The JIDs of phones, in the order of `membersOf`. */
export const jidsOf = (...phones: Phone[]): string[] => phones.map(({ jid }) => jid).sort();
