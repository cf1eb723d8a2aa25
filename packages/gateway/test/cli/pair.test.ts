import { afterAll, beforeAll, expect, it } from 'vitest';
import { pair } from '../../src/cli/pair.ts';
import { until, World } from '../story/harness.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.destroy());

it('draws the QR of a running gateway and ends when a phone has scanned it', async () => {
  const token = await world.tenant('pairing');
  const phone = await world.sandbox.createPhone({ name: 'Ana', number: '5511999990001' });
  const lines: string[] = [];
  const paired = pair({ url: world.gateway.url, token }, (line) => lines.push(line), 20);
  await until('a QR is drawn', async () => lines.some((line) => line.includes('▄')));
  const { body } = await world.as(token).get('/qr');
  await phone.scanQr(body.data.qr_code);
  await paired;
  expect(lines.at(-1)).toBe('Linked and connected: 5511999990001');
});

it('fails with what the gateway said', async () => {
  await expect(pair({ url: world.gateway.url, token: 'nonsense' }, () => undefined, 20)).rejects.toThrow(
    'the gateway answered 401: Invalid token',
  );
});
