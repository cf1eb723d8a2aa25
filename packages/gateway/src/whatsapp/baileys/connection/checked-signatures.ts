/**
 * Whether keys and certificates of others are signed. The library asks packages/signal about each signature
 * (`Curve.verify`), and no session begins with forged keys; here is what it does not ask, and what becomes of a no.
 */
import { systemClock } from '../../../clock.ts';
import { Curve, type SignalRepositoryWithLIDStore, WA_CERT_DETAILS } from '../library.ts';
import { certifies } from './server-certificate.ts';

/** What a session with a device begins with (libsignal index.d.ts `E2ESession`). */
export interface KeyBundle {
  readonly identityKey: Uint8Array;
  readonly signedPreKey: { readonly publicKey: Uint8Array; readonly signature: Uint8Array };
}

/** The name of what packages/signal throws for a bundle whose pre-key its identity has not signed. */
const FORGED_KEYS = 'ForgedPreKeyError';

class ForgedKeys extends Error {
  override readonly name = FORGED_KEYS;

  constructor() {
    super('the signed pre-key is not signed with the identity key beside it');
  }
}

/** Throws for such a bundle before a session is begun with it, as whatsmeow's libsignal does (`ProcessBundle`). */
export function checkBundle({ identityKey, signedPreKey }: KeyBundle): void {
  const { publicKey, signature } = signedPreKey;
  if (!Curve.verify(identityKey, publicKey, signature)) throw new ForgedKeys();
}

let checked = false;

/**
 * In a handshake the library asks, without a pause: for the secret with the server's key, about the leaf's signature,
 * about the intermediate's under the root's key. The last is answered for all of them.
 * Once for the process.
 */
export function checkCertificates(): void {
  if (checked) return;
  checked = true;
  const { sharedKey, verify } = Curve;
  let agreedWith: Uint8Array = new Uint8Array();
  let askedBefore: Uint8Array = new Uint8Array();
  Curve.sharedKey = (privateKey, publicKey) => {
    agreedWith = publicKey;
    return sharedKey(privateKey, publicKey);
  };
  Curve.verify = (publicKey, message, signature) => {
    const leaf = askedBefore;
    askedBefore = message;
    if (!verify(publicKey, message, signature)) return false;
    if (publicKey !== WA_CERT_DETAILS.PUBLIC_KEY) return true;
    return certifies({ intermediate: message, leaf, serverKey: agreedWith, now: systemClock.now() });
  };
}

/**
 * The same repository, which begins no session with a device whose keys are forged, and goes on with the others: the
 * library begins those of all recipients in a row (signal.js `parseAndInjectE2ESessions`), and one would stop a message
 * to all (whatsmeow send.go encryptMessageForDevices leaves the one out).
 */
export function leavingOutForged(
  repository: SignalRepositoryWithLIDStore,
  leftOut: (jid: string, why: Error) => void,
): SignalRepositoryWithLIDStore {
  return {
    ...repository,
    injectE2ESession: async (opts) => {
      try {
        await repository.injectE2ESession(opts);
      } catch (error) {
        if (!(error instanceof Error) || error.name !== FORGED_KEYS) throw error;
        leftOut(opts.jid, error);
      }
    },
  };
}
