import type { Phone } from '@wuts/sandbox';
import { expect } from 'vitest';
import type { Answer, Api, World } from '../end-to-end/harness.ts';
import { openShop } from '../end-to-end/shop.ts';
import type { RawAnswer } from './raw-request.ts';

/** What a refusal must say; `field` is the request's member it names. */
export interface Refusal {
  status: number;
  code: string;
  field?: string | undefined;
}

/** A tenant with one linked device, and a contact whose inbox shows whether anything was sent. */
export class LinkedShop {
  readonly world: World;
  readonly token: string;
  readonly deviceId: string;
  readonly shop: Phone;
  readonly contact: Phone;
  readonly #markers = new Set<string>();

  private constructor(world: World, token: string, deviceId: string, shop: Phone, contact: Phone) {
    this.world = world;
    this.token = token;
    this.deviceId = deviceId;
    this.shop = shop;
    this.contact = contact;
  }

  static async create(settings: Record<string, string> = {}): Promise<LinkedShop> {
    const { world, token, deviceId, shop, contact } = await openShop({ settings });
    return new LinkedShop(world, token, deviceId, shop, contact);
  }

  get api(): Api {
    return this.world.as(this.token);
  }

  /** Sends a text and waits for it: whatever was sent before it has arrived by then. Returns its id. */
  async sendMarker(): Promise<string> {
    const answer = await this.api.post('/send/text', { number: this.contact.number, text: 'marker' });
    expect(answer.status).toBe(200);
    const id: string = answer.body.message_id;
    this.#markers.add(id);
    await this.contact.waitForMessage((message) => message.id === id);
    return id;
  }

  /** Fails when the contact got anything but markers. */
  async expectNothingSent(): Promise<void> {
    await this.sendMarker();
    const others = this.contact.inbox.filter((message) => !this.#markers.has(message.id));
    expect(others.map((message) => [message.kind, message.text])).toEqual([]);
  }
}

/** The answer is this refusal, its envelope is complete and it names the field. */
export function expectRefused(answer: Answer | RawAnswer, refusal: Refusal): void {
  const { body, status } = answer;
  expect([status, body?.error_code], JSON.stringify(body)?.slice(0, 500)).toEqual([
    refusal.status,
    refusal.code,
  ]);
  expectEnvelope(answer);
  if (refusal.field === undefined) return;
  const fields = (body.validation ?? []).map((problem: { field: string }) => problem.field);
  expect(fields).toContain(refusal.field);
}

/** Every member of the one error envelope is there and has its type. */
export function expectEnvelope({ body, headers }: Answer | RawAnswer): void {
  const header = (name: string) => (headers instanceof Headers ? headers.get(name) : headers[name]);
  expect(header('content-type')).toBe('application/json; charset=utf-8');
  expect(body).toMatchObject({
    success: false,
    error: expect.stringMatching(/\S/),
    error_code: expect.stringMatching(/^[A-Z][A-Z_]+$/),
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    request_id: header('x-request-id'),
  });
  for (const problem of body.validation ?? []) {
    expect(problem).toMatchObject({
      field: expect.stringMatching(/\S/),
      message: expect.stringMatching(/\S/),
    });
  }
}
