import { createHash } from 'node:crypto';
import { SERVER_JID, stanza, timestamp } from '../wire/stanza.ts';
import type { Account, RegisteredDevice } from './directory.ts';
import { type AddressingMode, jidIn, lidJid, phoneJid } from './jid.ts';
import type { Network } from './network.ts';

/**
 * The hash of a device list: `2:` and the base64 of the first 6 bytes of the SHA-256 over the sorted
 * `user.0:device@server` names (whatsmeow send.go participantListHashV2).
 */
export function deviceListHash(mode: AddressingMode, account: Account): string {
  const user = mode === 'lid' ? account.lid : account.user;
  const server = mode === 'lid' ? 'lid' : SERVER_JID;
  const names = [...account.devices.keys()].map((device) => `${user}.0:${device}@${server}`).sort();
  const digest = createHash('sha256').update(names.join('')).digest();
  return `2:${digest.subarray(0, 6).toString('base64')}`;
}

/**
 * Tells of a companion that was linked or removed: `<notification type="devices">` to the account's other
 * devices, to every account it exchanged messages with, and to the members of its groups (whatsmeow
 * notification.go handleDeviceNotification; Baileys messages-recv.js handleDevicesNotification).
 * Simplified: the real server tells everyone who has the number in their address book.
 */
export function notifyDeviceChange(
  network: Network,
  device: RegisteredDevice,
  change: 'add' | 'remove',
): void {
  const { account, address, keyIndex } = device;
  const t = timestamp();
  const attrs = {
    from: phoneJid(account),
    lid: lidJid(account),
    type: 'devices',
    t,
  };
  const content = [
    stanza(
      change,
      { device_hash: deviceListHash('pn', account), device_lid_hash: deviceListHash('lid', account) },
      [
        stanza('device', {
          jid: jidIn('pn', account, address.device),
          lid: jidIn('lid', account, address.device),
          'key-index': String(keyIndex),
        }),
        stanza('key-index-list', { ts: t }),
      ],
    ),
  ];
  for (const other of account.devices.values()) {
    if (other !== device)
      network.post(other, stanza('notification', { ...attrs, id: network.nextId() }, content));
  }
  for (const contact of acquaintances(network, account)) {
    for (const other of contact.devices.values()) {
      network.post(other, stanza('notification', { ...attrs, id: network.nextId() }, content));
    }
  }
}

/** Who wrote to the account or shares a group with it; the real server goes by address books. */
export function acquaintances(network: Network, account: Account): Set<Account> {
  const found = new Set<Account>();
  for (const user of account.contacts) {
    const contact = network.directory.byUser(user);
    if (contact) found.add(contact);
  }
  for (const group of network.groups.of(account)) {
    for (const { account: member } of group.participants.values()) found.add(member);
  }
  found.delete(account);
  return found;
}
