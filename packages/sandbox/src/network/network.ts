import type { BinaryNode } from 'baileys';
import { Faults } from '../faults.ts';
import { Groups } from '../groups/groups.ts';
import { dispatchIq } from '../iq/dispatch.ts';
import { Newsletters } from '../newsletters/newsletters.ts';
import { SERVER_JID, stanza, timestamp } from '../wire/stanza.ts';
import { AppState } from './app-state.ts';
import { routeCall } from './calls.ts';
import { Directory, type RegisteredDevice } from './directory.ts';
import { lidJid } from './jid.ts';
import type { NetworkLink, NetworkPort } from './link.ts';
import { routeMediaRetry, routeMessage } from './messages.ts';
import { Presences } from './presence.ts';
import { ReachOutLocks } from './reach-out.ts';
import { routeReceipt } from './receipts.ts';

/** Where `media_conn` sends clients; asked on every query, so that the CDN can be started later. */
export interface MediaHosts {
  /** Host, with a port when it is not 443 (a deviation: the real network's hosts have none). */
  hostname(): string;
  authToken(): string;
}

export interface NetworkOptions {
  readonly media?: MediaHosts;
  /** Told of stanzas that could not be handled; by default a process warning. */
  readonly onError?: (error: Error) => void;
}

/** Answers an iq that needs a part built on top of the network (pairing); `undefined` when it is not its. */
export type IqExtension = (sender: RegisteredDevice, iq: BinaryNode) => BinaryNode | undefined;

/**
 * The simulated network: takes stanzas from attached devices, routes them, and keeps what a device has not
 * acknowledged. Everything is synchronous and in memory; a stanza that was taken is handled before the
 * call returns.
 */
export class Network implements NetworkPort {
  readonly directory = new Directory();
  readonly groups: Groups;
  readonly presences: Presences;
  readonly appState = new AppState();
  readonly newsletters: Newsletters;
  readonly reachOut: ReachOutLocks;
  readonly faults: Faults;
  readonly media: MediaHosts | undefined;
  /** Set by the pairing desk: handles the phone's side of code linking. */
  pairingIq: IqExtension | undefined;

  readonly #onError: (error: Error) => void;
  readonly #listeners = new Set<() => void>();
  readonly #idPrefix = Math.floor(Date.now() / 1000);
  #ids = 0;

  constructor(options: NetworkOptions = {}) {
    this.media = options.media;
    this.#onError = options.onError ?? ((error) => process.emitWarning(error));
    this.groups = new Groups(this);
    this.newsletters = new Newsletters(this);
    this.reachOut = new ReachOutLocks(this);
    this.presences = new Presences(this);
    this.faults = new Faults(this);
  }

  attach(link: NetworkLink): void {
    const device = this.directory.device(link.address);
    if (!device) throw new Error(`no device ${link.address.device} on ${link.address.user}`);
    const previous = device.mailbox.link;
    if (previous && previous !== link) {
      this.transmit(previous, stanza('stream:error', {}, [stanza('conflict', { type: 'replaced' })]));
      this.detach(previous);
      previous.close();
    }
    device.mailbox.link = link;
    device.mailbox.receiving = false;
    if (device.keyIndex === 0) {
      this.startDelivery(device);
      return;
    }
    this.transmit(link, this.#success(device));
  }

  detach(link: NetworkLink): void {
    const device = this.directory.device(link.address);
    if (!device || device.mailbox.link !== link) return;
    device.mailbox.link = undefined;
    device.mailbox.receiving = false;
    this.faults.linkGone(link);
    this.presences.deviceGone(device);
    this.#changed();
  }

  submit(from: NetworkLink, node: BinaryNode): void {
    try {
      this.#dispatch(from, node);
    } catch (error) {
      // One malformed stanza must not take the network down, nor pass unseen.
      this.#onError(new Error(`a <${node.tag}> stanza could not be handled`, { cause: error }));
    }
  }

  #dispatch(from: NetworkLink, node: BinaryNode): void {
    const sender = this.directory.device(from.address);
    // A replaced or removed link may still have bytes in flight; they count for nothing.
    if (sender?.mailbox.link !== from) return;
    switch (node.tag) {
      case 'iq':
        dispatchIq(this, sender, node);
        return;
      case 'message':
        routeMessage(this, sender, node);
        return;
      case 'receipt':
        routeReceipt(this, sender, node);
        return;
      case 'ack':
        this.#settleAck(sender, node);
        return;
      case 'presence':
        this.presences.presence(sender, node);
        return;
      case 'chatstate':
        this.presences.chatstate(sender, node);
        return;
      case 'notification':
        if (node.attrs.type === 'mediaretry') routeMediaRetry(this, sender, node);
        return;
      case 'call':
        routeCall(this, sender, node);
        return;
      default:
        // <ib> (offline_batch, unified_session) asks for nothing the sandbox does differently.
        return;
    }
  }

  /** Stores a stanza for a device until it is acknowledged, and delivers it when the device is receiving. */
  post(device: RegisteredDevice, node: BinaryNode): void {
    const { mailbox } = device;
    mailbox.store(node);
    if (mailbox.receiving && mailbox.link) this.transmit(mailbox.link, node);
  }

  /** Delivers a stanza that is worth nothing later (answers, presence); lost when the device is away. */
  send(device: RegisteredDevice, node: BinaryNode): void {
    const { link } = device.mailbox;
    if (link) this.transmit(link, node);
  }

  /** Hands a stanza to a link after the latency a test may have set; order holds while it is the same. */
  transmit(link: NetworkLink, node: BinaryNode): void {
    const { latencyMs } = this.faults;
    if (this.faults.withholds(link, node)) return;
    if (this.faults.tears(link)) {
      this.detach(link);
      if (link.tear) link.tear(node);
      else link.close();
      return;
    }
    if (latencyMs > 0) setTimeout(() => link.deliver(node), latencyMs);
    else link.deliver(node);
  }

  /**
   * Stored stanzas between `offline_preview` and `offline`, then live delivery. Companions ask for it with
   * `<iq xmlns="passive"><active/></iq>` after login (Baileys socket.js CB:success).
   */
  startDelivery(device: RegisteredDevice): void {
    const { mailbox } = device;
    const { link } = mailbox;
    if (!link || mailbox.receiving) return;
    const counts = mailbox.countByTag();
    const total = mailbox.pending;
    this.transmit(
      link,
      stanza('ib', { from: SERVER_JID }, [
        stanza('offline_preview', {
          count: String(total),
          message: String(counts.get('message') ?? 0),
          notification: String(counts.get('notification') ?? 0),
          receipt: String(counts.get('receipt') ?? 0),
          call: String(counts.get('call') ?? 0),
          appdata: '0',
        }),
      ]),
    );
    for (const node of mailbox.redeliver()) this.transmit(link, node);
    mailbox.receiving = true;
    this.transmit(link, stanza('ib', { from: SERVER_JID }, [stanza('offline', { count: String(total) })]));
    for (const type of device.dirty) {
      const dirty = stanza('dirty', { type, timestamp: timestamp() });
      this.transmit(link, stanza('ib', { from: SERVER_JID }, [dirty]));
    }
    this.#changed();
  }

  /** The server's `<ack>` for a stanza it took (messages, receipts, calls). */
  acknowledge(device: RegisteredDevice, node: BinaryNode, error?: string): void {
    this.send(
      device,
      stanza('ack', {
        class: node.tag,
        id: node.attrs.id,
        from: node.attrs.to,
        participant: node.attrs.participant,
        type: node.tag === 'message' ? undefined : node.attrs.type,
        t: timestamp(),
        error,
      }),
    );
  }

  /** Ends a device's link after a last stanza (`stream:error`, `failure`). */
  end(device: RegisteredDevice, last?: BinaryNode): void {
    const { link } = device.mailbox;
    if (!link) return;
    if (last) link.deliver(last);
    this.detach(link);
    link.close();
  }

  /** True when the device's link is up and takes live stanzas. */
  online(device: RegisteredDevice): boolean {
    return device.mailbox.link !== undefined && device.mailbox.receiving;
  }

  /** Calls back whenever a device goes online or away; returns the way to stop it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** An id for a stanza the server starts: digits, a dash, digits. */
  nextId(): string {
    this.#ids += 1;
    return `${this.#idPrefix}-${this.#ids}`;
  }

  #settleAck(sender: RegisteredDevice, ack: BinaryNode): void {
    const { id, class: tag } = ack.attrs;
    if (id === undefined || tag === undefined) return;
    const { to: from, participant, type } = ack.attrs;
    sender.mailbox.settle({ tag, id, from, participant, type });
  }

  /** The answer to a login (attributes as in captures of `success`; clients read `t` and `lid`). */
  #success(device: RegisteredDevice): BinaryNode {
    const { account } = device;
    return stanza('success', {
      t: timestamp(),
      lid: lidJid(account, device.address.device),
      display_name: account.name,
      props: '27',
      abprops: '0',
      group_abprops: '0',
      location: 'sbx',
      creation: String(account.createdAt),
    });
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Builds a network; `media` may be left out, then `media_conn` is refused with 503. */
export function createNetwork(options: NetworkOptions = {}): Network {
  return new Network(options);
}
