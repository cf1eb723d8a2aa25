import type { BinaryNode } from 'baileys';
import { removeCompanion } from '../pairing/remove.ts';
import { stanza, timestamp } from '../wire/stanza.ts';
import { acquaintances } from './device-changes.ts';
import type { Account, RegisteredDevice } from './directory.ts';
import { lidJid, phoneJid } from './jid.ts';
import type { Network } from './network.ts';

/**
 * `<notification type="account_sync">` to the account's other devices: one of them changed the block list,
 * the privacy settings or the picture (whatsmeow notification.go handleAccountSyncNotification).
 */
export function tellOwnDevices(network: Network, changer: RegisteredDevice, change: BinaryNode): void {
  const { account } = changer;
  for (const device of account.devices.values()) {
    if (device === changer) continue;
    const attrs = { from: phoneJid(account), type: 'account_sync', id: network.nextId(), t: timestamp() };
    network.post(device, stanza('notification', attrs, [change]));
  }
}

/** A notification from the account to every device of those who know it: picture, about, identity. */
export function tellContacts(
  network: Network,
  account: Account,
  type: 'picture' | 'status' | 'encrypt',
  content: BinaryNode[],
): void {
  for (const contact of acquaintances(network, account)) {
    for (const device of contact.devices.values()) {
      const attrs = { from: phoneJid(account), type, id: network.nextId(), t: timestamp() };
      const named = type === 'encrypt' ? { ...attrs, lid: lidJid(account) } : attrs;
      network.post(device, stanza('notification', named, content));
    }
  }
}

/**
 * The number registered again, on a new installation with a new identity key: its companions are logged out,
 * and contacts get `<notification type="encrypt"><identity/></notification>` (whatsmeow notification.go
 * handleEncryptNotification, Baileys identity-change-handler.js).
 */
export function registeredAgain(network: Network, primary: RegisteredDevice): void {
  const { account } = primary;
  account.identityPublic = primary.identityPublic;
  network.appState.forget(account.user);
  for (const device of [...account.devices.values()]) {
    if (device !== primary) removeCompanion(network, device);
  }
  tellContacts(network, account, 'encrypt', [stanza('identity')]);
}
