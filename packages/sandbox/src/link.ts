import type { BinaryNode } from 'baileys';

/**
 * One device of an account: `device` 0 is the primary phone, 1 and up are companions.
 * `user` is always the phone number (digits); the LID is looked up in the directory.
 */
export interface DeviceAddress {
  readonly user: string;
  readonly device: number;
}

/** What the network must know of a number before its phone can attach. */
export interface NewAccount {
  /** Phone number, digits. */
  readonly user: string;
  /** LID, digits; the directory picks one when it is left out, null: the account has none. */
  readonly lid?: string | null;
  readonly name: string;
  /** The primary device's identity key, 32 bytes. */
  readonly identityPublic: Uint8Array;
  readonly registrationId: number;
}

/**
 * A device's live attachment to the network, whatever carries it: a companion's WebSocket
 * (`endpoint/`) or a simulated primary phone in this process (`phones/`).
 * Both speak the same stanzas; the network does not know which kind it talks to.
 */
export interface NetworkLink {
  readonly address: DeviceAddress;
  /** True for a companion that asks for what was stored by itself after login; others are given it at once. */
  readonly passive?: boolean;
  /** Hands one stanza to the device. Must not throw; a dead link drops it (the queue keeps it). */
  deliver(node: BinaryNode): void;
  /** The network ends the link: `stream:error` or `failure` was already delivered when there was one. */
  close(): void;
  /**
   * A fault: the stanza breaks off in the middle of its bytes and the connection with it. Links that carry
   * no bytes leave it out, and are closed.
   */
  tear?(node: BinaryNode): void;
}

/** What a device may do with the network once attached. */
export interface NetworkPort {
  /**
   * Attaches a device and starts delivery of what was stored for it (offline messages first, each with
   * `offline` set, then `<ib><offline count/></ib>`). A second attachment of the same address replaces
   * the first, which receives `<stream:error><conflict type="replaced"/></stream:error>`.
   */
  attach(link: NetworkLink): void;
  /** Forgets the link; stanzas for the device are stored until it attaches again. */
  detach(link: NetworkLink): void;
  /** Takes one stanza from an attached device: message, receipt, ack, presence, chatstate, iq, ib, call. */
  submit(from: NetworkLink, node: BinaryNode): void;
}

/**
 * `required`: nobody is linked without a passkey. `offered`: the server asks, links all the same whoever says nothing,
 * and removes that device again. `none`: it does not ask.
 */
export const PASSKEY_DEMANDS = ['none', 'offered', 'required'] as const;
export type PasskeyDemand = (typeof PASSKEY_DEMANDS)[number];

export interface PasskeyPolicy {
  readonly demand: PasskeyDemand;
  /** The options stand in the notification; otherwise they have to be asked for. */
  readonly embedded: boolean;
  /** The options name the account's passkeys; the real server's list is empty. */
  readonly listed: boolean;
  /** How long the whole step may take. */
  readonly timeoutMs: number;
  /** With `offered`: how long the server waits before it links all the same. */
  readonly offerMs: number;
  /** With `offered`: how long a device stays that said nothing. */
  readonly removeAfterMs: number;
  /** Where the browser has to be. */
  readonly origin: string;
}

/** What the companion says of itself at the beginning, as the phone gets it. */
export interface Prologue {
  /** Encoded `ProloguePayload`. */
  readonly payload: Uint8Array;
  /** Proves that the companion holds the ADV secret that the phone has read; null: it does not say. */
  readonly handoffProof: Uint8Array | null;
}

/** The phone's half of the step. Everything rejects with a reason when the step ends. */
export interface PasskeyExchange {
  /** Null: the companion has said nothing to an offer, and is linked as it is. */
  prologue(): Promise<Prologue | null>;
  /** Sends the phone's key and nonce (encoded `PrimaryEphemeralIdentity`); resolves with the companion's nonce. */
  answer(primary: Uint8Array): Promise<Uint8Array>;
  /** The companion's keys, sealed: an encoded `EncryptedPairingRequest`. */
  request(): Promise<Uint8Array>;
  /** The phone does not let the companion in. */
  refuse(): void;
}
