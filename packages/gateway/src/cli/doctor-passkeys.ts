/** Devices whose linking waits for somebody at a browser. */
import type { Kysely } from 'kysely';
import { parseRfc3339, systemClock } from '../clock.ts';
import type { Database } from '../storage/schema.ts';
import { type Finding, warning } from './finding.ts';

const WAITS = ['passkey_required', 'passkey_confirm'];
/** A device that is not linked has few after the one that asked. */
const NEWEST_EVENTS = 50;
const EVENTS = ['device.passkey_required', 'device.passkey_confirm'];

/** A warning for each, with the time that is left; of a database that is up to date. */
export async function waitingForPasskeys(db: Kysely<Database>): Promise<Finding[]> {
  const devices = await db
    .selectFrom('devices')
    .select(['id', 'name', 'state_reason'])
    .where('state', '=', 'pairing')
    .where('state_reason', 'in', WAITS)
    .where('deleting_at', 'is', null)
    .execute();
  return Promise.all(devices.map(async (device) => finding(device, await timeLeft(db, device.id))));
}

interface Waiting {
  id: string;
  name: string;
  state_reason: string | null;
}

function finding({ id, name, state_reason: reason }: Waiting, leftMs: number): Finding {
  const device = `device ${name} (${id})`;
  if (leftMs <= 0)
    return warning(`${device} was not linked, its passkey was not shown in time: link it anew`);
  const left = `${Math.ceil(leftMs / 60_000)} min left`;
  return warning(
    reason === 'passkey_confirm'
      ? `${device} waits for somebody to compare the code with the phone, ${left}: wuts pair --device ${id}`
      : `${device} waits for its passkey in a browser, ${left}: wuts pair --device ${id}, or a link by GET /devices/${id}/passkey/link`,
  );
}

/** As the event said that asked for it; the running gateway alone has it otherwise. */
async function timeLeft(db: Kysely<Database>, deviceId: string): Promise<number> {
  const newest = await db
    .selectFrom('events')
    .select(['name', 'data'])
    .where('device_id', '=', deviceId)
    .orderBy('seq', 'desc')
    .limit(NEWEST_EVENTS)
    .execute();
  const asked = newest.find(({ name }) => EVENTS.includes(name));
  const { expires_at: until } = JSON.parse(asked?.data ?? '{}') as { expires_at?: string };
  return (until === undefined ? 0 : (parseRfc3339(until) ?? 0)) - systemClock.now();
}
