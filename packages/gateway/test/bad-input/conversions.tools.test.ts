/** Sound made to keep a converter busy. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { descendants, runs } from '../story/child-processes.ts';
import { until } from '../story/harness.ts';
import { LinkedProcess } from '../story/linked-process.ts';
import { expectRefused, LinkedShop } from './linked-shop.ts';

/** Processes are started, and the machine is kept busy. */
vi.setConfig({ testTimeout: 90_000 });

let folder: string;
let linked: LinkedShop;
/** An hour and a half of silence in a small file: seconds of work. */
let long: string;
let short: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wuts-samples-'));
  linked = await LinkedShop.create();
  [long, short] = await Promise.all([silence(5400), silence(1)]);
}, 90_000);
afterAll(async () => {
  await linked?.world.destroy();
  await rm(folder, { recursive: true, force: true });
});

async function silence(seconds: number): Promise<string> {
  const path = join(folder, `${seconds}.flac`);
  const source = ['-f', 'lavfi', '-t', String(seconds), '-i', 'anullsrc=r=8000:cl=mono'];
  await promisify(execFile)('ffmpeg', ['-loglevel', 'error', ...source, path]);
  return (await readFile(path)).toString('base64');
}

const voice = (audio: string) => ({ number: linked.contact.number, audio, ptt: true });

test('sound that is too long is refused at once', async () => {
  const shop = await LinkedShop.create({ WUTS_FFMPEG_MAX_DURATION: '1h' });
  try {
    const answer = await shop.api.post('/send/audio', voice(long));
    expectRefused(answer, { status: 400, code: 'INVALID_MEDIA', field: 'audio' });
    expect(answer.body.error).toContain('longer than 3600 seconds');
  } finally {
    await shop.world.destroy();
  }
});

test('long conversions of one tenant do not keep another waiting', async () => {
  const { world, api } = linked;
  const other = await world.tenant('bystander');
  const phone = await world.sandbox.createPhone({ number: '5511999994003', name: 'Bystander' });
  await world.linkByQr(other, phone);
  let answered = 0;
  const attack = Array.from({ length: 3 }, () =>
    api.post('/send/audio', voice(long)).then((answer) => {
      answered += 1;
      return answer;
    }),
  );
  await until('one is being converted', async () => {
    return (await descendants(process.pid, '-application voip')).length > 0;
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
    const converter = await until('it is being converted', async () => {
      return (await descendants(gateway.pid, '-application voip'))[0];
    });
    await gateway.kill();
    expect(await cut).toBe('cut off');
    await until('the converter is gone', async () => !(await runs(converter)));
  } finally {
    await gateway.destroy();
  }
});
