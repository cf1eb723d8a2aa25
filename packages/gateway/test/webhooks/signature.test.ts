import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signBody, standardKey } from '../../src/webhooks/signature.ts';
import { WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
beforeAll(async () => {
  world = await WebhookWorld.create();
  // Receivers compare the timestamp with their own clock.
  world.clock.advance(Math.max(0, Date.now() - world.clock.now()));
});
afterAll(() => world.destroy());

/** What a receiver with this secret gets. */
async function delivered(secret: string) {
  const { receiver, device, endpoint } = await world.connected({ secret });
  await world.recordEvent(device, 'message.received', 'chat', { n: 1, content: 'Olá, "você" 👋 \u2028' });
  await world.untilStates(endpoint, 'delivered');
  const [got] = receiver.received;
  if (!got) throw new Error('nothing came');
  return got;
}

const GENERATED = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('the signature member', () => {
  test.each([
    GENERATED,
    'whsec_9f3c1a2b7d4e5f60',
    'a plain secret',
    'segredo ção',
  ])('is the last one, over the body without it: %s', async (secret) => {
    const { text, event, headers } = await delivered(secret);
    expect(Object.keys(event).at(-1)).toBe('signature');
    const member = `,"signature":"${event.signature}"}`;
    expect(text.endsWith(member)).toBe(true);
    const signed = `${text.slice(0, -member.length)}}`;
    const expected = `sha256=${createHmac('sha256', secret).update(signed).digest('hex')}`;
    expect(event.signature).toBe(expected);
    expect(headers['x-wuts-signature']).toBe(expected);
    const { signature: _signature, ...rest } = event;
    expect(JSON.parse(signed)).toEqual(rest);
  });

  test('a known one', () => {
    expect(signBody('{"id":"1"}', 'secret')).toEqual({
      body: '{"id":"1","signature":"sha256=6146142a2ce0159e84c0767881e4ec80bc397da62526e7d19f70795eb79460c0"}',
      signature: 'sha256=6146142a2ce0159e84c0767881e4ec80bc397da62526e7d19f70795eb79460c0',
    });
  });
});

describe('Standard Webhooks', () => {
  test.each([GENERATED, 'whsec_9f3c1a2b7d4e5f60'])('its library verifies %s', async (secret) => {
    const { text, headers, event } = await delivered(secret);
    expect(new Webhook(secret).verify(text, headers)).toEqual(event);
    expect(() => new Webhook(secret).verify(text.replace('"n":1', '"n":2'), headers)).toThrow();
    expect(() => new Webhook(GENERATED.replace('M', 'N')).verify(text, headers)).toThrow();
  });

  test.each(['a plain secret', 'whsec_not base64!'])('and %s in its raw format', async (secret) => {
    const { text, headers, event } = await delivered(secret);
    expect(new Webhook(secret, { format: 'raw' }).verify(text, headers)).toEqual(event);
  });

  test('the key of whsec_ is decoded when it is base64, else the text', () => {
    expect(standardKey('whsec_AAEC')).toEqual(Buffer.from([0, 1, 2]));
    expect(standardKey('whsec_AAE=')).toEqual(Buffer.from([0, 1]));
    expect(standardKey('whsec_AA==')).toEqual(Buffer.from([0]));
    expect(standardKey('whsec_+/+/AAEC')).toEqual(Buffer.from('+/+/AAEC', 'base64'));
    for (const text of [
      'whsec_',
      'whsec_AAE',
      'whsec_!AAEC',
      'whsec_AAEC!',
      'whsec_A===',
      'AAEC',
      'AAECwhsec_',
    ]) {
      expect(standardKey(text)).toEqual(Buffer.from(text));
    }
  });
});
