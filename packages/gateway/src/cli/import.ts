/** `wuts import`: a session that another program has linked goes on in a device of a running gateway. */
import { pause, systemClock } from '../clock.ts';
import { packed } from './packing.ts';

export interface ImportInput {
  url: string;
  token: string;
  /** A folder or a file. */
  path: string;
  /** Default: one that waits for a phone, else a new one. */
  deviceId?: string | undefined;
  /** Of a new device. */
  name?: string | undefined;
  format?: string | undefined;
  session?: string | undefined;
  force?: boolean | undefined;
  dryRun?: boolean | undefined;
}

interface Moved {
  dry_run: boolean;
  source: { format: string; title: string; saw: string; session: string };
  account: { phone_number: string | null; device: number };
  taken: { what: string; count: number }[];
  not_taken: { what: string; count: number; why: string; places: string[] }[];
  connected: boolean;
  status: string;
  hint: string | null;
}

interface Answer {
  status: number;
  body: Partial<Moved> & {
    error?: string;
    sessions?: string[];
    devices?: { id: string; linked: boolean }[];
    device?: { id: string };
    data?: { status: string; hint: string | null };
  };
}

const POLL_MS = 1000;
/** A program that still runs connects again by itself within some seconds, and throws this one out. */
const WATCHED_MS = 15_000;

/** Resolves once the device is connected and has stayed so; throws with the gateway's own words when it cannot be. */
export async function importSession(
  input: ImportInput,
  print: (line: string) => void,
  { pollMs = POLL_MS, watchedMs = WATCHED_MS } = {},
): Promise<void> {
  const file = await packed(input.path);
  const device = await deviceFor(input);
  const answer = await handIn(input, device.id, file).catch(async (error: unknown) => {
    if (device.isNew) await remove(input, device.id);
    throw error;
  });
  const moved = answer.body as Moved;
  if (device.isNew && (answer.status !== 200 || moved.dry_run)) await remove(input, device.id);
  if (answer.status !== 200) throw refused(answer);
  tell(moved, print);
  if (moved.dry_run) return print('Nothing was changed: this was a dry run.');
  if (!moved.connected) throw new Error(`moved in, and not connected: ${moved.status}; ${moved.hint ?? ''}`);
  print(`Moved in and connected: device ${device.id}. Watching whether the other program comes back…`);
  const until = systemClock.monotonic() + watchedMs;
  while (systemClock.monotonic() < until) {
    await pause(pollMs);
    const { status, hint } = (await ask(input, 'GET', `/status?device_id=${device.id}`)).body.data ?? {};
    if (status === 'replaced') throw new Error(`the other program is still running: ${hint}`);
  }
  print('It stays connected.');
}

function tell({ source, account, taken, not_taken }: Moved, print: (line: string) => void): void {
  print(`${source.title}: ${source.saw} (${source.session})`);
  print(`Account ${account.phone_number ?? 'unknown'}, linked device ${account.device}`);
  print(`Taken: ${taken.map(({ what, count }) => `${count} ${what}`).join(', ')}`);
  for (const { what, count, why, places } of not_taken) {
    print(`Not taken: ${count} ${what}: ${why}${places.length > 0 ? ` (${places.join(', ')})` : ''}`);
  }
}

async function deviceFor(input: ImportInput): Promise<{ id: string; isNew: boolean }> {
  if (input.deviceId !== undefined) return { id: input.deviceId, isNew: false };
  const list = await ask(input, 'GET', '/devices');
  if (list.status !== 200) throw refused(list);
  const waiting = list.body.devices?.find(({ linked }) => !linked);
  if (waiting) return { id: waiting.id, isNew: false };
  const made = await ask(input, 'POST', '/devices', JSON.stringify({ name: input.name ?? 'WhatsApp' }));
  if (made.status !== 201 || !made.body.device) throw refused(made);
  return { id: made.body.device.id, isNew: true };
}

/** One that was made for what then did not move in. */
async function remove(input: ImportInput, deviceId: string): Promise<void> {
  await ask(input, 'DELETE', `/devices/${deviceId}?remove=true`);
}

function handIn(
  input: ImportInput,
  deviceId: string,
  { name, bytes }: { name: string; bytes: Uint8Array },
): Promise<Answer> {
  const form = new FormData();
  if (input.format !== undefined) form.set('format', input.format);
  if (input.session !== undefined) form.set('session', input.session);
  if (input.force) form.set('force', 'true');
  if (input.dryRun) form.set('dry_run', 'true');
  form.set('file', new Blob([Buffer.from(bytes)]), name);
  return ask(input, 'POST', `/devices/${deviceId}/import`, form);
}

async function ask(
  { url, token }: ImportInput,
  method: string,
  path: string,
  body?: string | FormData,
): Promise<Answer> {
  const json = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
  const response = await fetch(new URL(path, url), {
    method,
    headers: { authorization: `Bearer ${token}`, ...json },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

function refused({ status, body }: Answer): Error {
  const sessions = body.sessions ? `: ${body.sessions.join(', ')}` : '';
  return new Error(`the gateway answered ${status}: ${body.error ?? 'no reason'}${sessions}`);
}
