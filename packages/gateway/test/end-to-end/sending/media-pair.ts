import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Phone } from '@wuts/sandbox';
import { expect, vi } from 'vitest';
import { type Answer, type Api, type Json, World } from '../harness.ts';

/** An answer, the message as the phone has it, and the file as the phone decrypts it. */
export interface Received {
  answer: Answer;
  message: Json;
  bytes: Buffer;
}

/** A gateway with a linked device, and a phone that gets its files. */
export class MediaPair {
  readonly world: World;
  readonly token: string;
  readonly contact: Phone;
  /** The temporary folder of this process from now on: others that run at the same time leave theirs elsewhere. */
  readonly folder: string;

  private constructor(world: World, token: string, contact: Phone, folder: string) {
    this.world = world;
    this.token = token;
    this.contact = contact;
    this.folder = folder;
  }

  static async create(settings: Record<string, string> = {}): Promise<MediaPair> {
    const folder = await mkdtemp(join(tmpdir(), 'wuts-samples-'));
    vi.stubEnv('TMPDIR', folder);
    const world = await World.create({ settings });
    const token = await world.tenant('media-out');
    const shop = await world.sandbox.createPhone({ number: '5511999999101', name: 'Shop' });
    const contact = await world.sandbox.createPhone({ number: '5511999999102', name: 'Contact' });
    await world.linkByQr(token, shop);
    return new MediaPair(world, token, contact, folder);
  }

  get api(): Api {
    return this.world.as(this.token);
  }

  get number(): string {
    return this.contact.number;
  }

  async sent(kind: string, body: object): Promise<Received> {
    return this.received(await this.api.post(`/send/${kind}`, { number: this.number, ...body }));
  }

  async received(answer: Answer): Promise<Received> {
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const got = await this.contact.waitForMessage(({ id }) => id === answer.body.message_id);
    return { answer, message: got.message, bytes: Buffer.from(await this.contact.downloadMedia(got)) };
  }

  /** What the gateway leaves behind of what was under way. */
  async leftovers(): Promise<string[]> {
    return readdir(join(this.world.dataDir, 'scratch')).catch(() => []);
  }

  async destroy(): Promise<void> {
    await this.world.destroy();
    vi.unstubAllEnvs();
    await rm(this.folder, { recursive: true, force: true });
  }
}
