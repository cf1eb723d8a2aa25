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

it('links a second number, and leaves the first as it is', async () => {
  const token = await world.tenant('second');
  const first = await world.sandbox.createPhone({ name: 'Bea', number: '5511999990011' });
  const second = await world.sandbox.createPhone({ name: 'Caio', number: '5511999990012' });
  await world.linkByQr(token, first);
  const lines: string[] = [];
  const input = { url: world.gateway.url, token, name: 'counter' };
  const paired = pair(input, (line) => lines.push(line), 20);
  await until('a QR is drawn', async () => lines.some((line) => line.includes('▄')));
  await second.scanQr((await world.as(token).get('/qr')).body.data.qr_code);
  await paired;
  expect(lines.at(-1)).toBe('Linked and connected: 5511999990012');
  expect((await world.as(token).get('/devices')).body.devices).toMatchObject([
    { whatsapp_jid: first.jid, connected: true },
    { whatsapp_jid: second.jid, connected: true, name: 'counter' },
  ]);
});

it('fails with what the gateway said', async () => {
  await expect(pair({ url: world.gateway.url, token: 'nonsense' }, () => undefined, 20)).rejects.toThrow(
    'the gateway answered 401: Invalid token',
  );
});
