import type { BinaryNode } from 'baileys';
import type { AppState } from '../state/app-state.ts';
import type { Account, RegisteredDevice } from '../state/directory.ts';
import { lidJid, phoneJid } from '../state/jid.ts';
import { stanza, timestamp } from '../wire/stanza.ts';
import { acquaintances, type Neighbourhood } from './neighbourhood.ts';
import { removeCompanion } from './remove-companion.ts';

/**
 * `<notification type="account_sync">` to the account's other devices: one of them changed the block list,
 * the privacy settings or the picture (whatsmeow notification.go handleAccountSyncNotification).
 */
export function tellOwnDevices(network: Neighbourhood, changer: RegisteredDevice, change: BinaryNode): void {
  const { account } = changer;
  for (const device of account.devices.values()) {
    if (device === changer) continue;
    const attrs = {
      from: phoneJid(account),
      type: 'account_sync',
      id: network.delivery.nextId(),
      t: timestamp(),
    };
    network.delivery.post(device, stanza('notification', attrs, [change]));
  }
}

/** `<notification type="server_sync">`: the account's devices, but for the one that wrote, are to fetch patches. */
export function tellOfPatches(
  network: Neighbourhood,
  account: Account,
  collections: BinaryNode[],
  writer?: RegisteredDevice,
): void {
  const from = phoneJid(account);
  for (const device of account.devices.values()) {
    if (device === writer) continue;
    const attrs = { from, type: 'server_sync', id: network.delivery.nextId(), t: timestamp() };
    network.delivery.post(device, stanza('notification', attrs, collections));
  }
}

/** A notification from the account to every device of those who know it: picture, about, identity. */
export function tellContacts(
  network: Neighbourhood,
  account: Account,
  type: 'picture' | 'status' | 'encrypt',
  content: BinaryNode[],
): void {
  for (const contact of acquaintances(network, account)) {
    for (const device of contact.devices.values()) {
      const attrs = { from: phoneJid(account), type, id: network.delivery.nextId(), t: timestamp() };
      const named = type === 'encrypt' ? { ...attrs, lid: lidJid(account) } : attrs;
      network.delivery.post(device, stanza('notification', named, content));
    }
  }
}

/** The account has another about text; its contacts are told. */
export function setAbout(network: Neighbourhood, account: Account, text: string): void {
  account.about = text;
  tellContacts(network, account, 'status', [stanza('set', {}, Buffer.from(text, 'utf8'))]);
}

/**
 * The number registered again, on a new installation with a new identity key: its companions are logged out,
 * and contacts get `<notification type="encrypt"><identity/></notification>` (whatsmeow notification.go
 * handleEncryptNotification, Baileys identity-change-handler.js).
 */
export function registeredAgain(
  network: Neighbourhood & { readonly appState: AppState },
  primary: RegisteredDevice,
): void {
  const { account } = primary;
  account.identityPublic = primary.identityPublic;
  network.appState.forget(account.user);
  for (const device of [...account.devices.values()]) {
    if (device !== primary) removeCompanion(network, device);
  }
  tellContacts(network, account, 'encrypt', [stanza('identity')]);
}
