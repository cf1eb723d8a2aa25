import type { Phone, Sandbox } from '@wuts/sandbox';
import { expect } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createBaileysSessionFactory } from '../../src/whatsapp/baileys/session.ts';
import type { SessionFactory, WhatsAppSession } from '../../src/whatsapp/port/session.ts';
import { MemoryCredentials } from './memory-credentials.ts';
import { Recorder } from './recorder.ts';

export interface Linked {
  session: WhatsAppSession;
  recorder: Recorder;
  credentials: MemoryCredentials;
  phone: Phone;
}

type EngineParts = Parameters<typeof createBaileysSessionFactory>[0];

/** The engine on the sandbox's network. It logs nothing, but for what `log` takes. */
export function sessionsOn(
  sandbox: Sandbox,
  { log, ...more }: Partial<Omit<EngineParts, 'log'>> & { log?: Partial<EngineParts['log']> } = {},
): SessionFactory {
  return createBaileysSessionFactory({
    network: { url: sandbox.url, rootKey: Buffer.from(sandbox.rootKey, 'hex'), caFile: sandbox.caFile },
    log: { debug: () => undefined, warn: () => undefined, error: () => undefined, ...log },
    clock: systemClock,
    ...more,
  });
}

/** A session over these credentials, started. */
export async function openSession(
  factory: SessionFactory,
  credentials: MemoryCredentials,
  recorder: Recorder,
): Promise<WhatsAppSession> {
  const session = await factory({
    deviceId: 'test',
    credentials,
    report: recorder.report,
    route: null,
    loadSentMessage: async () => null,
    hasReceived: async ({ id }) => recorder.received.has(id),
  });
  await session.start();
  return session;
}

/** A session linked by QR to a phone in the sandbox (a new one for a number), open. */
export async function linkSession(
  sandbox: Sandbox,
  factory: SessionFactory,
  owner: string | Phone,
  refuse: Recorder['refuse'] = null,
): Promise<Linked> {
  const phone =
    typeof owner === 'string'
      ? await sandbox.createPhone({ number: owner, name: `Owner of ${owner}` })
      : owner;
  const credentials = new MemoryCredentials();
  const recorder = new Recorder();
  recorder.refuse = refuse;
  const pairing = await openSession(factory, credentials, recorder);
  const { code } = await recorder.next('qr', (qr) => qr.code.length > 0);
  const scanned = phone.scanQr(code);
  expect((await recorder.next('closed')).reason).toBe('restart_required');
  await pairing.stop();
  const session = await openSession(factory, credentials, recorder);
  await scanned;
  await recorder.next('open');
  return { session, recorder, credentials, phone };
}
