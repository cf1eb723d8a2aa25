import { createHash } from 'node:crypto';
import { tellContacts, tellOwnDevices } from '../accounts/account-changes.ts';
import { hides } from '../accounts/privacy.ts';
import type { Group } from '../groups/group.ts';
import type { NetworkServices } from '../services.ts';
import type { Account, Picture, RegisteredDevice } from '../state/directory.ts';
import { jidIn, phoneJid } from '../state/jid.ts';
import { bytesOf, childNamed, stanza, timestamp } from '../wire/stanza.ts';
import { FORBIDDEN, type IqAnswer, type IqHandler, NOT_AUTHORIZED, NOT_FOUND } from './answer.ts';

/**
 * `w:profile:picture`: of the account or group that `target` (or `to`) names. Setting one takes the own account or
 * a group that the account may change; bytes are kept on the CDN, whoever sees the picture is told of it.
 */
const picture: IqHandler = ({ network, sender, iq }) => {
  const target = iq.attrs.target ?? iq.attrs.to ?? '';
  const group = network.groups.get(target);
  if (target.endsWith('@g.us') && !group?.participants.has(sender.account.user)) return { error: FORBIDDEN };
  const wanted = childNamed(iq, 'picture');
  if (iq.attrs.type !== 'set') {
    const asked = group ?? network.directory.resolve(target);
    if (!asked) return { error: NOT_FOUND };
    if (asked !== group && hides(asked as Account, 'profile', sender.account))
      return { error: NOT_AUTHORIZED };
    return shown(asked.picture, wanted?.attrs ?? {});
  }
  if (group?.locked && !group.participants.get(sender.account.user)?.role) return { error: FORBIDDEN };
  const bytes = bytesOf(wanted);
  const kept = wanted && bytes ? keepPicture(network, bytes) : undefined;
  (group ?? sender.account).picture = kept;
  return {
    ...(kept === undefined ? {} : { content: [stanza('picture', { id: kept.id })] }),
    after: () => tell(network, sender, group, kept?.id),
  };
};

export const pictureHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:profile:picture', picture]];

/** `query="url"` alone is known; who has the picture already names it (whatsmeow user.go GetProfilePictureInfo). */
function shown(
  kept: Picture | undefined,
  { id, type = 'image' }: { readonly id?: string; readonly type?: string },
): IqAnswer {
  if (!kept) return { error: NOT_FOUND };
  if (id === kept.id) return { content: [stanza('picture', { status: '304' })] };
  const { url, directPath, hash } = kept;
  return { content: [stanza('picture', { id: kept.id, type, url, direct_path: directPath, hash })] };
}

/** Puts it on the CDN. */
export function keepPicture(network: NetworkServices, bytes: Buffer): Picture {
  const { url, directPath } = network.media?.keepPicture(bytes) ?? { url: '', directPath: '' };
  const hash = createHash('sha256').update(bytes).digest('base64');
  return { id: String(Date.now()), url, directPath, hash };
}

function tell(
  network: NetworkServices,
  sender: RegisteredDevice,
  group: Group | undefined,
  id: string | undefined,
): void {
  const { account } = sender;
  const tag = id === undefined ? 'delete' : 'set';
  if (!group) {
    tellContacts(network, account, 'picture', [
      stanza(tag, { jid: phoneJid(account), id, author: phoneJid(account) }),
    ]);
    tellOwnDevices(network, sender, stanza('picture', { id }));
    return;
  }
  const change = stanza(tag, { jid: group.jid, id, author: jidIn(group.addressingMode, account) });
  for (const { account: member } of group.participants.values()) {
    for (const device of member.devices.values()) {
      const attrs = { from: group.jid, type: 'picture', id: network.delivery.nextId(), t: timestamp() };
      network.delivery.post(device, stanza('notification', attrs, [change]));
    }
  }
}
