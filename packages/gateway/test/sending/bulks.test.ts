/** A bulk has one time, one deadline and one end. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SendRejected } from '../../src/whatsapp/port/errors.ts';
import { CAROLS_NUMBER, DAY_MS, HOUR_MS, JobDesk, text } from './job-desk.ts';
import { LATE_MS } from './sending-world.ts';

let desk: JobDesk;
beforeEach(async () => {
  desk = await JobDesk.open();
});
afterEach(() => desk.close());

const messages = Array.from({ length: 3 }, (_, n) => ({ type: 'text', ...text({ text: `m${n}` }) }));

/** Three texts a minute apart, or whatever `more` makes of it; the bulk's id. */
async function start(more: object = {}): Promise<string> {
  const body = { messages, min_pause_seconds: 60, max_pause_seconds: 60, ...more };
  const answer = await desk.post('/bulk', body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body.bulk.id;
}

test('cancelling the first of one that is planned for tomorrow does not begin it', async () => {
  const id = await start({ send_at: desk.at(DAY_MS) });
  const [first] = (await desk.bulk(id)).messages;
  await desk.delete(`/jobs/${first.id}`);
  const [, second] = (await desk.bulk(id)).messages;
  expect(Date.parse(second.send_at)).toBe(desk.now() + DAY_MS);
  desk.advance(HOUR_MS);
  expect((await desk.bulk(id)).bulk.open).toBe(2);
  desk.advance(DAY_MS - HOUR_MS);
  await desk.untilBulkIsOver(id, 10_000);
  expect(desk.whatsapp.sent).toHaveLength(2);
});

test('waits for the end of a limit that WhatsApp named, however long', async () => {
  const id = await start();
  await desk.until(async () => (await desk.bulk(id)).bulk.sent === 1);
  desk.account.limit = { until: desk.now() + 5 * HOUR_MS, reason: 'reachout' };
  const scheduled = await desk.scheduled({ number: CAROLS_NUMBER, send_at: desk.at(60_000) });
  const toCarol = await start({ messages: [{ type: 'text', number: CAROLS_NUMBER, text: 'b' }] });
  desk.advance(60_000);
  await desk.until(async () => (await desk.job(scheduled)).attempts === 1);
  await desk.until(async () => (await desk.bulk(toCarol)).messages[0].attempts === 1);
  desk.advance(2 * LATE_MS);
  expect((await desk.job(scheduled)).state).toBe('scheduled');
  desk.advance(5 * HOUR_MS - 2 * LATE_MS);
  desk.account.limit = null;
  await desk.untilJob(scheduled, 'sent', 1000);
  await desk.untilBulkIsOver(toCarol, 1000);
});

test('one that met a gateway that was off is late as a whole', async () => {
  const id = await start({ send_at: desk.at(HOUR_MS) });
  await desk.world.stopJobs();
  desk.advance(HOUR_MS + 2 * LATE_MS);
  await desk.world.startJobs();
  const done = await desk.untilBulkIsOver(id);
  expect(done.messages.map((each: { error_code: string }) => each.error_code)).toEqual(
    Array(3).fill('SEND_TIME_PASSED'),
  );
  expect(desk.whatsapp.sent).toEqual([]);
});

test('on a device that does not come back all end with the first', async () => {
  desk.account.online = false;
  const began = desk.now();
  const done = await desk.untilBulkIsOver(await start(), 10_000);
  expect(done.bulk).toMatchObject({ failed: 3 });
  for (const each of done.messages) {
    expect(each).toMatchObject({ error_code: 'DEVICE_NOT_READY', reason: 'stopped' });
  }
  expect(desk.now() - began).toBeLessThan(2 * LATE_MS);
});

test('what WhatsApp refuses of it has the code of WhatsApp', async () => {
  desk.whatsapp.answer = () => Promise.reject(new SendRejected(479, 'restricted'));
  const done = await desk.untilBulkIsOver(await start(), 10_000);
  for (const each of done.messages) {
    expect(each).toMatchObject({ error_code: 'REJECTED_BY_WHATSAPP', whatsapp_code: 479 });
  }
});
