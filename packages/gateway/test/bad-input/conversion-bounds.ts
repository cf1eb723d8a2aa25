import { afterAll, beforeAll, expect, test } from 'vitest';
import { descendants, runs } from '../end-to-end/child-processes.ts';
import { until } from '../end-to-end/harness.ts';
import { LinkedProcess } from '../end-to-end/linked-process.ts';
import { expectRefused, LinkedShop } from './linked-shop.ts';

/** A frame of MPEG-2.5 layer III, mono, 8 kHz, 8 kbit/s: 72 ms of silence in 72 bytes. */
const SILENCE = Buffer.concat([Buffer.from('ffe318c4', 'hex'), Buffer.alloc(68)]);
const FRAMES_PER_SECOND = 8000 / 576;

function silence(seconds: number): string {
  return Buffer.alloc(SILENCE.length * Math.ceil(seconds * FRAMES_PER_SECOND), SILENCE).toString('base64');
}

/**
 * Sound made to keep a converter busy, whichever one the machine has. `converter` is in the command line of the
 * process that converts, `longSeconds` keep it busy for seconds.
 */
export function conversionsAreBounded({
  converter,
  longSeconds,
}: {
  converter: string;
  longSeconds: number;
}): void {
  /** Processes are started, and the machine is kept busy. */
  let linked: LinkedShop;
  const long = silence(longSeconds);
  const short = silence(1);

  beforeAll(async () => {
    linked = await LinkedShop.create();
  });
  afterAll(() => linked?.world.destroy());

  const voice = (audio: string) => ({ number: linked.contact.number, audio, ptt: true });

  test('sound that is too long is refused at once', async () => {
    const shop = await LinkedShop.create({ WUTS_FFMPEG_MAX_DURATION: '5m' });
    try {
      const answer = await shop.api.post('/send/audio', voice(long));
      expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'audio' });
      expect(answer.body.error).toContain('longer than 300 seconds');
    } finally {
      await shop.world.destroy();
    }
  });

  test('long conversions of one tenant do not keep another waiting', async () => {
    const { world, api } = linked;
    const other = await world.tenant('bystander');
    const phone = await world.sandbox.createPhone({ number: '5511999994009', name: 'Bystander' });
    await world.linkByQr(other, phone);
    let answered = 0;
    const attack = Array.from({ length: 3 }, () =>
      api.post('/send/audio', voice(long)).then((answer) => {
        answered += 1;
        return answer;
      }),
    );
    await until('one is being converted', async () => {
      return (await descendants(process.pid, converter)).length > 0;
    });
    expect((await world.as(other).post('/send/audio', voice(short))).status).toBe(200);
    expect(answered).toBeLessThan(attack.length);
    for (const { status } of await Promise.all(attack)) expect([200, 202]).toContain(status);
  });

  test('a gateway that is killed leaves no converter at work', async () => {
    const gateway = await LinkedProcess.start();
    try {
      const cut = gateway.api
        .post('/send/audio', { number: gateway.contact.number, audio: long, ptt: true })
        .catch(() => 'cut off');
      const working = await until('it is being converted', async () => {
        return (await descendants(gateway.pid, converter))[0];
      });
      await gateway.kill();
      expect(await cut).toBe('cut off');
      await until('the converter is gone', async () => !(await runs(working)));
    } finally {
      await gateway.destroy();
    }
  });
}
