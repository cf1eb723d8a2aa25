import { removeCompanion } from '../accounts/remove-companion.ts';
import type { NetworkServices } from '../services.ts';
import type { RegisteredDevice } from '../state/directory.ts';
import { childNamed } from '../wire/stanza.ts';
import { BAD_REQUEST, FORBIDDEN, type IqHandler, NOT_FOUND } from './answer.ts';

/**
 * `md`: `<remove-companion-device jid reason="user_initiated"/>`, sent by a companion about itself (logout,
 * Baileys socket.js logout) or by the phone about any of its companions (`all="true"` for every one).
 */
const multiDevice: IqHandler = ({ network, sender, iq }) => {
  const removal = childNamed(iq, 'remove-companion-device');
  if (!removal) return { error: BAD_REQUEST };
  const isPhone = sender.keyIndex === 0;
  if (removal.attrs.all === 'true') {
    if (!isPhone) return { error: FORBIDDEN };
    const companions = [...sender.account.devices.values()].filter((device) => device !== sender);
    return { after: () => removeAll(network, companions) };
  }
  const device = network.directory.resolveDevice(removal.attrs.jid);
  if (!device || device.account !== sender.account || device.keyIndex === 0) return { error: NOT_FOUND };
  if (!isPhone && device !== sender) return { error: FORBIDDEN };
  return { after: () => removeCompanion(network, device) };
};

function removeAll(network: NetworkServices, devices: readonly RegisteredDevice[]): void {
  for (const device of devices) removeCompanion(network, device);
}

export const linkingHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['md', multiDevice]];
