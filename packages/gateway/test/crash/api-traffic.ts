/**
 * Programs that send over the API, now, later and in bulk, and repeat what the crash cut off with the same
 * Idempotency-Key; some of it again long after.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { requestOf, type SendRequest, type WantedMessage } from './api-requests.ts';
import type { Chance } from './chance.ts';

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

/** A message that a program asked for, whatever became of it. */
export interface ApiSend extends WantedMessage {
  account: string;
  deviceId: string;
  /** How it was asked for. */
  kind: SendRequest['kind'];
  requests: number;
  /** WhatsApp's id of the message, from the answer 200 or from the job. */
  messageId: string | null;
  /** Null for one that was answered with 200. */
  jobId: string | null;
  /** Its time had passed before anything of it was accepted: then nothing of it may have been sent. */
  late: boolean;
}

/** A request that was answered, to be repeated. */
interface Answered {
  device: LinkedDevice;
  request: SendRequest;
  key: string;
  answer: string;
}

/** What a program may meet while the gateway starts, and repeats: everything else is not as documented. */
const REPEATED = new Set([503, 504]);
const REPEAT_AFTER_MS = 300;
/** Programs per device, each waiting for its answer before it goes on. */
const WRITERS = 2;
/** How long a send is repeated once nobody kills the gateway any more. */
const GIVE_UP_MS = 60_000;
/** And how long a job is waited for: one that was tried in vain waits up to a minute before it is tried again. */
const JOBS_GIVE_UP_MS = 150_000;
/** Requests that are repeated long after their answer, kills in between. */
const REPETITIONS = 40;

export class ApiTraffic {
  readonly sends: ApiSend[] = [];
  readonly problems: string[] = [];
  /** Requests that were answered by the same again, long after. */
  replayed = 0;
  readonly #answered: Answered[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #chance: Chance;
  #deadline = Number.POSITIVE_INFINITY;

  constructor(devices: readonly LinkedDevice[], options: { chance: Chance; perSecond: number }) {
    this.#chance = options.chance.fork();
    const writers = devices.flatMap((device) => Array.from({ length: WRITERS }, () => device));
    const everyMs = (1000 * writers.length) / options.perSecond;
    this.#running = Promise.all(writers.map((device) => this.#write(device, options.chance.fork(), everyMs)));
  }

  /**
   * Resolves when the last send was answered, the last job is over, and what is repeated has its answer. Nothing
   * is waited for longer than `mostMs`.
   */
  async stop(devices: readonly LinkedDevice[], mostMs: number): Promise<void> {
    this.#deadline = Date.now() + Math.min(GIVE_UP_MS, mostMs);
    this.#stop.abort();
    await this.#running;
    this.#deadline = Date.now() + Math.min(JOBS_GIVE_UP_MS, mostMs);
    for (const device of devices) await this.#awaitJobs(device);
    await this.#repeatSome();
  }

  async #write(device: LinkedDevice, chance: Chance, everyMs: number): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(chance.between(0, 2 * everyMs), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.#send(device, chance);
    }
  }

  async #send(device: LinkedDevice, chance: Chance): Promise<void> {
    const { account, deviceId } = device;
    const request = requestOf(device, this.sends.length + 1, chance);
    const sends = request.messages.map((message): ApiSend => {
      const { kind } = request;
      return { ...message, account, deviceId, kind, requests: 0, messageId: null, jobId: null, late: false };
    });
    this.sends.push(...sends);
    const texts = sends.map(({ text }) => `"${text}"`).join(', ');
    const key = randomUUID();
    while (Date.now() < this.#deadline) {
      for (const send of sends) send.requests += 1;
      const answer = await this.#ask(device, request, key);
      if (answer?.status === 200 || answer?.status === 202) {
        const done = await this.#taken(device, sends, answer.body);
        if (done) {
          this.#answered.push({ device, request, key, answer: identityOf(answer.body) });
          return;
        }
      } else if (answer?.status === 400 && answer.body.validation?.[0]?.message === 'is in the past') {
        for (const send of sends) send.late = true;
        return;
      } else if (answer && !REPEATED.has(answer.status)) {
        this.problems.push(`${texts}: ${answer.status} ${answer.bytes.toString('utf8').slice(0, 300)}`);
        if (answer.status < 500) return;
      }
      await pause(REPEAT_AFTER_MS);
    }
    this.problems.push(`${texts} was not taken within ${GIVE_UP_MS / 1000} s of the last kill`);
  }

  #ask({ deviceId, caller }: LinkedDevice, { path, body }: SendRequest, key: string) {
    return caller
      .call('POST', `${path}?device_id=${deviceId}`, body, { 'idempotency-key': key })
      .catch(() => null);
  }

  /** Notes ids; false when they could not be asked for. */
  async #taken(device: LinkedDevice, sends: ApiSend[], body: Json): Promise<boolean> {
    const [first] = sends;
    if (body.bulk) {
      const bulk = await device.caller.call('GET', `/bulk/${body.bulk.id}`).catch(() => null);
      if (bulk?.status !== 200) return false;
      for (const [at, send] of sends.entries()) send.jobId = bulk.body.messages[at].id;
    } else if (first) {
      first.jobId = body.job_id ?? null;
      first.messageId = body.job_id ? null : body.message_id;
    }
    return true;
  }

  /** What was accepted ends as sent. */
  async #awaitJobs({ deviceId, caller }: LinkedDevice): Promise<void> {
    for (const send of this.sends) {
      if (send.deviceId !== deviceId || send.jobId === null) continue;
      for (;;) {
        const answer = await caller.call('GET', `/jobs/${send.jobId}`).catch(() => null);
        const job = answer?.body?.job;
        send.messageId = job?.message_id ?? null;
        if (job?.state === 'sent') break;
        const over = job?.state === 'failed' || job?.state === 'cancelled' || answer?.status === 404;
        if (over || Date.now() > this.#deadline) {
          const why = `${job?.error_code} ${job?.error}`;
          this.problems.push(`"${send.text}": its job is ${job?.state ?? answer?.status} (${why})`);
          break;
        }
        await pause(REPEAT_AFTER_MS);
      }
    }
  }

  /** The same request under the same key has the same answer, and nothing is sent for it. */
  async #repeatSome(): Promise<void> {
    for (let times = 0; times < REPETITIONS && this.#answered.length > 0; times += 1) {
      const { device, request, key, answer } = this.#chance.pick(this.#answered);
      const again = await this.#ask(device, request, key);
      const now = again ? identityOf(again.body) : 'no answer';
      if (now === answer) this.replayed += 1;
      else
        this.problems.push(
          `"${request.messages[0]?.text}" was answered with ${answer}, repeated with ${now}`,
        );
    }
  }
}

/** What an answer names: a message, a job or a bulk. */
function identityOf(body: Json): string {
  return String(body.bulk?.id ?? body.job_id ?? body.message_id);
}
