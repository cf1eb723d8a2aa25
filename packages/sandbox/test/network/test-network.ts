import { createHash, createHmac, randomInt } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import { Curve, generateRegistrationId, type KeyPair, proto, signedKeyPair } from 'baileys';
import { startNetworkServer } from '../../src/endpoint/server.ts';
import type { NetworkLink } from '../../src/link.ts';
import { createNetwork, type Network } from '../../src/network/network.ts';
import { type CompanionRegRefresh, PairingDesk } from '../../src/pairing/desk.ts';
import type { Account } from '../../src/state/directory.ts';
import { createNoiseCertificates } from '../../src/wire/certificates.ts';
import { stanza } from '../../src/wire/stanza.ts';
import { Client, memoryAuth } from './baileys-client.ts';

/** A primary phone that only links companions and notes what it is given: the network is under test. */
export class BarePhone implements NetworkLink {
  readonly address: { user: string; device: number };
  readonly account: Account;
  readonly identity: KeyPair;
  readonly received: BinaryNode[] = [];
  onStanza: ((node: BinaryNode) => void) | undefined;
  readonly #network: Network;
  readonly #desk: PairingDesk;
  #keyIndex = 0;

  constructor(network: Network, desk: PairingDesk, number: string, name: string) {
    this.#network = network;
    this.#desk = desk;
    this.identity = Curve.generateKeyPair();
    const registrationId = generateRegistrationId();
    this.account = network.directory.createAccount({
      user: number,
      name,
      identityPublic: this.identity.public,
      registrationId,
    });
    this.address = { user: number, device: 0 };
    network.attach(this);
    this.#uploadKeys(registrationId);
  }

  deliver(node: BinaryNode): void {
    this.received.push(node);
    this.onStanza?.(node);
  }

  close(): void {}

  submit(node: BinaryNode): void {
    this.#network.submit(this, node);
  }

  scan(qr: string): Promise<{ device: number }> {
    const [ref = '', , identity = '', secret = ''] = qr.replace(/^.*#/, '').split(',');
    return this.link(ref, Buffer.from(identity, 'base64'), Buffer.from(secret, 'base64'));
  }

  link(ref: string, companionIdentityPublic: Buffer, secret: Buffer): Promise<{ device: number }> {
    this.#keyIndex += 1;
    const details = proto.ADVDeviceIdentity.encode({
      rawId: randomInt(1, 2 ** 31),
      timestamp: Math.floor(Date.now() / 1000),
      keyIndex: this.#keyIndex,
    }).finish();
    const message = Buffer.concat([Buffer.from([6, 0]), details, companionIdentityPublic]);
    const identity = proto.ADVSignedDeviceIdentity.encode({
      details,
      accountSignatureKey: this.identity.public,
      accountSignature: Curve.sign(this.identity.private, message),
    }).finish();
    const hmac = createHmac('sha256', secret).update(identity).digest();
    return this.#desk.linkByRef({
      account: this.account,
      ref,
      deviceIdentityHmac: proto.ADVSignedDeviceIdentityHMAC.encode({ details: identity, hmac }).finish(),
      keyIndex: this.#keyIndex,
      companionIdentityPublic,
      platform: 'android',
      advSecretFingerprint: createHash('sha256').update(secret).digest('hex'),
    });
  }

  #uploadKeys(registrationId: number): void {
    const signed = signedKeyPair(this.identity, 1);
    const key = (tag: string, id: number, value: Uint8Array, signature?: Uint8Array): BinaryNode =>
      stanza(tag, {}, [
        stanza('id', {}, Buffer.from([0, 0, id])),
        stanza('value', {}, value),
        ...(signature ? [stanza('signature', {}, signature)] : []),
      ]);
    const registration = Buffer.alloc(4);
    registration.writeUInt32BE(registrationId);
    this.submit(
      stanza('iq', { xmlns: 'encrypt', type: 'set', to: 's.whatsapp.net', id: 'keys' }, [
        stanza('registration', {}, registration),
        stanza('type', {}, Buffer.from([5])),
        stanza('identity', {}, this.identity.public),
        stanza('list', {}, [key('key', 1, Curve.generateKeyPair().public)]),
        key('skey', 1, signed.keyPair.public, signed.signature),
      ]),
    );
  }
}

export interface TestNetwork {
  readonly network: Network;
  readonly desk: PairingDesk;
  readonly url: string;
  readonly rootPublic: Uint8Array;
  /** The key by which a client resumes. */
  readonly serverStatic: Uint8Array;
  phone(number: string, name?: string): BarePhone;
  /** A Baileys device linked to the phone, logged in, with its keys uploaded. */
  linked(phone: BarePhone, options?: Record<string, unknown>): Promise<Client>;
  client(options?: Record<string, unknown>): Client;
  /** Resolves when the condition holds after a device went online or away. */
  stop(): Promise<void>;
}

/** A network with its WebSocket server, and everything made with it closed on `stop`. */
export async function startTestNetwork(
  options: { companionRegRefresh?: CompanionRegRefresh } = {},
): Promise<TestNetwork> {
  const network = createNetwork({
    media: {
      hostname: () => '127.0.0.1:9',
      authToken: () => 'token',
      keepPicture: () => ({ url: 'https://127.0.0.1:9/picture', directPath: '/picture' }),
    },
  });
  const desk = new PairingDesk(network, { companionRegRefresh: 'never', ...options });
  const certificates = createNoiseCertificates();
  const server = await startNetworkServer({ network, pairing: desk, certificates });
  const clients: Client[] = [];
  const client = (clientOptions: Record<string, unknown> = {}): Client => {
    const made = new Client(
      { url: server.url, rootPublic: certificates.rootPublic },
      memoryAuth(),
      clientOptions,
    );
    clients.push(made);
    return made;
  };
  return {
    network,
    desk,
    url: server.url,
    rootPublic: certificates.rootPublic,
    serverStatic: certificates.serverKey.public,
    client,
    phone: (number, name = 'Phone') => new BarePhone(network, desk, number, name),
    async linked(phone, clientOptions) {
      const made = client(clientOptions).connect();
      await phone.scan(await made.qr());
      const code = await made.closed();
      if (code !== 515) throw new Error(`closed with ${code} after linking`);
      await made.end();
      made.connect();
      await made.open();
      return made;
    },
    async stop() {
      for (const made of clients) await made.end();
      await server.stop();
    },
  };
}
