/** The file of a send that happens later is what was accepted, or nothing is sent. */
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AdvancingClock } from '../../../src/clock.ts';
import { type Api, until, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

const HOUR_MS = 3600_000;

let world: World;
let api: Api;
let contact: Phone;
const clock = new AdvancingClock();

beforeAll(async () => {
  ({ world, api, contact } = await openShop({ tenant: 'kept', clock }));
});
afterAll(() => world.destroy());

test.each([
  [
    'other bytes',
    (file: string) => {
      const bytes = readFileSync(file);
      bytes.fill(0, 4096, 8192);
      writeFileSync(file, bytes);
    },
  ],
  ['an end that is missing', (file: string) => truncateSync(file, 512)],
  ['no file', (file: string) => rmSync(file)],
])('%s: the job fails and says so, and nothing is sent', async (what, damage) => {
  const document = Buffer.alloc(100_000, 7).toString('base64');
  const answer = await api.post('/send/document', {
    to: contact.number,
    document,
    file_name: 'file.bin',
    caption: what,
    send_at: new Date(clock.now() + HOUR_MS).toISOString(),
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  const folder = join(world.dataDir, 'outbox');
  const [name = ''] = readdirSync(folder);
  damage(join(folder, name));
  clock.advance(HOUR_MS);
  const job = await until('the job has failed', async () => {
    const now = (await api.get(`/jobs/${answer.body.job_id}`)).body.job;
    return now.state === 'failed' && now;
  });
  expect(job.error_code).toBe('INVALID_MEDIA');
  expect(contact.inbox.filter((message) => message.text === what)).toEqual([]);
});

test('a file of 1.3 MiB for many is on the disk once, and in the phone of each', async () => {
  const document = Buffer.alloc(1_300_000, 9).toString('base64');
  const message = { type: 'document', document, file_name: 'file.bin', caption: 'once' };
  const recipients = Array.from({ length: 8 }, () => contact.number);
  const pause = { min_pause_seconds: 0, max_pause_seconds: 0 };
  const answer = await api.post('/bulk', { recipients, message, ...pause });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  const folder = join(world.dataDir, 'outbox');
  expect(readdirSync(folder)).toHaveLength(1);
  await until('the bulk is through', async () => {
    return (await api.get(`/bulk/${answer.body.bulk.id}`)).body.bulk.sent === recipients.length;
  });
  await until('the file is gone', async () => readdirSync(folder).length === 0);
  const got = contact.inbox.filter(({ text }) => text === 'once');
  expect(got).toHaveLength(recipients.length);
  const bytes = await Promise.all(got.map((each) => contact.downloadMedia(each)));
  expect(new Set(bytes.map((each) => each.toString('base64')))).toEqual(new Set([document]));
});
