import { randomInt } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import type { DeviceAddress, NewAccount } from '../link.ts';
import { isUserServer, type ParsedJid, parseJid } from './jid.ts';
import { type KeptStanza, Mailbox } from './mailbox.ts';
import type { AccountPasskeys } from './passkeys.ts';
import type { Shop } from './shop.ts';

/** A public pre-key as a device uploaded it; keys are 32 bytes without the type byte. */
export interface PreKey {
  readonly id: number;
  readonly publicKey: Uint8Array;
}

export interface SignedPreKey extends PreKey {
  readonly signature: Uint8Array;
}

/** One device of an account as the server knows it. */
export interface RegisteredDevice {
  readonly account: Account;
  readonly address: DeviceAddress;
  /** 0 for the primary phone, 1 and up for companions (the ADV key index of the link). */
  readonly keyIndex: number;
  readonly platform: string;
  /** The static Noise key the device registered with; a login with another key is refused. */
  readonly noisePublic: Uint8Array | undefined;
  mailbox: Mailbox;
  identityPublic: Uint8Array;
  registrationId: number;
  signedPreKey: SignedPreKey | undefined;
  /** One-time pre-keys by id, oldest first. */
  readonly preKeys: Map<number, PreKey>;
  /** What a companion still has to fetch and clean (`account_sync`, `groups`); said again on each login. */
  readonly dirty: Set<string>;
  /** A low-count notification was sent since the last upload. */
  preKeyLowNotified: boolean;
}

/** A WhatsApp account: a phone number, its LID and its devices. */
export interface Account {
  /** Phone number, digits only. */
  readonly user: string;
  /** LID, digits only; null: the server has given it none. */
  readonly lid: string | null;
  /** Push name, sent as `notify` with messages. */
  name: string;
  /** The primary phone's identity key, 32 bytes; another one once the number registered again. */
  identityPublic: Uint8Array;
  readonly registrationId: number;
  readonly devices: Map<number, RegisteredDevice>;
  readonly createdAt: number;
  /** The device id the next companion gets; ids are not used again. */
  nextDevice: number;
  /** Phone numbers of accounts this one exchanged messages with: they are told of device changes. */
  readonly contacts: Set<string>;
  /** Phone numbers this account blocked. */
  readonly blocked: Set<string>;
  readonly privacy: Map<string, string>;
  /** Who sees its stories, as the phone told the server. */
  storyPrivacy: { type: string; people: readonly string[] };
  about: string;
  /** Of the chats that the account begins: seconds, 0 for never, and when it was set, Unix seconds. */
  defaultTimer: { readonly seconds: number; readonly at: number };
  picture: Picture | undefined;
  /** Of an account that is a business. */
  business: Business | undefined;
  /** Of the link that others add the contact by; made when it is first asked for. */
  contactCode: string | undefined;
  /** What the server wants of those who are to be linked; nothing where it is left out. */
  passkeys?: AccountPasskeys;
}

/** What a business tells of itself. */
export interface Business {
  /** Encoded `VerifiedNameCertificate`. */
  readonly certificate: Buffer | undefined;
  /** Fields of the profile as the app wrote them: `<address>`, `<email>`, `<business_hours>`… */
  readonly profile: readonly BinaryNode[];
  /** What it sells; undefined: it has no catalogue. */
  readonly shop?: Shop;
}

/** A picture of an account or a group; its bytes are on the CDN. */
export interface Picture {
  readonly id: string;
  readonly url: string;
  readonly directPath: string;
  /** Base64 SHA-256. */
  readonly hash: string;
}

export interface NewCompanion {
  readonly device: number;
  readonly keyIndex: number;
  readonly platform: string;
  readonly noisePublic: Uint8Array;
  readonly identityPublic: Uint8Array;
  readonly registrationId: number;
  readonly signedPreKey: SignedPreKey;
}

// The privacy categories a client asks for and the values of a fresh account (whatsmeow types/user.go).
const DEFAULT_PRIVACY: ReadonlyArray<readonly [string, string]> = [
  ['readreceipts', 'all'],
  ['profile', 'all'],
  ['status', 'all'],
  ['online', 'all'],
  ['last', 'all'],
  ['groupadd', 'all'],
  ['calladd', 'all'],
  ['messages', 'all'],
  ['defense', 'on_standard'],
  ['stickers', 'contacts'],
];

/** The accounts with their devices, and apart from them what waits for each device. */
export interface KeptDirectory {
  readonly accounts: readonly Account[];
  readonly mail: ReadonlyMap<RegisteredDevice, readonly KeptStanza[]>;
}

/** The accounts of the network and their devices. */
export class Directory {
  readonly #byUser = new Map<string, Account>();
  readonly #byLid = new Map<string, Account>();

  /**
   * Opens an account with its primary phone (device 0). The LID is made up when it is left out; null: it has none.
   * Throws when the number or the LID exists, or is not made of digits.
   */
  createAccount(input: NewAccount): Account {
    const lid = input.lid === undefined ? this.#freeLid() : input.lid;
    if (!/^[0-9]{5,15}$/.test(input.user)) throw new Error(`not a phone number: ${input.user}`);
    if (lid !== null && !/^[0-9]{5,20}$/.test(lid)) throw new Error(`not a LID: ${lid}`);
    if (this.#byUser.has(input.user)) throw new Error(`the number ${input.user} has an account`);
    if (lid !== null && this.#byLid.has(lid)) throw new Error(`the LID ${lid} has an account`);
    const account: Account = {
      user: input.user,
      lid,
      name: input.name,
      identityPublic: input.identityPublic,
      registrationId: input.registrationId,
      devices: new Map(),
      createdAt: Math.floor(Date.now() / 1000),
      nextDevice: 1,
      contacts: new Set(),
      blocked: new Set(),
      privacy: new Map(DEFAULT_PRIVACY),
      defaultTimer: { seconds: 0, at: 0 },
      storyPrivacy: { type: 'contacts', people: [] },
      about: 'Hey there! I am using WhatsApp.',
      picture: undefined,
      business: undefined,
      contactCode: undefined,
    };
    account.devices.set(0, {
      account,
      address: { user: input.user, device: 0 },
      keyIndex: 0,
      platform: 'android',
      noisePublic: undefined,
      mailbox: new Mailbox(),
      identityPublic: input.identityPublic,
      registrationId: input.registrationId,
      signedPreKey: undefined,
      preKeys: new Map(),
      dirty: new Set(),
      preKeyLowNotified: false,
    });
    this.#byUser.set(account.user, account);
    if (account.lid !== null) this.#byLid.set(account.lid, account);
    return account;
  }

  /** Adds a linked companion; its signed pre-key is the one of its registration payload. */
  addCompanion(account: Account, input: NewCompanion): RegisteredDevice {
    const device: RegisteredDevice = {
      account,
      address: { user: account.user, device: input.device },
      keyIndex: input.keyIndex,
      platform: input.platform,
      noisePublic: input.noisePublic,
      mailbox: new Mailbox(),
      identityPublic: input.identityPublic,
      registrationId: input.registrationId,
      signedPreKey: input.signedPreKey,
      preKeys: new Map(),
      dirty: new Set(['account_sync', 'groups']),
      preKeyLowNotified: false,
    };
    account.devices.set(input.device, device);
    return device;
  }

  kept(): KeptDirectory {
    const accounts = [...this.#byUser.values()];
    const devices = accounts.flatMap((account) => [...account.devices.values()]);
    return { accounts, mail: new Map(devices.map((device) => [device, device.mailbox.stanzas])) };
  }

  /** Takes the accounts of a network that has ended. */
  restore({ accounts, mail }: KeptDirectory): void {
    for (const account of accounts) {
      this.#byUser.set(account.user, account);
      if (account.lid !== null) this.#byLid.set(account.lid, account);
    }
    for (const [device, stanzas] of mail) device.mailbox = Mailbox.of(stanzas);
  }

  byUser(user: string): Account | undefined {
    return this.#byUser.get(user);
  }

  byLid(lid: string): Account | undefined {
    return this.#byLid.get(lid);
  }

  /** The account a user JID (phone number or LID, with or without a device) belongs to. */
  resolve(jid: string | ParsedJid | undefined): Account | undefined {
    const parsed = typeof jid === 'string' ? parseJid(jid) : jid;
    if (!parsed || !isUserServer(parsed.server)) return undefined;
    return parsed.server === 'lid' ? this.#byLid.get(parsed.user) : this.#byUser.get(parsed.user);
  }

  /** The device a JID names; a JID without a device names the primary phone. */
  resolveDevice(jid: string | undefined): RegisteredDevice | undefined {
    const parsed = parseJid(jid);
    return parsed && this.resolve(parsed)?.devices.get(parsed.device);
  }

  device(address: DeviceAddress): RegisteredDevice | undefined {
    return this.#byUser.get(address.user)?.devices.get(address.device);
  }

  accounts(): IterableIterator<Account> {
    return this.#byUser.values();
  }

  #freeLid(): string {
    for (;;) {
      const lid = `${randomInt(100, 281_474)}${String(randomInt(0, 1_000_000_000)).padStart(9, '0')}`;
      if (!this.#byLid.has(lid)) return lid;
    }
  }
}
