import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { Curve, proto } from 'baileys';
import type { NoiseCertificates } from './certificates.ts';

// 28 characters padded to 32 bytes, so the name itself is the initial hash (Baileys Defaults NOISE_MODE).
const PROTOCOL_NAME = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0', 'latin1');
const TAG_BYTES = 16;
const NO_DATA = Buffer.alloc(0);

function seal(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array, data: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(data);
  const body = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([body, cipher.getAuthTag()]);
}

function open(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array, data: Uint8Array): Buffer {
  const split = sealed.length - TAG_BYTES;
  if (split < 0) throw new Error('frame shorter than its authentication tag');
  const decipher = createDecipheriv('aes-256-gcm', key, iv);
  decipher.setAAD(data);
  decipher.setAuthTag(sealed.subarray(split));
  const body = decipher.update(sealed.subarray(0, split));
  decipher.final();
  return body;
}

/** The two directions after the handshake; each counts its own frames in the last 4 bytes of the IV. */
export class NoiseTransport {
  readonly #readKey: Buffer;
  readonly #writeKey: Buffer;
  readonly #readIv = Buffer.alloc(12);
  readonly #writeIv = Buffer.alloc(12);
  #reads = 0;
  #writes = 0;

  constructor(readKey: Buffer, writeKey: Buffer) {
    this.#readKey = readKey;
    this.#writeKey = writeKey;
  }

  encrypt(plaintext: Uint8Array): Buffer {
    this.#writeIv.writeUInt32BE(this.#writes, 8);
    this.#writes += 1;
    return seal(this.#writeKey, this.#writeIv, plaintext, NO_DATA);
  }

  decrypt(sealed: Uint8Array): Buffer {
    this.#readIv.writeUInt32BE(this.#reads, 8);
    this.#reads += 1;
    return open(this.#readKey, this.#readIv, sealed, NO_DATA);
  }
}

/** What the client proved and said in its last handshake message. */
export interface ClientFinish {
  /** The client's static Noise key, 32 bytes. */
  readonly clientStatic: Buffer;
  readonly payload: proto.ClientPayload;
  readonly transport: NoiseTransport;
}

/**
 * The answering side of Noise_XX_25519_AESGCM_SHA256 as WhatsApp uses it: the prologue is the 4-byte
 * connection header, the server's payload is its certificate chain, the client's is a `ClientPayload`
 * (mirror of Baileys noise-handler.js and whatsmeow handshake.go).
 */
export class NoiseResponder {
  readonly #certificates: NoiseCertificates;
  readonly #ephemeral = Curve.generateKeyPair();
  #hash: Buffer = PROTOCOL_NAME;
  #salt: Buffer = PROTOCOL_NAME;
  #key: Buffer = PROTOCOL_NAME;
  #counter = 0;

  constructor(certificates: NoiseCertificates, prologue: Uint8Array) {
    this.#certificates = certificates;
    this.#mixHash(prologue);
  }

  /** Takes the client hello and returns the encoded server hello. Throws on a malformed hello. */
  serverHello(frame: Uint8Array): Uint8Array {
    const clientEphemeral = proto.HandshakeMessage.decode(frame).clientHello?.ephemeral;
    if (clientEphemeral?.length !== 32) throw new Error('client hello without an ephemeral key');
    this.#mixHash(clientEphemeral);
    this.#mixHash(this.#ephemeral.public);
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, clientEphemeral));
    const serverStatic = this.#encrypt(this.#certificates.serverKey.public);
    this.#mixKey(Curve.sharedKey(this.#certificates.serverKey.private, clientEphemeral));
    const payload = this.#encrypt(this.#certificates.chain);
    return proto.HandshakeMessage.encode({
      serverHello: { ephemeral: this.#ephemeral.public, static: serverStatic, payload },
    }).finish();
  }

  /** Takes the client's last handshake message. Throws when it does not decrypt. */
  clientFinish(frame: Uint8Array): ClientFinish {
    const finish = proto.HandshakeMessage.decode(frame).clientFinish;
    if (!finish?.static || !finish.payload) throw new Error('client finish without key or payload');
    const clientStatic = this.#decrypt(finish.static);
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, clientStatic));
    const payload = proto.ClientPayload.decode(this.#decrypt(finish.payload));
    const [clientToServer, serverToClient] = this.#derive(NO_DATA);
    return { clientStatic, payload, transport: new NoiseTransport(clientToServer, serverToClient) };
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = createHash('sha256').update(this.#hash).update(data).digest();
  }

  #derive(material: Uint8Array): [Buffer, Buffer] {
    const bytes = Buffer.from(hkdfSync('sha256', material, this.#salt, NO_DATA, 64));
    return [bytes.subarray(0, 32), bytes.subarray(32)];
  }

  #mixKey(shared: Uint8Array): void {
    const [salt, key] = this.#derive(shared);
    this.#salt = salt;
    this.#key = key;
    this.#counter = 0;
  }

  #iv(): Buffer {
    const iv = Buffer.alloc(12);
    iv.writeUInt32BE(this.#counter, 8);
    this.#counter += 1;
    return iv;
  }

  #encrypt(plaintext: Uint8Array): Buffer {
    const sealed = seal(this.#key, this.#iv(), plaintext, this.#hash);
    this.#mixHash(sealed);
    return sealed;
  }

  #decrypt(sealed: Uint8Array): Buffer {
    const plaintext = open(this.#key, this.#iv(), sealed, this.#hash);
    this.#mixHash(sealed);
    return plaintext;
  }
}
