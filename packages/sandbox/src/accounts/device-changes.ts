import { createHash } from 'node:crypto';
import type { Account, RegisteredDevice } from '../state/directory.ts';
import { type AddressingMode, jidIn, lidJid, phoneJid } from '../state/jid.ts';
import { stanza, timestamp } from '../wire/stanza.ts';
import { acquaintances, type Neighbourhood } from './neighbourhood.ts';

/**
 * The hash of a device list: `2:` and the base64 of the first 6 bytes of the SHA-256 over the sorted
 * `user.0:device@server` names (whatsmeow send.go participantListHashV2).
 */
export function deviceListHash(mode: AddressingMode, account: Account): string {
  const [user, server] = jidIn(mode, account).split('@');
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
  network: Neighbourhood,
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
      {
        device_hash: deviceListHash('pn', account),
        device_lid_hash: account.lid === null ? undefined : deviceListHash('lid', account),
      },
      [
        stanza('device', {
          jid: jidIn('pn', account, address.device),
          lid: lidJid(account, address.device),
          'key-index': String(keyIndex),
        }),
        stanza('key-index-list', { ts: t }),
      ],
    ),
  ];
  for (const other of account.devices.values()) {
    if (other !== device)
      network.delivery.post(
        other,
        stanza('notification', { ...attrs, id: network.delivery.nextId() }, content),
      );
  }
  for (const contact of acquaintances(network, account)) {
    for (const other of contact.devices.values()) {
      network.delivery.post(
        other,
        stanza('notification', { ...attrs, id: network.delivery.nextId() }, content),
      );
    }
  }
}
