import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { once } from 'node:events';
import { Curve, proto } from 'baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { decodeStanza } from '../../src/wire/codec.ts';
import { FrameReader, frame } from '../../src/wire/frames.ts';
import type { Client } from './baileys-client.ts';
import { startTestNetwork, type TestNetwork } from './test-network.ts';

const HEADER = Buffer.from([0x57, 0x41, 6, 3]);

/** The client's side of a handshake, as WhatsApp Web's module WAOpenChatSocket goes through it. */
class Handshake {
  #hash: Buffer;
  #salt: Buffer;
  #key: Buffer;
  #count = 0;

  constructor(name: string) {
    const bytes = Buffer.from(name.length === 28 ? `${name}\0\0\0\0` : name, 'latin1');
    this.#hash = bytes.length === 32 ? bytes : createHash('sha256').update(bytes).digest();
    this.#salt = this.#hash;
    this.#key = this.#hash;
    this.authenticate(HEADER);
  }

  authenticate(data: Uint8Array): void {
    this.#hash = createHash('sha256')
      .update(Buffer.concat([this.#hash, data]))
      .digest();
  }

  mix(privateKey: Uint8Array, publicKey: Uint8Array): void {
    [this.#salt, this.#key] = this.#expand(Curve.sharedKey(privateKey, publicKey));
    this.#count = 0;
  }

  encrypt(plaintext: Uint8Array): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv(this.#count)).setAAD(this.#hash);
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    this.#count += 1;
    this.authenticate(sealed);
    return sealed;
  }

  decrypt(sealed: Uint8Array): Buffer {
    const plaintext = unseal(this.#key, this.#count, sealed, this.#hash);
    this.#count += 1;
    this.authenticate(sealed);
    return plaintext;
  }

  /** The key of what the server writes. */
  incoming(): Buffer {
    return this.#expand(Buffer.alloc(0))[1];
  }

  #expand(material: Uint8Array): [Buffer, Buffer] {
    const bytes = Buffer.from(hkdfSync('sha256', material, this.#salt, '', 64));
    return [bytes.subarray(0, 32), bytes.subarray(32)];
  }
}

function iv(count: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(count, 8);
  return bytes;
}

function unseal(key: Buffer, count: number, sealed: Uint8Array, data: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed);
  const decipher = createDecipheriv('aes-256-gcm', key, iv(count)).setAAD(data);
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
}

/** A WebSocket whose frames are awaited one by one. */
async function openFrames(url: string) {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const reader = new FrameReader();
  // What a client sends begins with the header; what it gets does not.
  reader.push(HEADER);
  const frames: Buffer[] = [];
  let wake = (): void => undefined;
  socket.on('message', (data: Buffer) => {
    frames.push(...reader.push(data));
    wake();
  });
  return {
    socket,
    async next(): Promise<Buffer> {
      for (;;) {
        const first = frames.shift();
        if (first) return first;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

let net: TestNetwork;
let client: Client;
beforeAll(async () => {
  net = await startTestNetwork();
  client = await net.linked(net.phone('5511999990001', 'Alice'));
  await client.end();
});
afterAll(() => net.stop());

/** Says hello under a server key; what the server answered, and the rest of the client's side. */
async function resume(serverStatic: Uint8Array) {
  const { noiseKey } = client.auth.creds;
  const ephemeral = Curve.generateKeyPair();
  const login = proto.ClientPayload.encode({ username: 5511999990001, device: 1, passive: true }).finish();
  const ik = new Handshake('Noise_IK_25519_AESGCM_SHA256');
  ik.authenticate(serverStatic);
  ik.authenticate(ephemeral.public);
  ik.mix(ephemeral.private, serverStatic);
  const sealedStatic = ik.encrypt(noiseKey.public);
  ik.mix(noiseKey.private, serverStatic);
  const hello = { ephemeral: ephemeral.public, static: sealedStatic, payload: ik.encrypt(login) };
  const frames = await openFrames(net.url);
  const bytes = proto.HandshakeMessage.encode({ clientHello: hello }).finish();
  frames.socket.send(Buffer.concat([HEADER, frame(bytes)]));
  const { serverHello } = proto.HandshakeMessage.decode(await frames.next());
  if (!serverHello?.ephemeral || !serverHello.payload) throw new Error('no server hello');
  return { ik, frames, ephemeral, noiseKey, login, serverHello, server: serverHello.ephemeral };
}

test('a client that kept the server’s key is logged in by its first message', async () => {
  const { ik, frames, ephemeral, noiseKey, serverHello, server } = await resume(net.serverStatic);
  expect(serverHello.static?.length ?? 0).toBe(0);
  ik.authenticate(server);
  ik.mix(ephemeral.private, server);
  ik.mix(noiseKey.private, server);
  expect(proto.CertChain.decode(ik.decrypt(serverHello.payload ?? new Uint8Array())).leaf).toBeTruthy();
  const first = decodeStanza(unseal(ik.incoming(), 0, await frames.next(), Buffer.alloc(0)));
  expect(first.tag).toBe('success');
  frames.socket.terminate();
});

test('a client that kept another key falls back to the full handshake', async () => {
  const old = Curve.generateKeyPair().public;
  const { frames, ephemeral, noiseKey, login, serverHello, server } = await resume(old);
  const full = new Handshake('Noise_XXfallback_25519_AESGCM_SHA256');
  full.authenticate(ephemeral.public);
  full.authenticate(server);
  full.mix(ephemeral.private, server);
  const serverStatic = full.decrypt(serverHello.static ?? new Uint8Array());
  expect(serverStatic.equals(net.serverStatic)).toBe(true);
  full.mix(ephemeral.private, serverStatic);
  full.decrypt(serverHello.payload ?? new Uint8Array());
  const sealedStatic = full.encrypt(noiseKey.public);
  full.mix(noiseKey.private, server);
  const finish = { static: sealedStatic, payload: full.encrypt(login) };
  frames.socket.send(frame(proto.HandshakeMessage.encode({ clientFinish: finish }).finish()));
  const first = decodeStanza(unseal(full.incoming(), 0, await frames.next(), Buffer.alloc(0)));
  expect(first.tag).toBe('success');
  frames.socket.terminate();
});
