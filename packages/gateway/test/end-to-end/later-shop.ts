/** A shop that sends after its requests were answered, on a clock that a test moves. */
import type { Phone } from '@wuts/sandbox';
import { expect } from 'vitest';
import { AdvancingClock } from '../../src/clock.ts';
import { type Api, type Json, until, type World } from './harness.ts';
import { openShop, type Shop } from './shop.ts';

export const HOUR_MS = 3600_000;

export class LaterShop {
  readonly clock: AdvancingClock;
  readonly #opened: Shop;

  private constructor(opened: Shop, clock: AdvancingClock) {
    this.#opened = opened;
    this.clock = clock;
  }

  static async open(): Promise<LaterShop> {
    const clock = new AdvancingClock();
    const settings = { WUTS_SEND_JOB_AFTER: '150ms', WUTS_SEND_LATE: '10m' };
    return new LaterShop(await openShop({ tenant: 'later', clock, settings }), clock);
  }

  get world(): World {
    return this.#opened.world;
  }
  get token(): string {
    return this.#opened.token;
  }
  get shop(): Phone {
    return this.#opened.shop;
  }
  get contact(): Phone {
    return this.#opened.contact;
  }
  get api(): Api {
    return this.world.as(this.token);
  }

  close = () => this.world.destroy();
  inOneHour = (): string => new Date(this.clock.now() + HOUR_MS).toISOString();
  job = async (id: string): Promise<Json> => (await this.api.get(`/jobs/${id}`)).body.job;
  untilJob = (id: string, state: string): Promise<Json> =>
    until(`${id} is ${state}`, async () => {
      const now = await this.job(id);
      return now.state === state && now;
    });
  events = async (name: string): Promise<Json[]> =>
    (await this.api.get(`/events?event=${name}&limit=200`)).body.events;
  received = (text: string) => this.contact.inbox.filter((message) => message.text === text);

  /** A text to the contact for in an hour; the job's id. */
  async schedule(text: string): Promise<string> {
    const body = { to: this.contact.number, text, send_at: this.inOneHour() };
    const answer = await this.api.post('/send/text', body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    return answer.body.job_id;
  }

  /** Restarts the gateway on its data; the device is back when this resolves. */
  async restart(): Promise<void> {
    await this.world.restartGateway();
    await this.untilConnected();
  }

  untilConnected = () =>
    until('the device is back', async () => (await this.api.get('/status')).body.data?.connected);
}
