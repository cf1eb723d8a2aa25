/** A phone hears that it is linked once the credentials are stored, and not before. */
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';
import { openSession, sessionsOn } from './linked-session.ts';
import { MemoryCredentials } from './memory-credentials.ts';
import { Recorder } from './recorder.ts';

let sandbox: Sandbox;
let factory: SessionFactory;
let bystanders: [Phone, Phone];

beforeAll(async () => {
  sandbox = await startSandbox();
  factory = sessionsOn(sandbox);
  bystanders = [
    await sandbox.createPhone({ number: '5511988895001', name: 'One' }),
    await sandbox.createPhone({ number: '5511988895002', name: 'Other' }),
  ];
});
afterAll(() => sandbox.stop());

/** A store that does with the credentials of a linked account what the test wants. */
class WatchedCredentials extends MemoryCredentials {
  readonly #beforeLinked: () => Promise<void>;
  constructor(beforeLinked: () => Promise<void>) {
    super();
    this.#beforeLinked = beforeLinked;
  }
  override async writeCredentials(value: Uint8Array): Promise<void> {
    const { account } = JSON.parse(Buffer.from(value).toString()) as { account?: unknown };
    if (account) await this.#beforeLinked();
    await super.writeCredentials(value);
  }
}

async function link(number: string, credentials: MemoryCredentials) {
  const phone = await sandbox.createPhone({ number, name: 'Shop' });
  const recorder = new Recorder();
  const session = await openSession(factory, credentials, recorder);
  const { code } = await recorder.next('qr', (qr) => qr.code.length > 0);
  return { phone, recorder, session, scanned: phone.scanQr(code) };
}

test('a linking that cannot be stored is none, for the phone as for us', async () => {
  const credentials = new WatchedCredentials(async () => {
    // Time enough for a reply: others exchange messages meanwhile.
    for (let n = 1; n <= 20; n += 1) {
      const { id } = await bystanders[0].sendText(bystanders[1], String(n));
      await bystanders[1].waitForMessage((message) => message.id === id);
    }
    throw new Error('ENOSPC');
  });
  const { phone, scanned, recorder, session } = await link('5511988895004', credentials);
  await expect(scanned).rejects.toThrow();
  expect(await recorder.next('closed')).toMatchObject({
    reason: 'pairing_failed',
    detail: 'the credentials could not be stored',
  });
  expect(recorder.events.filter(({ type }) => type === 'paired')).toEqual([]);
  expect(phone.companions).toEqual([]);
  await session.stop().catch(() => undefined);
});

test('a linking that nobody wants any more is none, for the phone as for us', async () => {
  const phone = await sandbox.createPhone({ number: '5511988895005', name: 'Shop' });
  const recorder = new Recorder();
  recorder.refuse = ({ type }) => type === 'paired';
  const session = await openSession(factory, new MemoryCredentials(), recorder);
  const { code } = await recorder.next('qr', (qr) => qr.code.length > 0);
  await expect(phone.scanQr(code)).rejects.toThrow();
  expect((await recorder.next('closed')).reason).toBe('pairing_failed');
  expect(phone.companions).toEqual([]);
  await session.stop().catch(() => undefined);
});
