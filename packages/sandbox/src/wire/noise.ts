import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { Curve, proto } from 'baileys';
import type { NoiseCertificates } from './certificates.ts';

/**
 * The handshakes that clients speak (WhatsApp Web's module WAOpenChatSocket): XX when they know nothing of the server,
 * IK when they kept its static key, XXfallback after an IK that the server could not read. Names of 32 bytes are the
 * initial hash themselves, longer ones are hashed (whatsmeow socket/noisehandshake.go Start).
 */
const XX = 'Noise_XX_25519_AESGCM_SHA256\0\0\0\0';
const IK = 'Noise_IK_25519_AESGCM_SHA256\0\0\0\0';
const XX_FALLBACK = 'Noise_XXfallback_25519_AESGCM_SHA256';
const HASH_BYTES = 32;
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

/** What the client proved and said. */
export interface ClientFinish {
  /** The client's static Noise key, 32 bytes. */
  readonly clientStatic: Buffer;
  readonly payload: proto.ClientPayload;
  readonly transport: NoiseTransport;
}

/** What follows from a message of the client. */
export interface HandshakeStep {
  /** Goes to the client before anything else. */
  readonly answer?: Uint8Array;
  /** Set when the handshake is done. */
  readonly finish?: ClientFinish;
}

/** The hash and the key of a handshake as it goes on (Noise specification, 5.2). */
class Transcript {
  #hash: Buffer;
  #salt: Buffer;
  #key: Buffer;
  #counter = 0;

  constructor(name: string, prologue: Uint8Array) {
    const bytes = Buffer.from(name, 'latin1');
    this.#hash = bytes.length === HASH_BYTES ? bytes : createHash('sha256').update(bytes).digest();
    this.#salt = this.#hash;
    this.#key = this.#hash;
    this.mixHash(prologue);
  }

  mixHash(data: Uint8Array): void {
    this.#hash = createHash('sha256').update(this.#hash).update(data).digest();
  }

  mixKey(shared: Uint8Array): void {
    const [salt, key] = this.#derive(shared);
    this.#salt = salt;
    this.#key = key;
    this.#counter = 0;
  }

  encrypt(plaintext: Uint8Array): Buffer {
    const sealed = seal(this.#key, this.#iv(), plaintext, this.#hash);
    this.mixHash(sealed);
    return sealed;
  }

  decrypt(sealed: Uint8Array): Buffer {
    const plaintext = open(this.#key, this.#iv(), sealed, this.#hash);
    this.mixHash(sealed);
    return plaintext;
  }

  /** The server's side of the connection. */
  transport(): NoiseTransport {
    const [clientToServer, serverToClient] = this.#derive(NO_DATA);
    return new NoiseTransport(clientToServer, serverToClient);
  }

  #derive(material: Uint8Array): [Buffer, Buffer] {
    const bytes = Buffer.from(hkdfSync('sha256', material, this.#salt, NO_DATA, 64));
    return [bytes.subarray(0, 32), bytes.subarray(32)];
  }

  #iv(): Buffer {
    const iv = Buffer.alloc(12);
    iv.writeUInt32BE(this.#counter, 8);
    this.#counter += 1;
    return iv;
  }
}

/**
 * The answering side of WhatsApp's Noise handshakes: the prologue is the 4-byte connection header, the server's
 * payload is its certificate chain, the client's is a `ClientPayload` (mirror of Baileys noise-handler.js and
 * whatsmeow handshake.go for XX; WhatsApp Web's WAOpenChatSocket for IK and the fallback).
 */
export class NoiseResponder {
  readonly #certificates: NoiseCertificates;
  readonly #prologue: Uint8Array;
  readonly #ephemeral = Curve.generateKeyPair();
  /** Set while the client has to finish an XX. */
  #full: Transcript | undefined;

  constructor(certificates: NoiseCertificates, prologue: Uint8Array) {
    this.#certificates = certificates;
    this.#prologue = prologue;
  }

  /** Takes the client's next message. Throws when it is malformed, or does not decrypt in its last chance. */
  take(frame: Uint8Array): HandshakeStep {
    const message = proto.HandshakeMessage.decode(frame);
    if (this.#full) return { finish: this.#finish(this.#full, message.clientFinish) };
    const { clientHello } = message;
    const { ephemeral } = clientHello ?? {};
    if (ephemeral?.length !== 32) throw new Error('client hello without an ephemeral key');
    if (!clientHello?.static?.length || !clientHello.payload?.length) return this.#greet(XX, ephemeral);
    return (
      this.#resume(ephemeral, clientHello.static, clientHello.payload) ?? this.#greet(XX_FALLBACK, ephemeral)
    );
  }

  /** The first half of an XX, or of what follows an IK that could not be read. */
  #greet(name: string, clientEphemeral: Uint8Array): HandshakeStep {
    const { serverKey, chain } = this.#certificates;
    const transcript = new Transcript(name, this.#prologue);
    this.#full = transcript;
    transcript.mixHash(clientEphemeral);
    transcript.mixHash(this.#ephemeral.public);
    transcript.mixKey(Curve.sharedKey(this.#ephemeral.private, clientEphemeral));
    const serverStatic = transcript.encrypt(serverKey.public);
    transcript.mixKey(Curve.sharedKey(serverKey.private, clientEphemeral));
    const payload = transcript.encrypt(chain);
    return { answer: serverHello({ ephemeral: this.#ephemeral.public, static: serverStatic, payload }) };
  }

  #finish(
    transcript: Transcript,
    finish: proto.HandshakeMessage.IClientFinish | null | undefined,
  ): ClientFinish {
    if (!finish?.static || !finish.payload) throw new Error('client finish without key or payload');
    const clientStatic = transcript.decrypt(finish.static);
    transcript.mixKey(Curve.sharedKey(this.#ephemeral.private, clientStatic));
    const payload = proto.ClientPayload.decode(transcript.decrypt(finish.payload));
    return { clientStatic, payload, transport: transcript.transport() };
  }

  /** IK: the client says all in its first message, under the server key that it kept; undefined under another. */
  #resume(
    clientEphemeral: Uint8Array,
    sealedStatic: Uint8Array,
    sealedPayload: Uint8Array,
  ): HandshakeStep | undefined {
    const { serverKey, chain } = this.#certificates;
    const transcript = new Transcript(IK, this.#prologue);
    transcript.mixHash(serverKey.public);
    transcript.mixHash(clientEphemeral);
    transcript.mixKey(Curve.sharedKey(serverKey.private, clientEphemeral));
    let clientStatic: Buffer;
    let login: Buffer;
    try {
      clientStatic = transcript.decrypt(sealedStatic);
      transcript.mixKey(Curve.sharedKey(serverKey.private, clientStatic));
      login = transcript.decrypt(sealedPayload);
    } catch {
      return undefined;
    }
    transcript.mixHash(this.#ephemeral.public);
    transcript.mixKey(Curve.sharedKey(this.#ephemeral.private, clientEphemeral));
    transcript.mixKey(Curve.sharedKey(this.#ephemeral.private, clientStatic));
    const answer = serverHello({ ephemeral: this.#ephemeral.public, payload: transcript.encrypt(chain) });
    const payload = proto.ClientPayload.decode(login);
    return { answer, finish: { clientStatic, payload, transport: transcript.transport() } };
  }
}

function serverHello(hello: proto.HandshakeMessage.IServerHello): Uint8Array {
  return proto.HandshakeMessage.encode({ serverHello: hello }).finish();
}
