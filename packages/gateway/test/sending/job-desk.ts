/** One account whose jobs run, and what tests of jobs ask of it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { WaitingLimits } from '../../src/quotas/waiting.ts';
import { until } from '../worlds/until.ts';
import { type Account, type Reply, SendingWorld } from './sending-world.ts';

export const HOUR_MS = 3600_000;
export const DAY_MS = 24 * HOUR_MS;
export const BOBS_NUMBER = '5511999990002';
export const CAROLS_NUMBER = '5511999990003';
/** The account that the device holds after it was linked again. */
export const ANOTHER = { jid: '5511999990009@s.whatsapp.net', lid: '999999999999999@lid' };

export class JobDesk {
  readonly world: SendingWorld;
  readonly account: Account;

  private constructor(world: SendingWorld, account: Account) {
    this.world = world;
    this.account = account;
  }

  /** `limits`: how many jobs may wait, and with how many bytes. */
  static async open(limits?: WaitingLimits): Promise<JobDesk> {
    const world = await SendingWorld.create(limits);
    const account = await world.account();
    await world.startJobs();
    return new JobDesk(world, account);
  }

  close = () => this.world.destroy();
  now = () => this.world.store.clock.now();
  at = (ms: number) => new Date(this.now() + ms).toISOString();
  advance = (ms: number) => this.world.store.clock.advance(ms);

  get whatsapp() {
    return this.account.whatsapp;
  }

  /** WhatsApp takes what is sent from now on, and acknowledges it when the result is called. */
  holdAck(): () => void {
    let acknowledge: () => void = () => undefined;
    const told = new Promise<void>((resolve) => {
      acknowledge = resolve;
    });
    this.whatsapp.answer = async () => {
      await told;
      return this.whatsapp.takes();
    };
    return () => acknowledge();
  }

  post = (path: string, body: object, key?: string): Promise<Reply> =>
    this.world.post(this.account, path, body, key ? { 'idempotency-key': key } : {});
  get = (path: string): Promise<Reply> => this.world.get(this.account, path);
  delete = (path: string): Promise<Reply> => this.world.call(this.account, 'DELETE', path);
  sends = (body: object, key?: string): Promise<Reply> => this.post('/send/text', body, key);
  job = async (id: string) => (await this.get(`/jobs/${id}`)).body.job;
  bulk = async (id: string) => (await this.get(`/bulk/${id}`)).body;
  status = async (messageId: string) => (await this.get(`/messages/${messageId}/status`)).body;
  outbox = () => readdir(join(this.world.store.dataDir, 'outbox')).catch(() => []);

  /** A text that is to be sent in an hour; the job's id. */
  async scheduled(more: object = {}): Promise<string> {
    const answer = await this.sends(text({ send_at: this.at(HOUR_MS), ...more }));
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    return answer.body.job_id;
  }

  /** Asks again until there is an answer, while time goes on by `step` milliseconds with each look. */
  async until<T>(ask: () => Promise<T | false | null | undefined>, step = 0): Promise<T> {
    const found = async () => {
      const answer = await ask();
      if (!answer) this.advance(step);
      return answer;
    };
    try {
      return await until('the jobs are so', found);
    } catch (error) {
      throw new Error(`still: ${JSON.stringify((await this.get('/jobs?limit=200')).body.jobs)}`, {
        cause: error,
      });
    }
  }

  untilJob = (id: string, state: string, step = 0) =>
    this.until(async () => {
      const found = await this.job(id);
      return found.state === state && found;
    }, step);

  untilBulkIsOver = (id: string, step = 0) =>
    this.until(async () => {
      const found = await this.bulk(id);
      return found.bulk.state !== 'running' && found;
    }, step);
}

export const text = (more: object = {}) => ({ number: BOBS_NUMBER, text: 'hello', ...more });

/** A PDF of that many bytes, base64; `fill` makes one differ from another. */
export const pdfFile = (fill: number, size = 60_000) =>
  Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(size, fill)]).toString('base64');

export const pdf = (document: string, more: object = {}) => ({
  number: BOBS_NUMBER,
  document,
  filename: 'a.pdf',
  ...more,
});
