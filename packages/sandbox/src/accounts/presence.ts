import type { BinaryNode } from 'baileys';
import type { Account, RegisteredDevice } from '../state/directory.ts';
import { type AddressingMode, jidIn, modeOf, parseJid } from '../state/jid.ts';
import { stanza, timestamp } from '../wire/stanza.ts';
import { acquaintances, type Neighbourhood } from './neighbourhood.ts';

/** A name some clients send before they know the real one (Baileys socket.js requestPairingCode). */
const PLACEHOLDER_NAME = '~';

/**
 * Presence and typing, for who is online: nothing of it is stored. Who hides when they were there last (privacy
 * `last`) has `last="deny"`, and with `online` set to follow that is never shown as online. Simplified: contact
 * tokens are not looked at, and a client's 10-minute subscription never lapses.
 */
export class Presences {
  readonly #network: Neighbourhood;
  /** Who watches an account (by phone number), and in which addressing they asked. */
  readonly #watchers = new Map<string, Map<RegisteredDevice, AddressingMode>>();

  constructor(network: Neighbourhood) {
    this.#network = network;
  }

  /** `<presence type="available|unavailable|subscribe" name=…>`; a name becomes the account's push name. */
  presence(sender: RegisteredDevice, node: BinaryNode): void {
    const { type, name, to } = node.attrs;
    if (type === 'subscribe') {
      this.#subscribe(sender, to);
      return;
    }
    if (name && name !== PLACEHOLDER_NAME) sender.account.name = name;
    if (type !== 'available' && type !== 'unavailable') return;
    this.#setAvailable(sender, type === 'available');
  }

  /** `<chatstate to=…><composing/></chatstate>` to the online devices of the other side. */
  chatstate(sender: RegisteredDevice, node: BinaryNode): void {
    const to = parseJid(node.attrs.to);
    if (!to) return;
    if (to.server === 'g.us') {
      const group = this.#network.groups.get(to.user);
      if (!group?.participants.has(sender.account.user)) return;
      const attrs = { from: group.jid, participant: jidIn(group.addressingMode, sender.account) };
      for (const { account } of group.participants.values()) {
        if (account !== sender.account) this.#toAll(account, stanza('chatstate', attrs, node.content));
      }
      return;
    }
    const account = this.#network.directory.resolve(to);
    if (!account || account === sender.account || account.blocked.has(sender.account.user)) return;
    this.#toAll(account, stanza('chatstate', { from: jidIn(modeOf(to), sender.account) }, node.content));
  }

  /** A device's link ended or the device was removed. */
  deviceGone(device: RegisteredDevice): void {
    this.#setAvailable(device, false);
    for (const watchers of this.#watchers.values()) watchers.delete(device);
  }

  #setAvailable(device: RegisteredDevice, available: boolean): void {
    if (device.mailbox.available === available) return;
    device.mailbox.available = available;
    const { account } = device;
    for (const [watcher, mode] of this.#watchers.get(account.user) ?? []) {
      this.#tell(watcher, account, mode);
    }
  }

  #subscribe(watcher: RegisteredDevice, to: string | undefined): void {
    const parsed = parseJid(to);
    const account = this.#network.directory.resolve(parsed);
    if (!parsed || !account) return;
    let watchers = this.#watchers.get(account.user);
    if (!watchers) {
      watchers = new Map();
      this.#watchers.set(account.user, watchers);
    }
    const mode = modeOf(parsed);
    watchers.set(watcher, mode);
    this.#tell(watcher, account, mode);
  }

  #tell(watcher: RegisteredDevice, account: Account, mode: AddressingMode): void {
    const shown = {
      last: shows(this.#network, account, watcher.account, 'last'),
      online: shows(this.#network, account, watcher.account, 'online'),
    };
    this.#network.delivery.send(watcher, presenceOf(account, mode, shown));
  }

  #toAll(account: Account, node: BinaryNode): void {
    for (const device of account.devices.values()) {
      if (this.#network.delivery.online(device)) this.#network.delivery.send(device, node);
    }
  }
}

/** Whether the account lets the other see it; `match_last_seen` of `online` follows `last` (whatsmeow types/user.go). */
function shows(
  network: Neighbourhood,
  account: Account,
  other: Account,
  category: 'last' | 'online',
): boolean {
  const value = account.privacy.get(category) ?? 'all';
  if (value === 'match_last_seen') return shows(network, account, other, 'last');
  if (value === 'none') return false;
  return value !== 'contacts' || acquaintances(network, account).has(other);
}

function presenceOf(
  account: Account,
  mode: AddressingMode,
  shown: { last: boolean; online: boolean },
): BinaryNode {
  const available = [...account.devices.values()].some(({ mailbox }) => mailbox.available);
  const from = jidIn(mode, account);
  if (available && shown.online) return stanza('presence', { from });
  return stanza('presence', { from, type: 'unavailable', last: shown.last ? timestamp() : 'deny' });
}
