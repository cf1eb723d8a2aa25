import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A credential as a relying party stores it. Bytes as base64url. */
export interface PasskeyCredential {
  readonly id: string;
  /** COSE_Key (RFC 9052); WebAuthn calls it `credentialPublicKey`. */
  readonly publicKey: string;
}

/** `PublicKeyCredential.toJSON()` of an assertion. */
export interface PasskeyAssertionJson {
  id: string;
  rawId: string;
  type: 'public-key';
  authenticatorAttachment: 'platform';
  clientExtensionResults: Record<string, unknown>;
  response: {
    clientDataJSON: string;
    authenticatorData: string;
    signature: string;
    userHandle: string;
  };
}

/** What an honest browser on the real site would not do otherwise. */
export interface SigningOptions {
  /** Default: WhatsApp Web's. */
  readonly origin?: string;
  /** Default: that of the options. */
  readonly rpId?: string;
  /** Default: true. */
  readonly userVerified?: boolean;
  /** Default: `webauthn.get`. */
  readonly type?: string;
}

const ORIGIN = 'https://web.whatsapp.com';
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ID_BYTES = 32;
const HANDLE_BYTES = 16;

/**
 * A passkey without a browser: signs request options by ES256, as `navigator.credentials.get()` on web.whatsapp.com
 * would with the passkey of the account's owner. It asks nobody.
 */
export class SoftwareAuthenticator {
  readonly #id: Buffer;
  readonly #userHandle: Buffer;
  readonly #key: KeyObject;
  #counter = 0;

  constructor() {
    this.#id = randomBytes(ID_BYTES);
    this.#userHandle = randomBytes(HANDLE_BYTES);
    this.#key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  }

  /** For the account's registration. */
  get credential(): PasskeyCredential {
    const { x = '', y = '' } = this.#key.export({ format: 'jwk' });
    return { id: this.#id.toString('base64url'), publicKey: coseKey(x, y).toString('base64url') };
  }

  /** What a virtual authenticator takes (CDP `WebAuthn.addCredential`). */
  get exported(): { credentialId: string; privateKey: string; userHandle: string; signCount: number } {
    const der = this.#key.export({ format: 'der', type: 'pkcs8' });
    return {
      credentialId: this.#id.toString('base64'),
      privateKey: der.toString('base64'),
      userHandle: this.#userHandle.toString('base64'),
      signCount: this.#counter,
    };
  }

  sign(
    options: { readonly challenge: string; readonly rpId: string },
    signing: SigningOptions = {},
  ): PasskeyAssertionJson {
    const { origin = ORIGIN, rpId = options.rpId, userVerified = true, type = 'webauthn.get' } = signing;
    const clientData = Buffer.from(
      JSON.stringify({ type, challenge: options.challenge, origin, crossOrigin: false }),
    );
    this.#counter += 1;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.#counter);
    const flags = userVerified ? USER_PRESENT | USER_VERIFIED : USER_PRESENT;
    const authenticatorData = Buffer.concat([sha256(rpId), Buffer.from([flags]), counter]);
    const signature = sign('sha256', Buffer.concat([authenticatorData, sha256(clientData)]), this.#key);
    const id = this.#id.toString('base64url');
    return {
      id,
      rawId: id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authenticatorData.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: this.#userHandle.toString('base64url'),
      },
    };
  }
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

/** `{1: 2, 3: -7, -1: 1, -2: x, -3: y}` in CBOR: an elliptic curve key for ES256 on P-256. */
function coseKey(x: string, y: string): Buffer {
  const bytes = (text: string) => Buffer.from(text, 'base64url');
  return Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    bytes(x),
    Buffer.from('225820', 'hex'),
    bytes(y),
  ]);
}
