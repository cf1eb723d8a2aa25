import type { BinaryNode } from 'baileys';

/**
 * One device of an account: `device` 0 is the primary phone, 1 and up are companions.
 * `user` is always the phone number (digits); the LID is looked up in the directory.
 */
export interface DeviceAddress {
  readonly user: string;
  readonly device: number;
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
