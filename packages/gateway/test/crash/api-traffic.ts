/** Programs that send over the API and repeat what the crash cut off, with the same Idempotency-Key. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import { API_TEXT } from './network-protocol.ts';

/** JSON as the parser gives it. */
export type Json = ReturnType<typeof JSON.parse>;

/** One caller of the HTTP API. */
export class Caller {
  readonly #base: string;
  readonly token: string;

  constructor(base: string, token: string) {
    this.#base = base;
    this.token = token;
  }

  /** Rejects when there was no answer. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Json; bytes: Buffer }> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.includes('application/json');
    return { status: response.status, body: isJson ? JSON.parse(bytes.toString('utf8')) : null, bytes };
  }

  /** As `call`, for steps that have to work. */
  async must(method: string, path: string, expected: number, body?: unknown): Promise<Json> {
    const answer = await this.call(method, path, body);
    if (answer.status === expected) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.bytes.toString('utf8').slice(0, 500)}`);
  }
}

export interface LinkedDevice {
  /** Number of the account. */
  account: string;
  deviceId: string;
  caller: Caller;
  contacts: string[];
  group: string;
}

/** A send, whatever became of it. */
export interface ApiSend {
  account: string;
  deviceId: string;
  /** The number or group it went to. */
  to: string;
  /** Numbers of those who get it. */
  readers: string[];
  text: string;
  requests: number;
  /** WhatsApp's id of the message, from the answer 200. */
  messageId: string | null;
}

/** What a program may meet while the gateway starts, and repeats: everything else is not as documented. */
const REPEATED = new Set([503, 504]);
const REPEAT_AFTER_MS = 300;
/** Programs per device, each waiting for its answer before it goes on. */
const WRITERS = 2;
/** How long a send is repeated once nobody kills the gateway any more. */
const GIVE_UP_MS = 60_000;

export class ApiTraffic {
  readonly sends: ApiSend[] = [];
  readonly problems: string[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  #deadline = Number.POSITIVE_INFINITY;

  constructor(devices: readonly LinkedDevice[], options: { chance: Chance; perSecond: number }) {
    const writers = devices.flatMap((device) => Array.from({ length: WRITERS }, () => device));
    const everyMs = (1000 * writers.length) / options.perSecond;
    this.#running = Promise.all(writers.map((device) => this.#write(device, options.chance.fork(), everyMs)));
  }

  /** Resolves when the last send was answered. */
  async stop(): Promise<void> {
    this.#deadline = Date.now() + GIVE_UP_MS;
    this.#stop.abort();
    await this.#running;
  }

  async #write(device: LinkedDevice, chance: Chance, everyMs: number): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(chance.between(0, 2 * everyMs), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.#send(device, chance);
    }
  }

  async #send(device: LinkedDevice, chance: Chance): Promise<void> {
    const { account, deviceId, contacts, group } = device;
    const to = chance.hits(0.2) ? group : chance.pick(contacts);
    const text = `${API_TEXT}${this.sends.length + 1} from ${account} to ${to}`;
    const readers = to === group ? contacts : [to];
    const send: ApiSend = { account, deviceId, to, readers, text, requests: 0, messageId: null };
    this.sends.push(send);
    const request = chance.hits(0.1) ? documentRequest(to, text, chance) : textRequest(to, text);
    const key = randomUUID();
    while (Date.now() < this.#deadline) {
      send.requests += 1;
      const path = `${request.path}?device_id=${deviceId}`;
      const answer = await device.caller
        .call('POST', path, request.body, { 'idempotency-key': key })
        .catch(() => null);
      if (answer?.status === 200) {
        send.messageId = answer.body.message_id;
        return;
      }
      if (answer && !REPEATED.has(answer.status)) {
        this.problems.push(`"${text}": ${answer.status} ${answer.bytes.toString('utf8').slice(0, 300)}`);
        if (answer.status < 500) return;
      }
      await pause(REPEAT_AFTER_MS);
    }
    this.problems.push(`"${text}" was not taken within ${GIVE_UP_MS / 1000} s of the last kill`);
  }
}

function textRequest(to: string, text: string) {
  return { path: '/send/text', body: { ...recipient(to), text } };
}

function documentRequest(to: string, caption: string, chance: Chance) {
  const bytes = chance.bytes(chance.integer(500, 8000));
  const document = `data:application/octet-stream;base64,${bytes.toString('base64')}`;
  return { path: '/send/document', body: { ...recipient(to), document, file_name: 'file.bin', caption } };
}

function recipient(to: string) {
  return to.includes('@') ? { to } : { number: to };
}
