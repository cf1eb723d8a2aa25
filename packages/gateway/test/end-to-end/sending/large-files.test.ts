/** Files arrive whole, however they come and wherever they go, up to the configured maximum, or are refused. */
import { createHash, randomFillSync } from 'node:crypto';
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileServer } from '../../bad-input/file-server.ts';
import type { Json, World } from '../harness.ts';
import { openShop } from '../shop.ts';

/** The default of `WUTS_MEDIA_MAX_BYTES`. */
const MOST_BYTES = 100 * 1024 * 1024;
/** What is sent in each of the other ways: large, and no burden on a run. */
const LARGE_BYTES = 17_000_000;

let world: World;
let token: string;
let contact: Phone;

beforeAll(async () => {
  const settings = { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' };
  ({ world, token, contact } = await openShop({ tenant: 'large', settings }));
});
afterAll(() => world?.destroy());

const random = (bytes: number) => randomFillSync(new Uint8Array(bytes));
const facts = (bytes: Uint8Array) => ({
  length: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

async function upload(
  bytes: Uint8Array<ArrayBuffer>,
  fields: Record<string, string> = {},
): Promise<{ status: number; body: Json }> {
  const form = new FormData();
  for (const [name, value] of Object.entries({ number: contact.number, ...fields })) form.set(name, value);
  form.set('file', new Blob([bytes]), 'large.bin');
  const response = await fetch(`${world.gateway.url}/send/document`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  return { status: response.status, body: await response.json() };
}

test.each([
  ['3 MB', 3_000_000],
  ['exactly the maximum', MOST_BYTES],
])('a file of %s arrives whole', async (_name, length) => {
  const bytes = random(length);
  const { status, body } = await upload(bytes);
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body.metadata.document_size_bytes).toBe(length);
  const got = await contact.waitForMessage(({ id }) => id === body.message_id);
  expect(facts(await contact.downloadMedia(got))).toEqual(facts(bytes));
});

test('a file of 17 MB that is fetched from a URL arrives whole', async () => {
  const bytes = random(LARGE_BYTES);
  const files = await FileServer.start({ '/large.bin': (_request, response) => response.end(bytes) });
  const { status, body } = await world.as(token).post('/send/document', {
    number: contact.number,
    document_url: `${files.url}/large.bin`,
    file_name: 'large.bin',
  });
  expect(status, JSON.stringify(body)).toBe(200);
  const got = await contact.waitForMessage(({ id }) => id === body.message_id);
  expect(facts(await contact.downloadMedia(got))).toEqual(facts(bytes));
  await files.stop();
});

test('a file of 17 MB that is published in a channel is seen whole by those who follow it', async () => {
  const api = world.as(token);
  const channel = (await api.post('/newsletters', { name: 'Large' })).body.newsletter.id;
  await contact.account.followNewsletter(channel);
  const bytes = random(LARGE_BYTES);
  const { status, body } = await api.post(`/newsletters/${channel}/media`, {
    media_type: 'document',
    media: Buffer.from(bytes).toString('base64'),
    file_name: 'large.bin',
  });
  expect(status, JSON.stringify(body)).toBe(200);
  const got = await contact.waitForMessage(({ id }) => id === body.message_id);
  expect(facts(await contact.downloadMedia(got))).toEqual(facts(bytes));
});

test.each([
  ['one byte more than the maximum', MOST_BYTES + 1],
  ['far more than the maximum', MOST_BYTES + 20_000_000],
])('a file of %s is refused and nothing is sent', async (_name, length) => {
  const before = contact.inbox.length;
  const { status, body } = await upload(random(length));
  expect([status, body.error_code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  expect(contact.inbox.length).toBe(before);
});

test('a field that would be cut is refused', async () => {
  const before = contact.inbox.length;
  const { status, body } = await upload(random(10), { caption: 'x'.repeat(300_000) });
  expect([status, body.error_code, body.validation[0].field]).toEqual([413, 'PAYLOAD_TOO_LARGE', 'caption']);
  expect(contact.inbox.length).toBe(before);
});
