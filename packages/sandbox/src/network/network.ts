import type { BinaryNode } from 'baileys';
import { Presences } from '../accounts/presence.ts';
import { type KeptReachOut, ReachOutLocks } from '../accounts/reach-out.ts';
import { Delivery } from '../delivery/delivery.ts';
import type { Group } from '../groups/group.ts';
import { Groups } from '../groups/groups.ts';
import { dispatchIq } from '../iq/dispatch.ts';
import type { DeviceAddress, NetworkLink, NetworkPort } from '../link.ts';
import { type KeptNewsletter, Newsletters } from '../newsletters/newsletters.ts';
import { routeCall } from '../routing/calls.ts';
import { routeMediaRetry, routeMessage } from '../routing/messages.ts';
import { routeReceipt } from '../routing/receipts.ts';
import type { IqExtension, MediaHosts, NetworkServices } from '../services.ts';
import { AppState, type KeptAppState } from '../state/app-state.ts';
import { Directory, type KeptDirectory, type RegisteredDevice } from '../state/directory.ts';
import { FaultOrders } from '../state/fault-orders.ts';

export interface KeptNetwork {
  readonly directory: KeptDirectory;
  readonly appState: KeptAppState;
  readonly groups: readonly Group[];
  readonly newsletters: readonly KeptNewsletter[];
  readonly reachOut: KeptReachOut;
}

export interface NetworkOptions {
  readonly media?: MediaHosts;
  /** Told of stanzas that could not be handled; by default a process warning. */
  readonly onError?: (error: Error) => void;
}

/**
 * The simulated network: takes stanzas from attached devices, routes them, and keeps what a device has not
 * acknowledged. Everything is synchronous and in memory; a stanza that was taken is handled before the
 * call returns. State, those who change it and delivery do not know this class: it puts them together.
 */
export class Network implements NetworkPort, NetworkServices {
  readonly directory = new Directory();
  readonly appState = new AppState(() => this.media?.stateFiles);
  readonly orders = new FaultOrders();
  readonly delivery = new Delivery(this.directory, this.orders);
  readonly groups = new Groups(this.delivery);
  readonly newsletters = new Newsletters(this.delivery);
  readonly reachOut = new ReachOutLocks(this.delivery);
  readonly presences = new Presences(this);
  readonly media: MediaHosts | undefined;
  pairingIq: IqExtension | undefined;

  readonly #onError: (error: Error) => void;
  readonly #watchers = new Set<(node: BinaryNode, from: DeviceAddress) => void>();

  constructor(options: NetworkOptions = {}) {
    this.media = options.media;
    this.#onError = options.onError ?? ((error) => process.emitWarning(error));
    this.delivery.onGone((device) => this.presences.deviceGone(device));
  }

  /** Everything but who is attached now. Its parts refer to each other: they are to be written as one. */
  kept(): KeptNetwork {
    return {
      directory: this.directory.kept(),
      appState: this.appState.kept(),
      groups: this.groups.kept(),
      newsletters: this.newsletters.kept(),
      reachOut: this.reachOut.kept(),
    };
  }

  /** Goes on where another network ended. */
  restore(kept: KeptNetwork): void {
    this.directory.restore(kept.directory);
    this.appState.restore(kept.appState);
    this.groups.restore(kept.groups);
    this.newsletters.restore(kept.newsletters);
    this.reachOut.restore(kept.reachOut);
  }

  attach(link: NetworkLink): void {
    this.delivery.attach(link);
  }

  detach(link: NetworkLink): void {
    this.delivery.detach(link);
  }

  /** Calls back with each stanza that a device hands in, before it is handled; returns the way to stop it. */
  onStanza(watcher: (node: BinaryNode, from: DeviceAddress) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  submit(from: NetworkLink, node: BinaryNode): void {
    for (const watcher of this.#watchers) watcher(node, from.address);
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
        this.#takeAck(sender, node);
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

  #takeAck(sender: RegisteredDevice, ack: BinaryNode): void {
    const { id, class: tag, error } = ack.attrs;
    if (id === undefined || tag === undefined) return;
    const { to: from, participant, recipient, type } = ack.attrs;
    const acknowledged = { tag, id, from, participant, recipient, type };
    if (error === undefined) this.delivery.acknowledged(sender, acknowledged);
    else this.delivery.refused(sender, acknowledged);
  }
}

/** Builds a network; `media` may be left out, then `media_conn` is refused with 503. */
export function createNetwork(options: NetworkOptions = {}): Network {
  return new Network(options);
}
