/** Credentials and keys of a device as the engine takes them, kept in the credential store. */
import { randomInt } from 'node:crypto';
import type { CredentialStore, JournalEntry, KeyChange } from '../../port/credentials.ts';
import {
  type AuthenticationCreds,
  initAuthCreds,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
} from '../library.ts';
import {
  decodeCredentials,
  decodeStoredValue,
  encodeCredentials,
  encodeStoredValue,
} from './stored-values.ts';

/** A key type of ours that rides in the engine's own transactions: see `decryption-tap.ts`. */
const JOURNAL_KEY_TYPE = 'inbound-journal';

/** One more than the highest. */
const REGISTRATION_IDS = 16_381;

type JournalRows = SignalDataSet & { [JOURNAL_KEY_TYPE]?: { [id: string]: JournalEntry } };

/** Rows of the journal as a key store takes them, alone or among keys of the engine. */
export function journalRows(entries: readonly JournalEntry[]): JournalRows {
  return { [JOURNAL_KEY_TYPE]: Object.fromEntries(entries.map((entry) => [entry.id, entry])) };
}

export interface AuthState {
  creds: AuthenticationCreds;
  keys: SignalKeyStore;
  /** Persists the current credentials; calls are serialised and coalesced. */
  saveCredentials(): Promise<void>;
}

export async function loadAuthState(store: CredentialStore): Promise<AuthState> {
  const stored = await store.readCredentials();
  const creds = stored ? decodeCredentials(stored) : newCredentials();
  forgetUnfinishedPairing(creds);
  return { creds, keys: signalKeyStore(store), saveCredentials: coalescedSave(store, creds) };
}

/**
 * The library draws the registration id from one byte (generics.js `generateRegistrationId`), and 0 in one of 256 cases;
 * Signal's own draws from 14 bits, and never 0 (libsignal-protocol KeyHelper).
 */
function newCredentials(): AuthenticationCreds {
  return { ...initAuthCreds(), registrationId: randomInt(1, REGISTRATION_IDS) };
}

/** `requestPairingCode` sets `me` before the phone agreed; with it a new socket would try to log in. */
function forgetUnfinishedPairing(creds: AuthenticationCreds): void {
  if (creds.me && !creds.account) {
    delete creds.me;
    creds.pairingCode = undefined;
    creds.registered = false;
  }
}

function signalKeyStore(store: CredentialStore): SignalKeyStore {
  return {
    async get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
      const found = await store.readKeys(type, ids);
      const values: { [id: string]: SignalDataTypeMap[T] } = {};
      for (const [id, bytes] of found) values[id] = decodeStoredValue(type, bytes);
      return values;
    },
    async set({ [JOURNAL_KEY_TYPE]: journal = {}, ...data }: JournalRows) {
      const changes: KeyChange[] = [];
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries ?? {})) {
          changes.push({ type, id, value: value == null ? null : encodeStoredValue(value) });
        }
      }
      await store.write(changes, Object.values(journal));
    },
  };
}

function coalescedSave(store: CredentialStore, creds: AuthenticationCreds): () => Promise<void> {
  let running: Promise<void> | null = null;
  let again = false;
  const run = async (): Promise<void> => {
    do {
      again = false;
      await store.writeCredentials(encodeCredentials(creds));
    } while (again);
  };
  return () => {
    if (running) {
      again = true;
      return running;
    }
    running = run().finally(() => {
      running = null;
    });
    return running;
  };
}
