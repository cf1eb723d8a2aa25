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
export const JOURNAL_KEY_TYPE = 'inbound-journal';

export interface AuthState {
  creds: AuthenticationCreds;
  keys: SignalKeyStore;
  /** Persists the current credentials; calls are serialised and coalesced. */
  saveCredentials(): Promise<void>;
}

export async function loadAuthState(store: CredentialStore): Promise<AuthState> {
  const stored = await store.readCredentials();
  const creds = stored ? decodeCredentials(stored) : initAuthCreds();
  forgetUnfinishedPairing(creds);
  return { creds, keys: signalKeyStore(store), saveCredentials: coalescedSave(store, creds) };
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
    async set(data: SignalDataSet) {
      const changes: KeyChange[] = [];
      const journal: JournalEntry[] = [];
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries ?? {})) {
          if (type === JOURNAL_KEY_TYPE) journal.push(value as unknown as JournalEntry);
          else changes.push({ type, id, value: value == null ? null : encodeStoredValue(value) });
        }
      }
      await store.write(changes, journal);
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
