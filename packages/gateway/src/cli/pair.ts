/** `wuts pair`: links a phone to a running gateway, with the QR drawn in this terminal. */
import { toString as draw } from 'qrcode';
import { pause, systemClock } from '../clock.ts';

export interface PairInput {
  url: string;
  token: string;
  /** Default: one that waits for a phone, else a new one. */
  deviceId?: string | undefined;
  /** Of a new device. */
  name?: string | undefined;
  /** Link by a code typed on this phone instead of a QR. */
  phone?: string | undefined;
}

interface Answer {
  status: number;
  body: {
    error?: string;
    error_code?: string;
    devices?: { id: string; linked: boolean }[];
    device?: { id: string };
    data?: {
      qr_url?: string;
      expires_at?: string;
      code?: string;
      connected?: boolean;
      phone_number?: string;
    };
  };
}

const POLL_MS = 1500;
/** A person needs a moment to find the phone; after this long nobody is there. */
const PATIENCE_MS = 10 * 60_000;

/** Resolves once the phone is linked and connected; throws with the gateway's own words when it cannot be. */
export async function pair(input: PairInput, print: (line: string) => void, pollMs = POLL_MS): Promise<void> {
  const api = new PairingApi({ ...input, deviceId: input.deviceId ?? (await deviceToPair(input)) });
  const until = systemClock.monotonic() + PATIENCE_MS;
  if (input.phone !== undefined) {
    const answer = await api.request('POST', '/paircode', { phone: input.phone });
    if (!isLinkedAlready(answer)) {
      print(
        `On the phone: WhatsApp > Linked devices > Link with phone number, and type ${data(answer).code}`,
      );
    }
  }
  let shown = '';
  while (systemClock.monotonic() < until) {
    const answer = await api.request('GET', '/status');
    const status = data(answer);
    if (status.connected) {
      print(`Linked and connected: ${status.phone_number ?? 'unknown number'}`);
      return;
    }
    if (input.phone === undefined) shown = await showQr(api, shown, print);
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

async function showQr(api: PairingApi, shown: string, print: (line: string) => void): Promise<string> {
  const answer = await api.request('GET', '/qr');
  // Scanned: the phone confirms, the session restarts, and the status will say so.
  if (isLinkedAlready(answer)) return shown;
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

function isLinkedAlready(answer: Answer): boolean {
  return answer.body.error_code === 'ALREADY_CONNECTED' || answer.body.error_code === 'ALREADY_PAIRED';
}

function data(answer: Answer): NonNullable<Answer['body']['data']> {
  if (answer.status === 200 && answer.body.data) return answer.body.data;
  throw refused(answer);
}

function refused({ status, body }: Answer): Error {
  return new Error(`the gateway answered ${status}: ${body.error ?? 'no reason'}`);
}

class PairingApi {
  readonly #input: PairInput;

  constructor(input: PairInput) {
    this.#input = input;
  }

  async request(method: string, path: string, body?: Record<string, unknown>): Promise<Answer> {
    const url = new URL(path, this.#input.url);
    if (this.#input.deviceId !== undefined) url.searchParams.set('device_id', this.#input.deviceId);
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${this.#input.token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }
}
