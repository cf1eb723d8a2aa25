import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRfc3339 } from '../../src/clock.ts';
import { LinkedShop } from './linked-shop.ts';
import { rawRequest } from './raw-request.ts';

/** Nobody can say when these are. */
const NO_TIMES = [
  '2096-02-30T10:00:00Z',
  '2095-02-29T10:00:00Z',
  '2096-04-31T10:00:00Z',
  '2096-06-30T23:59:60Z',
  '2096-13-01T10:00:00Z',
  '2096-06-30T24:00:00Z',
  '2096-06-30T10:00:00+24:00',
  '2096-06-30T10:00:00',
];

let linked: LinkedShop;
beforeAll(async () => {
  linked = await LinkedShop.create();
});
afterAll(() => linked.world.destroy());

const number = '5511999994002';

const PLACES: {
  what: string;
  method: string;
  path: (time: string) => string;
  body?: (time: string) => object;
}[] = [
  {
    what: 'send_at',
    method: 'POST',
    path: () => '/send/text',
    body: (time) => ({ number, text: 'x', send_at: time }),
  },
  {
    what: 'the begin of an event',
    method: 'POST',
    path: () => '/send/event',
    body: (time) => ({ to: '120363039000000000@g.us', name: 'x', start_time: time }),
  },
  { what: 'a search', method: 'GET', path: (time) => `/messages?after=${encodeURIComponent(time)}` },
  {
    what: 'a replay',
    method: 'POST',
    path: () => '/webhook/replay',
    body: (time) => ({ from: time }),
  },
];

test.each(PLACES)('$what: a time that does not exist is 400', async ({ method, path, body }) => {
  for (const time of NO_TIMES) {
    const answer = await rawRequest(linked.world.gateway.url, method, path(time), {
      headers: { authorization: `Bearer ${linked.token}`, 'content-type': 'application/json' },
      body: body ? JSON.stringify(body(time)) : '',
    });
    expect([time, answer.status], JSON.stringify(answer.body)).toEqual([time, 400]);
    // Not that it is too far ahead, as a time would be.
    expect(answer.body.validation[0].message).not.toContain('ahead');
  }
});

test('times that do exist, to the millisecond', () => {
  expect(parseRfc3339('2096-02-29T10:00:00.5Z')).toBe(Date.UTC(2096, 1, 29, 10, 0, 0, 500));
  expect(parseRfc3339('2000-02-29 23:59:59-03:00')).toBe(Date.UTC(2000, 2, 1, 2, 59, 59));
  expect(parseRfc3339('2026-12-24T18:00+00:00')).toBe(Date.UTC(2026, 11, 24, 18));
});
