import type { BinaryNode } from 'baileys';
import type { Account, RegisteredDevice } from './network/directory.ts';
import type { NetworkLink } from './network/link.ts';
import type { Network } from './network/network.ts';
import { removeCompanion } from './pairing/remove.ts';
import { stanza } from './wire/stanza.ts';

/** A stream error by name or by the `code` attribute of `<stream:error>`. */
export type StreamErrorKind = 'replaced' | 'logged_out' | 'banned' | 'outdated' | number;

interface RefusedLogins {
  readonly code: number;
  remaining: number;
}

/** Limits an order to the messages of one account's companions. */
export interface SenderFilter {
  /** Phone number, digits. */
  readonly number?: string;
}

interface AckOrder extends SenderFilter {
  readonly code: number | 'silence';
}

/**
 * What goes wrong, on order. Each method acts once (or the given number of times) and says what the
 * network does from then on.
 */
export class Faults {
  /** Milliseconds every stanza waits before it is handed to a device. */
  latencyMs = 0;

  readonly #network: Network;
  readonly #ackOrders: AckOrder[] = [];
  readonly #refused = new Map<string, RefusedLogins>();
  readonly #silenced = new Map<NetworkLink, BinaryNode[]>();
  readonly #torn = new Set<NetworkLink>();

  constructor(network: Network) {
    this.#network = network;
  }

  /**
   * Ends a device's stream. `replaced`: another login took its place. `logged_out`: the device is removed
   * from the account (401, `device_removed`), later logins fail with 401. `banned` and `outdated`:
   * `<failure>` 403 and 405, as on login. A number: that code, such as 503 (restart) or 515.
   * Throws when the device is not attached.
   */
  streamError(deviceJid: string, kind: StreamErrorKind): void {
    if (kind === 'banned') this.failure(deviceJid, 403);
    else if (kind === 'outdated') this.failure(deviceJid, 405);
    else if (kind === 'logged_out') removeCompanion(this.#network, this.#attached(deviceJid));
    else this.#network.end(this.#attached(deviceJid), streamErrorStanza(kind));
  }

  /** Sends `<failure reason=…>` and closes. Throws when the device is not attached. */
  failure(deviceJid: string, reason: number): void {
    this.#network.end(this.#attached(deviceJid), failureStanza(reason));
  }

  /** Closes a device's connection without a word. Throws when the device is not attached. */
  drop(deviceJid: string): void {
    this.#network.end(this.#attached(deviceJid));
  }

  /**
   * The next stanza to a device breaks off in the middle of its bytes, and the connection with it. A stanza
   * that is kept until it is acknowledged comes again. Throws when the device is not attached.
   */
  tearNext(deviceJid: string): void {
    const { link } = this.#attached(deviceJid).mailbox;
    if (link) this.#torn.add(link);
  }

  /**
   * The next message that a companion sends is refused: its ack carries this error (463, 479, …) and it
   * goes nowhere. Phones are left alone: after linking they send protocol messages of their own; so are
   * peer messages between an account's devices.
   */
  nextAckError(code: number, from: SenderFilter = {}): void {
    this.#ackOrders.push({ ...from, code });
  }

  /**
   * The account may begin no chats for so many seconds; without a number, until it is lifted. Its companions
   * are told.
   */
  restrictNewChats(number: string, options: { seconds?: number; type?: string } = {}): void {
    const { seconds, type = 'BIZ_QUALITY' } = options;
    const endsAt = seconds === undefined ? null : Math.ceil(Date.now() / 1000) + seconds;
    this.#network.reachOut.lock(this.#account(number), { endsAt, type });
  }

  /** Ends the restriction, and tells the companions. */
  liftRestriction(number: string): void {
    this.#network.reachOut.lift(this.#account(number));
  }

  /** The next messages that companions send are routed but not acknowledged to them. */
  silenceAck(times = 1, from: SenderFilter = {}): void {
    for (let n = 0; n < times; n += 1) this.#ackOrders.push({ ...from, code: 'silence' });
  }

  /** The next logins of a number's companions end in `<failure reason=code>`; 0 times lifts it. */
  refuseLogin(code: number, options: { number: string; times?: number }): void {
    const times = options.times ?? Number.POSITIVE_INFINITY;
    if (times <= 0) this.#refused.delete(options.number);
    else this.#refused.set(options.number, { code, remaining: times });
  }

  /** Delays every stanza to devices; 0 ends it. */
  setLatency(ms: number): void {
    this.latencyMs = Math.max(0, ms);
  }

  /**
   * The device hears nothing any more, answers to its pings included, while its connection stays up: what a
   * dead route looks like. Throws when the device is not attached.
   */
  silence(deviceJid: string): void {
    const { link } = this.#attached(deviceJid).mailbox;
    if (link && !this.#silenced.has(link)) this.#silenced.set(link, []);
  }

  /** Ends a silence: what was held back arrives now, in its order. */
  resume(deviceJid: string): void {
    const { link } = this.#attached(deviceJid).mailbox;
    const held = link && this.#silenced.get(link);
    if (!link || !held) return;
    this.#silenced.delete(link);
    for (const node of held) link.deliver(node);
  }

  /** Used for every stanza to a link: true when a silence holds it back. */
  withholds(link: NetworkLink, node: BinaryNode): boolean {
    const held = this.#silenced.get(link);
    held?.push(node);
    return held !== undefined;
  }

  /** Used for every stanza to a link: true when it breaks off in the middle of this one. */
  tears(link: NetworkLink): boolean {
    return this.#torn.delete(link);
  }

  /** Used when a link ends: what was held back is lost with it. */
  linkGone(link: NetworkLink): void {
    this.#silenced.delete(link);
    this.#torn.delete(link);
  }

  /** Forgets every order that is still open. */
  clear(): void {
    this.latencyMs = 0;
    this.#ackOrders.length = 0;
    this.#refused.clear();
  }

  /** Used by message routing: what is ordered for the ack of this message. */
  takeAckOrder(sender: RegisteredDevice, message: BinaryNode): number | 'silence' | undefined {
    if (this.#ackOrders.length === 0) return undefined;
    if (sender.address.device === 0 || message.attrs.category === 'peer') return undefined;
    const { user } = sender.account;
    const index = this.#ackOrders.findIndex(({ number }) => number === undefined || number === user);
    return index < 0 ? undefined : this.#ackOrders.splice(index, 1)[0]?.code;
  }

  /** Used at login: the code this login is refused with. */
  takeLoginRefusal(user: string): number | undefined {
    const refused = this.#refused.get(user);
    if (!refused) return undefined;
    refused.remaining -= 1;
    if (refused.remaining <= 0) this.#refused.delete(user);
    return refused.code;
  }

  #account(number: string): Account {
    const account = this.#network.directory.resolve(`${number}@s.whatsapp.net`);
    if (!account) throw new Error(`${number} is nobody's number`);
    return account;
  }

  #attached(deviceJid: string): RegisteredDevice {
    const device = this.#network.directory.resolveDevice(deviceJid);
    if (!device?.mailbox.link) throw new Error(`${deviceJid} is not attached`);
    return device;
  }
}

/** `<stream:error>` with a conflict or a code (whatsmeow connectionevents.go handleStreamError). */
export function streamErrorStanza(kind: 'replaced' | 'device_removed' | number): BinaryNode {
  if (kind === 'replaced') return stanza('stream:error', {}, [stanza('conflict', { type: 'replaced' })]);
  if (kind === 'device_removed') {
    return stanza('stream:error', { code: '401' }, [stanza('conflict', { type: 'device_removed' })]);
  }
  return stanza('stream:error', { code: String(kind) });
}

/** `<failure>`, the answer to a refused login (whatsmeow connectionevents.go handleConnectFailure). */
export function failureStanza(reason: number): BinaryNode {
  return stanza('failure', { reason: String(reason), location: 'sbx' });
}
