/** `wuts pair`: links a phone to a running gateway, with the QR drawn in this terminal. */
import { toString as draw } from 'qrcode';
import { pause, systemClock } from '../clock.ts';
import { PasskeyInTerminal } from './pair-passkey.ts';
import { type Answer, data, PairingApi, refused } from './pairing-api.ts';

export interface PairInput {
  url: string;
  token: string;
  /** Default: one that waits for a phone, else a new one. */
  deviceId?: string | undefined;
  /** Of a new device. */
  name?: string | undefined;
  /** Link by a code typed on this phone instead of a QR. */
  phone?: string | undefined;
  /** What is typed meanwhile, line by line; default: nothing. */
  typed?: (line: (text: string) => void) => void;
}

const POLL_MS = 1500;
/** A person needs a moment to find the phone; after this long without anything new nobody is there. */
const PATIENCE_MS = 10 * 60_000;

/** Resolves once the phone is linked and connected; throws with the gateway's own words when it cannot be. */
export async function pair(input: PairInput, print: (line: string) => void, pollMs = POLL_MS): Promise<void> {
  const api = new PairingApi({ ...input, deviceId: input.deviceId ?? (await deviceToPair(input)) });
  const passkey = new PasskeyInTerminal(api, print);
  input.typed?.((line) => passkey.typed(line));
  let until = systemClock.monotonic() + PATIENCE_MS;
  if (input.phone !== undefined) await showCode(api, input.phone, print);
  let shown = '';
  while (systemClock.monotonic() < until) {
    const status = data(await api.request('GET', '/status'));
    if (status.connected) {
      print(`Linked and connected: ${status.phone_number ?? 'unknown number'}`);
      return;
    }
    if (status.passkey) {
      if (await passkey.follow(status.passkey)) until = systemClock.monotonic() + PATIENCE_MS;
    } else {
      const why = passkey.ended(status.state_reason);
      // Another QR would be for somebody who has just said no, or for whom WhatsApp has.
      if (why !== null) throw new Error(`not linked: ${why}; run it again to begin anew`);
      if (input.phone === undefined) shown = await showQr(api, shown, print);
    }
    await pause(pollMs);
  }
  throw new Error('nobody linked a phone in time');
}

/** The caller's device that waits for a phone, else a new one: those that are linked stay as they are. */
async function deviceToPair(input: PairInput): Promise<string> {
  const api = new PairingApi(input);
  const { status, body } = await api.request('GET', '/devices');
  if (status !== 200) throw refused({ status, body });
  const waiting = body.devices?.find(({ linked }) => !linked);
  if (waiting) return waiting.id;
  const made = await api.request('POST', '/devices', { name: input.name ?? 'WhatsApp' });
  if (made.status !== 201 || !made.body.device) throw refused(made);
  return made.body.device.id;
}

async function showCode(api: PairingApi, phone: string, print: (line: string) => void): Promise<void> {
  const answer = await api.request('POST', '/paircode', { phone });
  if (isUnderWay(answer)) return;
  print(`On the phone: WhatsApp > Linked devices > Link with phone number, and type ${data(answer).code}`);
}

async function showQr(api: PairingApi, shown: string, print: (line: string) => void): Promise<string> {
  const answer = await api.request('GET', '/qr');
  // Scanned: the phone confirms, the session restarts, and the status will say so.
  if (isUnderWay(answer)) return shown;
  // Nobody scanned the last one: the next request brings a new one.
  if (answer.body.error_code === 'QR_TIMEOUT') return shown;
  const code = data(answer).qr_url ?? '';
  if (code === shown) return shown;
  print(await draw(code, { type: 'terminal', small: true }));
  print(
    'On the phone: WhatsApp > Linked devices > Link a device, and scan. A new code follows when it expires.',
  );
  return code;
}

/** The phone has scanned or typed already. */
function isUnderWay({ body }: Answer): boolean {
  return ['ALREADY_CONNECTED', 'ALREADY_PAIRED', 'PASSKEY_REQUIRED'].includes(body.error_code ?? '');
}
