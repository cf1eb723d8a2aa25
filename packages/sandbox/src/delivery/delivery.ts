import type { BinaryNode } from 'baileys';
import type { NetworkLink } from '../link.ts';
import type { Directory, RegisteredDevice } from '../state/directory.ts';
import type { FaultOrders } from '../state/fault-orders.ts';
import { lidJid, STATUS_JID } from '../state/jid.ts';
import type { Acknowledgement } from '../state/mailbox.ts';
import { SERVER_JID, type StanzaAttributes, stanza, timestamp } from '../wire/stanza.ts';

/**
 * Who hears what: the links of attached devices, what is stored for each device until it acknowledges, and
 * the stanzas that the server itself says at login. Everything that tells a device something goes through here.
 */
export class Delivery {
  readonly #directory: Directory;
  readonly #orders: FaultOrders;
  readonly #listeners = new Set<() => void>();
  readonly #goneListeners = new Set<(device: RegisteredDevice) => void>();
  readonly #idPrefix = Math.floor(Date.now() / 1000);
  #ids = 0;

  constructor(directory: Directory, orders: FaultOrders) {
    this.#directory = directory;
    this.#orders = orders;
  }

  /** A device's link is up; an earlier link of the same device is told `replaced` and closed. */
  attach(link: NetworkLink): void {
    const device = this.#directory.device(link.address);
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
    if (!link.passive) this.startDelivery(device);
  }

  /** The link ended; stanzas for the device are stored until it attaches again. */
  detach(link: NetworkLink): void {
    const device = this.#directory.device(link.address);
    if (!device || device.mailbox.link !== link) return;
    device.mailbox.link = undefined;
    device.mailbox.receiving = false;
    this.#orders.linkGone(link);
    for (const listener of this.#goneListeners) listener(device);
    this.#changed();
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
    if (!link) return;
    const change = device.keyIndex > 0 && isAnswer(node) ? this.#orders.answersChanged : null;
    this.transmit(link, change ? change(node) : node);
  }

  /** Hands a stanza to a link after the latency a test may have set; order holds while it is the same. */
  transmit(link: NetworkLink, node: BinaryNode): void {
    const { latencyMs } = this.#orders;
    if (this.#orders.withholds(link, node)) return;
    if (this.#orders.tears(link)) {
      this.detach(link);
      if (link.tear) link.tear(node);
      else link.close();
      return;
    }
    if (latencyMs > 0) setTimeout(() => link.deliver(node), latencyMs);
    else link.deliver(node);
  }

  /**
   * Stored stanzas between `offline_preview` and `offline`, then live delivery. Companions whose login says `passive` ask
   * for it with `<iq xmlns="passive"><active/></iq>` (Baileys socket.js CB:success).
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
    // Behind a status that was refused nothing else comes, not even that this was all.
    if (mailbox.refused) return;
    mailbox.receiving = true;
    this.transmit(link, stanza('ib', { from: SERVER_JID }, [stanza('offline', { count: String(total) })]));
    for (const type of device.dirty) {
      const dirty = stanza('dirty', { type, timestamp: timestamp() });
      this.transmit(link, stanza('ib', { from: SERVER_JID }, [dirty]));
    }
    this.#changed();
  }

  /** The device acknowledged a stanza. A message of its own account is taken by a receipt alone. */
  acknowledged(device: RegisteredDevice, acknowledged: Acknowledgement): void {
    if (!this.#isOwnMessage(device, acknowledged)) this.taken(device, acknowledged);
  }

  /** The device answered with an error: whatever it was is gone, but a status is kept, and holds up the rest. */
  refused(device: RegisteredDevice, acknowledged: Acknowledgement): void {
    if (acknowledged.from === STATUS_JID) device.mailbox.refuse(acknowledged);
    else if (!this.#isOwnMessage(device, acknowledged)) this.taken(device, acknowledged);
  }

  /** The device took a stanza. What waited behind one that it had refused flows now. */
  taken(device: RegisteredDevice, acknowledged: Acknowledgement): void {
    const { mailbox } = device;
    const waited = mailbox.refused;
    mailbox.acknowledge(acknowledged);
    if (waited && !mailbox.refused && !mailbox.receiving) this.startDelivery(device);
  }

  /**
   * Ends the stream over the oldest stanza that the device never took, as the real server does after some 50
   * minutes, naming the acknowledgement that it misses (whatsapp-rust pull requests 659 and 1101, Baileys issue
   * 1910); false when it misses none.
   */
  demandAcknowledgement(device: RegisteredDevice): boolean {
    const { oldest: missing } = device.mailbox;
    if (!missing) return false;
    const { id, type } = missing.attrs;
    this.end(device, stanza('stream:error', {}, [stanza('ack', { class: missing.tag, id, type })]));
    return true;
  }

  /** The server's `<ack>` for a stanza it took (messages, receipts, calls), or refused: `error` among `more`. */
  acknowledge(device: RegisteredDevice, node: BinaryNode, more: StanzaAttributes = {}): void {
    this.send(
      device,
      stanza('ack', {
        class: node.tag,
        id: node.attrs.id,
        from: node.attrs.to,
        participant: node.attrs.participant,
        type: node.tag === 'message' ? undefined : node.attrs.type,
        t: timestamp(),
        ...more,
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

  /** Calls back for each device whose link ended. */
  onGone(listener: (device: RegisteredDevice) => void): void {
    this.#goneListeners.add(listener);
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

  /**
   * Written on another device of the account. Only a `sender` receipt takes it off the queue (whatsapp-rust pull
   * request 659), unless no person wrote it.
   */
  #isOwnMessage(device: RegisteredDevice, acknowledged: Acknowledgement): boolean {
    const { tag, from, participant } = acknowledged;
    if (tag !== 'message' || device.mailbox.isPeer(acknowledged)) return false;
    return this.#directory.resolve(participant ?? from) === device.account;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function isAnswer({ tag, attrs }: BinaryNode): boolean {
  return tag === 'iq' && attrs.type === 'result';
}
