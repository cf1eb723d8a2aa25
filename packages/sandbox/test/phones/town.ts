import type { BinaryNode } from 'baileys';
import { type Cdn, createCdn } from '../../src/cdn/cdn.ts';
import type { NetworkLink, NetworkPort } from '../../src/link.ts';
import { Network } from '../../src/network/network.ts';
import { PairingDesk } from '../../src/pairing/desk.ts';
import type { PhoneHost } from '../../src/phones/linking/host.ts';
import { Phone } from '../../src/phones/phone.ts';
import { DEFAULT_PASSKEY_POLICY } from '../../src/state/passkeys.ts';

/** A network with a CDN and phones, without sockets: what the phones' own tests need. */
export interface Town {
  readonly network: Network;
  readonly cdn: Cdn;
  phone(name: string): Promise<Phone>;
  /** Every stanza that phones have submitted. */
  readonly submitted: readonly BinaryNode[];
  /** Changes the next stanza that a phone submits and for which `change` returns another one. */
  tamperOnce(change: (node: BinaryNode) => BinaryNode | undefined): void;
  stop(): Promise<void>;
}

/** The way to the network, with a hand in it: a stanza may be changed between phone and network. */
class TamperingPort implements NetworkPort {
  change: ((node: BinaryNode) => BinaryNode | undefined) | undefined;
  readonly submitted: BinaryNode[] = [];
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  attach(link: NetworkLink): void {
    this.#network.attach(link);
  }

  detach(link: NetworkLink): void {
    this.#network.detach(link);
  }

  submit(from: NetworkLink, node: BinaryNode): void {
    const changed = this.change?.(node);
    if (changed) this.change = undefined;
    this.submitted.push(changed ?? node);
    this.#network.submit(from, changed ?? node);
  }
}

export async function openTown(): Promise<Town> {
  const token = 'upload-token';
  const cdn = await createCdn({ authToken: () => token });
  const network = new Network({
    media: {
      hostname: () => cdn.hostname,
      authToken: () => token,
      keepPicture: (bytes) => cdn.keepPicture(bytes),
    },
  });
  const desk = new PairingDesk(network);
  const port = new TamperingPort(network);
  const host: PhoneHost = {
    network: port,
    cdn,
    createAccount: (account) => network.directory.createAccount(account),
    linkByRef: ({ user, ...request }) => {
      const account = network.directory.byUser(user);
      if (!account) throw new Error(`no account ${user}`);
      return desk.linkByRef({ account, ...request });
    },
    askForPasskey: () => null,
    forgesLinking: () => false,
    passkeyPolicy: () => DEFAULT_PASSKEY_POLICY,
    setPasskeyPolicy: () => undefined,
    addPasskey: () => undefined,
    unlink: () => {},
    inject: () => {},
    injectPatch: () => {},
    whenReady: () => Promise.resolve(),
  };
  const phones: Phone[] = [];
  return {
    network,
    cdn,
    submitted: port.submitted,
    phone: async (name) => {
      const phone = await Phone.create(host, { number: `55119999900${10 + phones.length}`, name });
      phones.push(phone);
      return phone;
    },
    tamperOnce: (change) => {
      port.change = change;
    },
    stop: async () => {
      await Promise.all(phones.map((phone) => phone.stop()));
      await cdn.stop();
    },
  };
}
