import { connect } from 'node:net';
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../../src/clock.ts';
import { until, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

const clock = new ManualClock(Date.now());
let world: World;
let token: string;
let contact: Phone;

// The pace is that of the default settings.
beforeAll(async () => {
  ({ world, token, contact } = await openShop({ tenant: 'busy', clock }));
});
afterAll(() => world?.destroy());

/** One request after the other down one connection, so that there is an order in which they come. */
function pipelined(texts: string[], onAnswer: (status: number) => void): void {
  const { hostname, port } = new URL(world.gateway.url);
  const socket = connect(Number(port), hostname);
  const requests = texts.map((text, index) => {
    const delay = index === texts.length - 1 ? 30 : 0;
    const body = JSON.stringify({ number: contact.number, text, delay });
    return (
      `POST /send/text HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    );
  });
  let rest = '';
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1');
    for (;;) {
      const found = /^HTTP\/1\.1 (\d{3})[\s\S]*?content-length: (\d+)[\s\S]*?\r\n\r\n/i.exec(rest);
      const end = found ? found[0].length + Number(found[2]) : Number.POSITIVE_INFINITY;
      if (!found || rest.length < end) return;
      rest = rest.slice(end);
      onAnswer(Number(found[1]));
    }
  });
  socket.write(requests.join(''));
}

test('200 sends at once are 200 answers 200, and arrive in order', async () => {
  const texts = Array.from({ length: 200 }, (_, index) => `message ${index}`);
  const began = clock.now();
  const statuses: number[] = [];
  pipelined(texts, (status) => statuses.push(status));
  for (let answered = 0; answered < texts.length; ) {
    // One turn every half second, once the burst of 120 is gone.
    if (answered >= 120) clock.advance(500);
    const before = answered;
    await until(`more than ${before} of 200 are answered`, async () => {
      answered = statuses.length;
      return answered > before;
    });
  }
  expect(new Set(statuses)).toEqual(new Set([200]));
  const arrived = (): string[] => contact.inbox.flatMap(({ text }) => text ?? []);
  await until('all have arrived', async () => arrived().length === texts.length);
  expect(arrived()).toEqual(texts);
  // The last one has waited for its turn longer than its delay.
  expect(clock.now() - began).toBe(40_000);
});
