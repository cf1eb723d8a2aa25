import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctor } from '../../src/cli/doctor.ts';
import { pair } from '../../src/cli/pair.ts';
import { AdvancingClock } from '../../src/clock.ts';
import { until, World } from '../end-to-end/harness.ts';

let world: World;
const clock = new AdvancingClock();
beforeAll(async () => {
  world = await World.create({ clock });
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

describe('for an account that needs a passkey', () => {
  /** `wuts pair` in a terminal whose phone has scanned, with what it printed and a hand on its keyboard. */
  async function scanned(number: string) {
    const token = await world.tenant(`passkey-${number}`);
    const phone = await world.sandbox.createPhone({ name: 'Davi', number, passkey: 'required' });
    const lines: string[] = [];
    let type = (_line: string): void => undefined;
    const typed = (line: (text: string) => void): void => {
      type = line;
    };
    const paired = pair({ url: world.gateway.url, token, typed }, (line) => lines.push(line), 20);
    paired.catch(() => undefined);
    await until('a QR is drawn', async () => lines.some((line) => line.includes('▄')));
    const { data } = (await world.as(token).get('/qr')).body;
    const linked = phone.scanQr(data.qr_code);
    linked.catch(() => undefined);
    const printed = (text: string) =>
      until(`"${text}" is printed`, async () => lines.find((line) => line.includes(text)));
    const link = await printed('/passkey/#');
    const path = `/devices/${data.device_id}/passkey`;
    const { request_options: options } = (await world.as(token).get(path)).body.data;
    return { token, phone, lines, type: (line: string) => type(line), paired, printed, link, options };
  }

  it('prints a link and lines for the console, and takes the answer that is pasted', async () => {
    const { phone, lines, type, paired, printed, link, options } = await scanned('5511999990021');
    expect(link).toMatch(new RegExp(`^  ${world.gateway.url}/passkey/#[\\w-]{43}$`));
    expect(await printed('navigator.credentials.get')).toContain(JSON.stringify(options));
    expect(lines.join('\n')).toContain('10 min left');
    type('this is no answer');
    await printed('That is no answer of a passkey');
    type(JSON.stringify(phone.authenticator.sign({ ...options, challenge: 'b3RoZXI' })));
    await printed('Not taken: another challenge was signed');
    type(JSON.stringify(phone.authenticator.sign(options)));
    await paired;
    expect(lines.at(-1)).toBe('Linked and connected: 5511999990021');
    // One link and one set of lines, however often it looked.
    expect(lines.filter((line) => line.includes('/passkey/#'))).toHaveLength(1);
  });

  it('shows the code, and takes yes for it', async () => {
    const { phone, type, paired, printed, options } = await scanned('5511999990022');
    clock.advance(6 * 60_000);
    type(JSON.stringify(phone.authenticator.sign(options)));
    const question = await printed('Does WhatsApp on the phone show the code');
    expect(question).toContain((await phone.passkeyCode()).code);
    type('perhaps');
    await printed('Type yes if the phone shows the same code');
    type('yes');
    await paired;
  });

  it('ends when the code differs, and says what it was', async () => {
    const { phone, type, paired, printed, options } = await scanned('5511999990023');
    clock.advance(6 * 60_000);
    type(JSON.stringify(phone.authenticator.sign(options)));
    await printed('Does WhatsApp on the phone show the code');
    type('no');
    await expect(paired).rejects.toThrow('not linked: the linking was stopped');
  });

  it('is known to wuts doctor, with the time that is left', async () => {
    const { token } = await scanned('5511999990024');
    const { devices } = (await world.as(token).get('/devices')).body;
    const found: string[] = [];
    const settings = { WUTS_DATA_DIR: world.dataDir, WUTS_NETWORK_URL: world.sandbox.url };
    await doctor(
      {
        ...settings,
        WUTS_NETWORK_ROOT_KEY: world.sandbox.rootKey,
        WUTS_NETWORK_CA_FILE: world.sandbox.caFile,
      },
      (line) => found.push(line),
    );
    const [{ id }] = devices;
    expect(found.join('\n')).toMatch(
      new RegExp(`warn device WhatsApp \\(${id}\\) waits for its passkey in a browser, \\d+ min left`),
    );
  });
});

it('fails with what the gateway said', async () => {
  await expect(pair({ url: world.gateway.url, token: 'nonsense' }, () => undefined, 20)).rejects.toThrow(
    'the gateway answered 401: Invalid token',
  );
});
