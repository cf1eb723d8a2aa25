/** Albums that leave later, in bulk, or in several attempts: what was sent is not sent again, the rest follows. */
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SendRejected, SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import type { OutboundMessage } from '../../src/whatsapp/port/messages.ts';
import { BOBS_NUMBER, HOUR_MS, JobDesk } from './job-desk.ts';
import { JOB_AFTER_MS, LATE_MS } from './sending-world.ts';

let desk: JobDesk;
let pictures: string[];

beforeAll(async () => {
  pictures = await Promise.all([10, 20, 30].map((red) => picture(red)));
});
beforeEach(async () => {
  desk = await JobDesk.open();
});
afterEach(() => desk.close());

async function picture(red: number): Promise<string> {
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 };
  const channels = 3 as const;
  // Noise does not compress: it is too large to stay in the row of its job.
  const image = sharp({
    create: { width: 120, height: 120, channels, background: { r: red, g: 0, b: 0 }, noise },
  });
  return (await image.png().toBuffer()).toString('base64');
}

type Item = { message_id: string | null; status: string; error_code?: string };
const album = (more: object = {}) => ({
  number: BOBS_NUMBER,
  media: pictures.map((image) => ({ image })),
  ...more,
});
const isAlbum = ({ message }: OutboundMessage) => 'albumMessage' in message;
const sentIds = () => desk.whatsapp.sent.map(({ id }) => id);
const statuses = (job: { items: Item[] }) => job.items.map(({ status }) => status);

/** WhatsApp answers the so manieth item with that from now on; what is before it, it takes. */
function failFrom(item: number, answer: () => Promise<never>): void {
  let items = -1;
  desk.whatsapp.answer = (out) => {
    if (!isAlbum(out)) items += 1;
    return items >= item ? answer() : desk.whatsapp.takes();
  };
}

const closed = () => Promise.reject(new SessionNotOpen('the connection closed'));

async function schedule(more: object = {}, key?: string): Promise<string> {
  const answer = await desk.post('/send/album', album({ send_at: desk.at(HOUR_MS), ...more }), key);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  expect(answer.headers.location).toBe(`/jobs/${answer.body.job_id}`);
  return answer.body.job_id;
}

describe('at a time', () => {
  test('it leaves then, whole, and its files lie in the outbox until then', async () => {
    const id = await schedule();
    expect(await desk.job(id)).toMatchObject({ state: 'scheduled', type: 'album', items: null });
    expect(await desk.outbox()).toHaveLength(3);
    expect(desk.whatsapp.sent).toEqual([]);
    desk.advance(HOUR_MS);
    const job = await desk.untilJob(id, 'sent');
    expect(statuses(job)).toEqual(['sent', 'sent', 'sent']);
    expect(sentIds()).toEqual([job.message_id, ...job.items.map((each: Item) => each.message_id)]);
    expect(desk.whatsapp.content(0).albumMessage).toMatchObject({ expectedImageCount: 3 });
    await desk.until(async () => (await desk.outbox()).length === 0);
  });

  test('a picture that stands in it twice is kept once', async () => {
    const [image] = pictures;
    const id = await schedule({ media: [{ image }, { image }] });
    expect(await desk.outbox()).toHaveLength(1);
    desk.advance(HOUR_MS);
    await desk.untilJob(id, 'sent');
    expect(desk.whatsapp.sent).toHaveLength(3);
  });

  test('cancelled, nothing of it is sent, and nothing is kept', async () => {
    const id = await schedule();
    expect((await desk.delete(`/jobs/${id}`)).status).toBe(200);
    expect(await desk.outbox()).toEqual([]);
    desk.advance(2 * HOUR_MS);
    expect(await desk.job(id)).toMatchObject({ state: 'cancelled', items: null });
    expect(desk.whatsapp.sent).toEqual([]);
  });

  test('repeated under its key it is one job', async () => {
    const send_at = desk.at(HOUR_MS);
    const first = await schedule({ send_at }, 'once');
    await desk.world.store.db.updateTable('idempotency_keys').set({ status: null, response: null }).execute();
    expect(await schedule({ send_at }, 'once')).toBe(first);
    expect((await desk.get('/jobs')).body.jobs).toHaveLength(1);
  });

  test('what makes no sense is refused at once', async () => {
    const media = [{ image: pictures[0] }, { image: pictures[1], caption: 'x'.repeat(1025) }];
    const answer = await desk.post('/send/album', album({ media, send_at: desk.at(HOUR_MS) }));
    expect([answer.status, answer.body.validation[0].field]).toEqual([400, 'media.1.caption']);
  });
});

describe('interrupted in its middle', () => {
  test('it goes on where it ended once the device is back, in its order', async () => {
    const id = await schedule();
    failFrom(1, closed);
    desk.advance(HOUR_MS);
    const held = await desk.untilJob(id, 'scheduled');
    await desk.until(async () => (await desk.job(id)).items !== null);
    expect(held.finished_at).toBeNull();
    expect(statuses(await desk.job(id))).toEqual(['sent', 'pending', 'waiting']);
    const before = sentIds();
    desk.whatsapp.answer = desk.whatsapp.takes;
    const job = await desk.untilJob(id, 'sent', 10_000);
    expect(statuses(job)).toEqual(['sent', 'sent', 'sent']);
    const items = job.items.map((each: Item) => each.message_id);
    // The one whose end was not known goes once more, under its id; then the one that waited.
    expect(sentIds().slice(before.length)).toEqual(items.slice(1));
    expect(before).toEqual([job.message_id, items[0], items[1]]);
  });

  test('by the end of the process, another one sends the rest', async () => {
    const id = await schedule();
    failFrom(1, () => new Promise(() => undefined));
    desk.advance(HOUR_MS);
    await desk.until(async () => desk.whatsapp.sent.length === 3);
    const before = sentIds();
    desk.whatsapp.answer = desk.whatsapp.takes;
    await desk.world.crash();
    const job = await desk.untilJob(id, 'sent', 1000);
    const items = job.items.map((each: Item) => each.message_id);
    expect(sentIds().slice(before.length)).toEqual(items.slice(1));
    expect(statuses(job)).toEqual(['sent', 'sent', 'sent']);
  });

  test('cancelled, the rest is not sent, and the job tells what was', async () => {
    const id = await schedule();
    failFrom(1, closed);
    desk.advance(HOUR_MS);
    await desk.until(async () => (await desk.job(id)).state === 'scheduled' && (await desk.job(id)).items);
    const before = sentIds();
    expect((await desk.delete(`/jobs/${id}`)).status).toBe(200);
    desk.whatsapp.answer = desk.whatsapp.takes;
    desk.advance(HOUR_MS);
    const job = await desk.job(id);
    expect([job.state, ...statuses(job)]).toEqual(['cancelled', 'sent', 'pending', 'waiting']);
    expect(sentIds()).toEqual(before);
    expect(await desk.outbox()).toEqual([]);
  });

  test('a device that stays away ends it, and what has arrived is not called failed', async () => {
    const id = await schedule();
    failFrom(1, closed);
    desk.advance(HOUR_MS);
    await desk.until(async () => (await desk.job(id)).items);
    desk.account.online = false;
    const job = await desk.untilJob(id, 'sent', 30_000);
    expect(statuses(job)).toEqual(['sent', 'pending', 'failed']);
    expect(job.items[2]).toMatchObject({ error_code: 'DEVICE_NOT_READY', reason: 'stopped' });
  });

  test('by a gateway that was off for too long, the rest is not sent any more', async () => {
    const id = await schedule();
    failFrom(2, closed);
    desk.advance(HOUR_MS);
    await desk.until(async () => (await desk.job(id)).items);
    await desk.world.stopJobs();
    desk.whatsapp.answer = desk.whatsapp.takes;
    const before = sentIds();
    desk.advance(2 * LATE_MS);
    await desk.world.startJobs();
    const job = await desk.untilJob(id, 'sent');
    expect(statuses(job)).toEqual(['sent', 'sent', 'pending']);
    expect(sentIds()).toEqual(before);
  });

  test('one of which nothing has arrived has failed', async () => {
    const id = await schedule();
    failFrom(0, () => Promise.reject(new SendRejected(479, 'restricted')));
    desk.advance(HOUR_MS);
    const job = await desk.untilJob(id, 'failed');
    expect([job.error_code, ...statuses(job)]).toEqual([
      'REJECTED_BY_WHATSAPP',
      'failed',
      'failed',
      'failed',
    ]);
    expect([job, ...job.items].map((each) => each.whatsapp_code)).toEqual([479, 479, 479, 479]);
  });

  test('what could not be made ready is not tried again', async () => {
    const media = [{ image: pictures[0] }, { image: 'bm8gcGljdHVyZQ==' }, { image: pictures[2] }];
    const id = await schedule({ media });
    failFrom(1, closed);
    desk.advance(HOUR_MS);
    await desk.until(async () => (await desk.job(id)).items?.[2].status === 'pending');
    desk.whatsapp.answer = desk.whatsapp.takes;
    const job = await desk.untilJob(id, 'sent', 10_000);
    expect(job.items).toMatchObject([
      { status: 'sent' },
      { status: 'failed', error_code: 'INVALID_MEDIA', message_id: null },
      { status: 'sent' },
    ]);
    expect(desk.whatsapp.content(0).albumMessage).toMatchObject({ expectedImageCount: 2 });
  });
});

test('one that takes long becomes a job, and goes on', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let items = 0;
  desk.whatsapp.answer = async (out) => {
    if (!isAlbum(out)) items += 1;
    if (items === 2) await held;
    return desk.whatsapp.takes();
  };
  const answered = desk.post('/send/album', album());
  await desk.until(async () => desk.whatsapp.sent.length === 3);
  desk.advance(JOB_AFTER_MS);
  const { status, body } = await answered;
  expect([status, body.status]).toEqual([202, 'processing']);
  release();
  const job = await desk.untilJob(body.job_id, 'sent');
  expect(statuses(job)).toEqual(['sent', 'sent', 'sent']);
  expect(sentIds()).toEqual([job.message_id, ...job.items.map((each: Item) => each.message_id)]);
});

test('one that became a job waits for a device that is lost meanwhile', async () => {
  let items = 0;
  let lose: (error: Error) => void = () => undefined;
  desk.whatsapp.answer = (out) => {
    if (!isAlbum(out)) items += 1;
    if (items !== 2) return desk.whatsapp.takes();
    return new Promise((_, reject) => {
      lose = reject;
    });
  };
  const answered = desk.post('/send/album', album());
  await desk.until(async () => desk.whatsapp.sent.length === 3);
  desk.advance(JOB_AFTER_MS);
  const { body } = await answered;
  await desk.job(body.job_id);
  lose(new SessionNotOpen('the connection closed'));
  await desk.until(async () => (await desk.job(body.job_id)).state === 'scheduled');
  expect(statuses(await desk.job(body.job_id))).toEqual(['sent', 'pending', 'waiting']);
  const before = sentIds();
  desk.whatsapp.answer = desk.whatsapp.takes;
  const job = await desk.untilJob(body.job_id, 'sent', 10_000);
  expect(sentIds().slice(before.length)).toEqual(job.items.slice(1).map((each: Item) => each.message_id));
});

describe('in a bulk', () => {
  const bulk = (messages: object[], more: object = {}) =>
    desk.post('/bulk', { messages, min_pause_seconds: 60, max_pause_seconds: 60, ...more });

  test('it is one message among others', async () => {
    const answer = await bulk([
      { type: 'text', number: BOBS_NUMBER, text: 'first' },
      { type: 'album', ...album() },
      { type: 'text', number: BOBS_NUMBER, text: 'last' },
    ]);
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    const done = await desk.untilBulkIsOver(answer.body.bulk.id, 10_000);
    expect(done.bulk).toMatchObject({ state: 'completed', sent: 3 });
    expect(statuses(done.messages[1])).toEqual(['sent', 'sent', 'sent']);
    const kinds = desk.whatsapp.sent.map(({ message }) =>
      Object.keys(message).find((name) => name !== 'messageContextInfo'),
    );
    expect(kinds).toEqual([
      'conversation',
      'albumMessage',
      'imageMessage',
      'imageMessage',
      'imageMessage',
      'conversation',
    ]);
    await desk.until(async () => (await desk.outbox()).length === 0);
  });

  test('to many, its pictures are kept once', async () => {
    const recipients = [BOBS_NUMBER, BOBS_NUMBER, BOBS_NUMBER];
    const { number: _, ...message } = album();
    const answer = await desk.post('/bulk', {
      recipients,
      message: { type: 'album', ...message },
      send_at: desk.at(HOUR_MS),
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    expect(await desk.outbox()).toHaveLength(3);
    desk.advance(HOUR_MS);
    await desk.untilBulkIsOver(answer.body.bulk.id, 1000);
    expect(desk.whatsapp.sent.filter(isAlbum)).toHaveLength(3);
    expect(desk.whatsapp.sent).toHaveLength(12);
    await desk.until(async () => (await desk.outbox()).length === 0);
  });

  test('one that is wrong is named, and nothing is sent', async () => {
    const media = [{ image: pictures[0] }, { url: 'https://example.com/a.jpg' }];
    const answer = await bulk([
      { type: 'album', ...album() },
      { type: 'album', ...album({ media }) },
    ]);
    expect([answer.status, answer.body.validation[0].field]).toEqual([400, 'messages.1.media.1.type']);
    const timed = await bulk([{ type: 'album', ...album({ send_at: desk.at(HOUR_MS) }) }]);
    expect([timed.status, timed.body.validation[0].field]).toEqual([400, 'messages.0.send_at']);
    expect(desk.whatsapp.sent).toEqual([]);
  });

  test('of which a part has arrived when the device is lost for good, it ends the rest', async () => {
    const answer = await bulk([
      { type: 'album', ...album() },
      { type: 'text', number: BOBS_NUMBER, text: 'last' },
    ]);
    failFrom(1, closed);
    await desk.until(async () => (await desk.bulk(answer.body.bulk.id)).messages[0].items);
    desk.account.online = false;
    const began = desk.now();
    const done = await desk.untilBulkIsOver(answer.body.bulk.id, 10_000);
    expect(done.messages.map((each: { state: string }) => each.state)).toEqual(['sent', 'failed']);
    expect(desk.now() - began).toBeLessThan(2 * LATE_MS);
  });
});
