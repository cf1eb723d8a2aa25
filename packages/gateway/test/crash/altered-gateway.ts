/**
 * A gateway that is slow to store messages, as on a busy disk, and with `without-journal` throws the journal
 * away: the first must lose nothing, the second must be caught by the crash test. Exists for the test alone:
 * the product has no such switches.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createGateway } from '../../src/gateway.ts';
import { createLog } from '../../src/observability/log.ts';
import { createBaileysSessionFactory } from '../../src/whatsapp/baileys/session.ts';
import type { CredentialStore } from '../../src/whatsapp/port/credentials.ts';
import type { SessionFactory } from '../../src/whatsapp/port/session.ts';

/** Receipts leave every few milliseconds: what they vouch for is then mostly not in the archive yet. */
const SLOW_STORE_MS = 40;

const config = loadConfig(process.env);
const log = createLog({ level: config.logLevel, format: config.logFormat });
const real = createBaileysSessionFactory({ network: config.network, log, clock: systemClock });
const forgetful = process.argv.includes('without-journal');

/** Ratchets are stored as ever; what was decrypted is not. */
function withoutJournal(store: CredentialStore): CredentialStore {
  return {
    readCredentials: () => store.readCredentials(),
    writeCredentials: (value) => store.writeCredentials(value),
    readKeys: (type, ids) => store.readKeys(type, ids),
    write: (changes) => store.write(changes),
    readJournal: async () => [],
    deleteJournal: async () => undefined,
    setAside: async () => undefined,
    clear: () => store.clear(),
  };
}

const createSession: SessionFactory = (session) =>
  real({
    ...session,
    credentials: forgetful ? withoutJournal(session.credentials) : session.credentials,
    async report(event) {
      if (event.type === 'message') await pause(SLOW_STORE_MS);
      await session.report(event);
    },
  });

const gateway = await createGateway(config, { createSession });
process.once('SIGTERM', () => void gateway.stop().then(() => process.exit(0)));
await gateway.start();
