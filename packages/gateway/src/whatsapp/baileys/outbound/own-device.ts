import type { AuthenticationCreds, SignalDataTypeMap, SignalKeyStore } from '../library.ts';
import { SENDER_KEY_MEMORY } from './departure.ts';

/**
 * The key store for the library, for which this very device has the sender keys that it makes. In groups whose members
 * are named by LID the library takes it for another device, because it compares the name with that of all devices
 * (signal.js `extractDeviceJids`): it would fetch a pre-key of our own, begin a session with ourselves, and hand the key
 * to us in the stanza. whatsmeow leaves its own device out by either name (send.go encryptMessageForDevices).
 */
export function holdingOwnKeys(keys: SignalKeyStore, creds: Pick<AuthenticationCreds, 'me'>): SignalKeyStore {
  return {
    ...keys,
    get: async (type, ids) => {
      const found = await keys.get(type, ids);
      if (type !== SENDER_KEY_MEMORY) return found;
      const { me } = creds;
      const own = Object.fromEntries([me?.id, me?.lid].flatMap((jid) => (jid ? [[jid, true]] : [])));
      return Object.fromEntries(
        ids.map((id) => [id, { ...(found[id] as SignalDataTypeMap[typeof SENDER_KEY_MEMORY]), ...own }]),
      ) as typeof found;
    },
  };
}
