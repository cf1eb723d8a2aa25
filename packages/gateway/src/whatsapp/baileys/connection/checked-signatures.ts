/**
 * Makes the library check the signatures that it asks about.
 *
 * Baileys' `Curve.verify` is true for any 64 bytes: it asks whether libsignal's `verifySignature` throws (Utils/crypto.js),
 * which returns its answer instead (curve.js). On that answer stand the certificates of the server in the Noise
 * handshake (noise-handler.js) and the account's signature at linking (validate-connection.js). And libsignal asks
 * about the signed pre-key of a bundle with a flag that makes the answer true (session_builder.js `initOutgoing`).
 * So whoever is in between could be the server, the account's phone, or put another pre-key into anybody's bundle.
 *
 * Group messages are checked by the library itself (sender-key-message.js), and nothing else asks.
 */
import { createRequire } from 'node:module';
import { systemClock } from '../../../clock.ts';
import { Curve, type SignalRepositoryWithLIDStore, WA_CERT_DETAILS } from '../library.ts';
import { certifies } from './server-certificate.ts';
import { hasSigned } from './signatures.ts';

/** What a session with a device begins with (libsignal index.d.ts `E2ESession`). */
export interface KeyBundle {
  readonly identityKey: Uint8Array;
  readonly signedPreKey: { readonly publicKey: Uint8Array; readonly signature: Uint8Array };
}

interface SessionBuilder {
  prototype: { initOutgoing(bundle: KeyBundle): Promise<void>; [CHECKED]?: true };
}

const CHECKED: unique symbol = Symbol('signatures are checked');

/** The keys that were given for a device are not signed by it. */
class ForgedKeys extends Error {
  constructor() {
    super('the signed pre-key is not signed with the identity key beside it');
    this.name = 'ForgedKeys';
  }
}

/** Throws `ForgedKeys` for a bundle whose pre-key its identity has not signed, as whatsmeow's libsignal does (`ProcessBundle`). */
export function checkBundle({ identityKey, signedPreKey }: KeyBundle): void {
  const { publicKey, signature } = signedPreKey;
  if (!hasSigned(identityKey, publicKey, signature)) throw new ForgedKeys();
}

/** Does so once for the process. */
export function checkSignatures(): void {
  const fromBaileys = createRequire(createRequire(import.meta.url).resolve('baileys'));
  const { SessionBuilder } = fromBaileys('libsignal') as { SessionBuilder: SessionBuilder };
  const builder = SessionBuilder.prototype;
  if (builder[CHECKED]) return;
  builder[CHECKED] = true;

  const { initOutgoing } = builder;
  builder.initOutgoing = async function (bundle) {
    checkBundle(bundle);
    return initOutgoing.call(this, bundle);
  };
  checkCurve();
}

/**
 * In a handshake the library asks, without a pause: for the secret with the server's key, about the leaf's signature,
 * about the intermediate's under the root's key. The last is answered for all of them.
 */
function checkCurve(): void {
  const { sharedKey } = Curve;
  let agreedWith: Uint8Array = new Uint8Array();
  let askedBefore: Uint8Array = new Uint8Array();
  Curve.sharedKey = (privateKey, publicKey) => {
    agreedWith = publicKey;
    return sharedKey(privateKey, publicKey);
  };
  Curve.verify = (publicKey, message, signature) => {
    const leaf = askedBefore;
    askedBefore = message;
    if (!hasSigned(publicKey, message, signature)) return false;
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
  leftOut: (jid: string, why: ForgedKeys) => void,
): SignalRepositoryWithLIDStore {
  return {
    ...repository,
    injectE2ESession: async (opts) => {
      try {
        await repository.injectE2ESession(opts);
      } catch (error) {
        if (!(error instanceof ForgedKeys)) throw error;
        leftOut(opts.jid, error);
      }
    },
  };
}
