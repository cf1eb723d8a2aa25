import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { BinaryNode } from 'baileys';
import { tellOfPatches } from './accounts/account-changes.ts';
import { removeCompanion } from './accounts/remove-companion.ts';
import { placeOrder, stock } from './accounts/shop.ts';
import { type Cdn, createCdn } from './cdn/cdn.ts';
import { issueCdnCertificate } from './cdn/certificate.ts';
import { DataFolder, type KeptIdentity, type KeptState } from './data-folder.ts';
import { type NetworkServer, startNetworkServer } from './endpoint/server.ts';
import { Faults } from './faults.ts';
import type { PasskeyDemand } from './link.ts';
import { createNetwork, type Network } from './network/network.ts';
import { type CompanionRegRefresh, PairingDesk } from './pairing/desk.ts';
import { stateFiles } from './phones/account/state-files.ts';
import type { PhoneHost } from './phones/linking/host.ts';
import { createPhone, type KeptPhone, type Phone, reinstallPhone, revivePhone } from './phones/phone.ts';
import type { Account, RegisteredDevice } from './state/directory.ts';
import { phoneJid } from './state/jid.ts';
import { passkeysOf } from './state/passkeys.ts';
import type { OrderedItem } from './state/shop.ts';
import { createNoiseCertificates } from './wire/certificates.ts';
import { stanza } from './wire/stanza.ts';

export interface SandboxOptions {
  /** When the server retires the ADV secret of a shown QR code. Default `after_qr`. */
  readonly companionRegRefresh?: CompanionRegRefresh;
  /** Port of the WebSocket server on 127.0.0.1; 0 (default) takes a free one. */
  readonly port?: number;
  /** Port of the media CDN on 127.0.0.1; 0 (default) takes a free one. */
  readonly cdnPort?: number;
  /**
   * Where the network is kept, so that devices linked to it are still linked when a sandbox starts on the same folder
   * and the same port. Default: nothing is kept.
   */
  readonly dataFolder?: string;
  /**
   * The name that companions are told of the CDN, which its certificate then has too; default: its address. One that
   * no resolver knows shows who goes there by a way of his own.
   */
  readonly cdnName?: string;
}

export interface NewPhone {
  /** Phone number, digits with country code. */
  readonly number: string;
  readonly name: string;
  /** LID, digits; made up when left out, null: the server gives the account none. */
  readonly lid?: string | null;
  /** Whether the server wants a passkey of those who are to be linked; default: `none`. */
  readonly passkey?: PasskeyDemand;
  /** One-time keys that it uploads at first; 100 when left out. Of thousands of phones fewer save minutes. */
  readonly preKeys?: number;
}

/** How long `waitForOnline` waits unless told otherwise. */
const ONLINE_TIMEOUT_MS = 30_000;
/** Bytes: larger files of the CDN are gone after a restart, as expired ones are. */
const LARGEST_KEPT_FILE = 1024 ** 2;
/** Acknowledgements are too many to announce each of them. */
const POLL_MS = 10;

/** A running network with its media CDN and its phones, all in this process. */
export class Sandbox {
  /** `ws://127.0.0.1:PORT/ws/chat`, the address clients connect to. */
  readonly url: string;
  /** The Noise root public key clients have to trust, 64 hex digits. */
  readonly rootKey: string;
  readonly cdn: Cdn;
  /** PEM of the CA the CDN's certificate is under. */
  readonly caPem: string;
  /** A file holding `caPem`; removed on stop, unless it is in the data folder. */
  readonly caFile: string;
  readonly network: Network;
  readonly faults: Faults;
  readonly #server: NetworkServer;
  readonly #host: PhoneHost;
  readonly #phones: Phone[] = [];
  readonly #folder: string | undefined;
  readonly #data: DataFolder | undefined;
  readonly #pairing: PairingDesk;

  constructor(parts: {
    network: Network;
    server: NetworkServer;
    rootKey: string;
    cdn: Cdn;
    pairing: PairingDesk;
    /** Removed on stop. */
    folder: string | undefined;
    caFile: string;
    data: DataFolder | undefined;
    /** Those of before. */
    phones: readonly KeptPhone[];
  }) {
    this.network = parts.network;
    this.faults = new Faults(parts.network);
    this.#server = parts.server;
    this.url = parts.server.url;
    this.rootKey = parts.rootKey;
    this.cdn = parts.cdn;
    this.caPem = parts.cdn.caPem;
    this.#folder = parts.folder;
    this.caFile = parts.caFile;
    this.#pairing = parts.pairing;
    this.#host = this.#phoneHost(parts.pairing);
    this.#data = parts.data;
    for (const phone of parts.phones) this.#phones.push(revivePhone(this.#host, phone));
    this.#data?.keep(() => this.#kept());
  }

  /** The phones made so far, in order. */
  get phones(): readonly Phone[] {
    return this.#phones;
  }

  /** Opens an account and switches its primary phone on. Rejects when the number has an account. */
  async createPhone(options: NewPhone): Promise<Phone> {
    const phone = await createPhone(this.#host, options);
    if (options.passkey) phone.passkey = { demand: options.passkey };
    this.#phones.push(phone);
    return phone;
  }

  /**
   * Opens an account for which nobody reads: its phone has uploaded the keys of another one, and was never online since.
   * Of thousands who are written to most need no phone of their own, which takes 20 ms to make, and more to read.
   */
  createUnattended({ number, keysOf }: { number: string; keysOf: Phone }): void {
    const { identityPublic, registrationId, signedPreKey, preKeys } = this.#device(keysOf.jid);
    const { directory } = this.network;
    const account = directory.createAccount({ user: number, name: number, identityPublic, registrationId });
    const device = this.#device(phoneJid(account));
    device.signedPreKey = signedPreKey;
    for (const key of [...preKeys.values()].slice(0, 1)) device.preKeys.set(key.id, key);
    // Nobody would upload more.
    device.preKeyLowNotified = true;
  }

  /** The stanzas of that id which wait for the device. Throws when there is no such device. */
  waitingFor(deviceJid: string, id: string): BinaryNode[] {
    const { stanzas } = this.#device(deviceJid).mailbox;
    return stanzas.map(({ node }) => node).filter(({ attrs }) => attrs.id === id);
  }

  /**
   * Registers the phone's number again on a new installation: new keys, no history, its companions logged
   * out, its contacts told of the new identity. The returned phone takes the place of the given one.
   */
  async reregister(phone: Phone): Promise<Phone> {
    const again = await reinstallPhone(this.#host, phone);
    this.#phones.splice(this.#phones.indexOf(phone), 1, again);
    return again;
  }

  /** The business sells this from now on. Throws for an account that is no business. */
  stock(seller: Phone, shop: Parameters<typeof stock>[1]): void {
    stock(accountOf(this.network, seller.number), shop);
  }

  /** Somebody orders of the business; the message of the order brings both. */
  placeOrder(seller: Phone, items: readonly OrderedItem[]): { id: string; token: string } {
    return placeOrder(accountOf(this.network, seller.number), items);
  }

  /** Whether the device (a JID with or without a device number) is attached and takes live stanzas. */
  online(deviceJid: string): boolean {
    const device = this.network.directory.resolveDevice(deviceJid);
    return device !== undefined && this.network.delivery.online(device);
  }

  /** Resolves once the device is online; rejects after `timeoutMs`. */
  waitForOnline(deviceJid: string, timeoutMs = ONLINE_TIMEOUT_MS): Promise<void> {
    return this.#until(`${deviceJid} to come online`, () => this.online(deviceJid), timeoutMs);
  }

  /** Resolves once the device is away; rejects after `timeoutMs`. */
  waitForOffline(deviceJid: string, timeoutMs = ONLINE_TIMEOUT_MS): Promise<void> {
    return this.#until(`${deviceJid} to go away`, () => !this.online(deviceJid), timeoutMs);
  }

  /** Stanzas stored for the device and not acknowledged. Throws when there is no such device. */
  pendingFor(deviceJid: string): number {
    return this.#device(deviceJid).mailbox.pending;
  }

  /** Says something to every device that is not linked yet, as if the server had written it. */
  tellUnlinked(node: BinaryNode): void {
    this.#pairing.tellUnlinked(node);
  }

  /** Notifications that devices which are not linked yet have not acknowledged. */
  get pendingForUnlinked(): number {
    return this.#pairing.unacknowledged;
  }

  /** Resolves once nothing is stored for the device any more; rejects after `timeoutMs`. */
  async waitForAcknowledged(deviceJid: string, timeoutMs = ONLINE_TIMEOUT_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.pendingFor(deviceJid) > 0) {
      if (Date.now() > deadline) throw new Error(`${deviceJid} left ${this.pendingFor(deviceJid)} stanzas`);
      await setTimeout(POLL_MS);
    }
  }

  /**
   * Puts a stanza into a device's queue as if the server had written it: any tag, any attributes, any
   * content. One without an id is lost when the device is away. Throws when there is no such device.
   */
  inject(deviceJid: string, node: BinaryNode): void {
    this.network.delivery.post(this.#device(deviceJid), node);
  }

  #injectPatch(number: string, collection: string, patch: Uint8Array): void {
    const account = accountOf(this.network, number);
    const version = String(this.network.appState.appendUnread(number, collection, patch));
    const changed = stanza('collection', { name: collection, version });
    tellOfPatches(this.network, account, [changed], account.devices.get(0));
  }

  /** Switches the phones off, cuts every connection, stops both servers and removes the CA file. */
  async stop(): Promise<void> {
    for (const phone of this.#phones) await phone.goOffline();
    await this.#server.stop();
    await this.cdn.stop();
    await this.#data?.close(() => this.#kept());
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  #kept(): KeptState {
    const files = this.cdn.objects().filter(({ bytes }) => bytes.length <= LARGEST_KEPT_FILE);
    return { network: this.network.kept(), phones: this.#phones.map((phone) => phone.kept()), files };
  }

  #device(deviceJid: string): RegisteredDevice {
    const device = this.network.directory.resolveDevice(deviceJid);
    if (!device) throw new Error(`no device ${deviceJid}`);
    return device;
  }

  #until(what: string, holds: () => boolean, timeoutMs: number): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = this.network.delivery.onChange(() => {
        if (!holds()) return;
        clearTimeout(timer);
        stop();
        resolve();
      });
      const timer = globalThis.setTimeout(() => {
        stop();
        reject(new Error(`waited ${timeoutMs} ms in vain for ${what}`));
      }, timeoutMs);
      timer.unref();
    });
  }

  #phoneHost(pairing: PairingDesk): PhoneHost {
    const { network, cdn } = this;
    return {
      network,
      cdn,
      createAccount: (account) => network.directory.createAccount(account),
      linkByRef: async ({ user, ...request }) =>
        pairing.linkByRef({ account: accountOf(network, user), ...request }),
      forgesLinking: (user) => network.orders.linkedByForgery.has(user),
      askForPasskey: ({ user, ...request }) =>
        pairing.askForPasskey({ account: accountOf(network, user), ...request }),
      passkeyPolicy: (user) => passkeysOf(accountOf(network, user)).policy,
      setPasskeyPolicy: (user, policy) => {
        passkeysOf(accountOf(network, user)).policy = policy;
      },
      addPasskey: (user, { id, publicKey }) => {
        const key = new Uint8Array(Buffer.from(publicKey, 'base64url'));
        passkeysOf(accountOf(network, user)).credentials.set(id, {
          publicKey: key,
          counter: 0,
        });
      },
      unlink: (address) => {
        const device = network.directory.device(address);
        if (!device) throw new Error(`no device ${address.device} on ${address.user}`);
        removeCompanion(network, device);
      },
      inject: (deviceJid, node) => this.inject(deviceJid, node),
      injectPatch: (number, collection, patch) => this.#injectPatch(number, collection, patch),
      whenReady: ({ user, device }) => {
        const jid = device === 0 ? `${user}@s.whatsapp.net` : `${user}:${device}@s.whatsapp.net`;
        return this.waitForOnline(jid);
      },
    };
  }
}

function accountOf(network: Network, user: string): Account {
  const account = network.directory.byUser(user);
  if (!account) throw new Error(`no account ${user}`);
  return account;
}

/** Starts a network, its WebSocket server and its media CDN on loopback; with a data folder, the one that is kept there. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const data = options.dataFolder === undefined ? undefined : await DataFolder.open(options.dataFolder);
  const { cdnName } = options;
  const make = () => newIdentity(cdnName);
  const { certificates, cdnCertificate, authToken } = await (data?.identity(make) ?? make());
  const kept = await data?.state();
  const cdn = await createCdn({
    port: options.cdnPort ?? 0,
    certificate: cdnCertificate,
    authToken: () => authToken,
  });
  const network = createNetwork({
    media: {
      hostname: (device) =>
        cdnName === undefined || device === 0 ? cdn.hostname : `${cdnName}:${new URL(cdn.url).port}`,
      authToken: () => authToken,
      keepPicture: (bytes) => cdn.keepPicture(bytes),
      stateFiles: stateFiles(cdn),
    },
  });
  if (kept) {
    cdn.putBack(kept.files);
    network.restore(kept.network);
  }
  const pairing = new PairingDesk(
    network,
    options.companionRegRefresh ? { companionRegRefresh: options.companionRegRefresh } : {},
  );
  try {
    const server = await startNetworkServer({ network, pairing, certificates }, { port: options.port ?? 0 });
    const folder = data ? undefined : await mkdtemp(join(tmpdir(), 'wuts-sandbox-'));
    const caFile = data?.caFile ?? join(folder ?? '', 'media-ca.pem');
    await writeFile(caFile, cdn.caPem);
    const rootKey = Buffer.from(certificates.rootPublic).toString('hex');
    return new Sandbox({
      network,
      server,
      rootKey,
      cdn,
      pairing,
      folder,
      caFile,
      data,
      phones: kept?.phones ?? [],
    });
  } catch (error) {
    await cdn.stop();
    throw error;
  }
}

async function newIdentity(cdnName: string | undefined): Promise<KeptIdentity> {
  return {
    certificates: createNoiseCertificates(),
    cdnCertificate: await issueCdnCertificate(cdnName),
    authToken: randomBytes(32).toString('base64url'),
  };
}
