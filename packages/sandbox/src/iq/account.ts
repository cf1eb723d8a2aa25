import { createHash } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import { tellContacts, tellOwnDevices } from '../accounts/account-changes.ts';
import type { Group } from '../groups/group.ts';
import type { NetworkServices } from '../services.ts';
import type { RegisteredDevice } from '../state/directory.ts';
import { jidIn, lidJid, phoneJid } from '../state/jid.ts';
import { childNamed, childrenNamed, stanza, textOf, timestamp } from '../wire/stanza.ts';
import { BAD_REQUEST, FORBIDDEN, type IqHandler, NOT_FOUND, NOT_IMPLEMENTED } from './answer.ts';

/** `privacy`: settings by category; `<tokens>` (contact tokens) are taken and not passed on. */
const privacy: IqHandler = ({ network, sender, iq }) => {
  if (childNamed(iq, 'tokens')) return {};
  const settings = childNamed(iq, 'privacy');
  if (!settings) return { error: BAD_REQUEST };
  const { account } = sender;
  const changed = iq.attrs.type === 'set' ? childrenNamed(settings, 'category') : [];
  for (const { attrs } of changed) {
    if (attrs.name !== undefined && attrs.value !== undefined) account.privacy.set(attrs.name, attrs.value);
  }
  const categories = [...account.privacy].map(([name, value]) => stanza('category', { name, value }));
  return {
    content: [stanza('privacy', {}, categories)],
    after: () => {
      if (changed.length > 0) tellOwnDevices(network, sender, stanza('privacy', {}, categories));
    },
  };
};

/** `blocklist`: items are LIDs with the phone number beside (Baileys chats.js updateBlockStatus). */
const blocklist: IqHandler = ({ network, sender, iq }) => {
  const { blocked } = sender.account;
  const item = childNamed(iq, 'item');
  if (iq.attrs.type !== 'set' || !item) return { content: [blocklistStanza(network, blocked)] };
  const account = network.directory.resolve(item.attrs.jid);
  if (!account) return { error: NOT_FOUND };
  if (item.attrs.action === 'block') blocked.add(account.user);
  else blocked.delete(account.user);
  const change = stanza('item', { jid: lidJid(account), action: item.attrs.action });
  return {
    content: [blocklistStanza(network, blocked)],
    after: () =>
      tellOwnDevices(network, sender, stanza('blocklist', { dhash: blocklistHash(blocked) }, [change])),
  };
};

function blocklistStanza(network: NetworkServices, blocked: ReadonlySet<string>): BinaryNode {
  const items = [...blocked].flatMap((user) => {
    const account = network.directory.byUser(user);
    return account ? [stanza('item', { jid: lidJid(account), pn_jid: phoneJid(account) })] : [];
  });
  return stanza('list', { dhash: blocklistHash(blocked) }, items);
}

function blocklistHash(blocked: ReadonlySet<string>): string {
  return createHash('sha256')
    .update([...blocked].sort().join())
    .digest('base64')
    .slice(0, 10);
}

/** `status`: the about text; contacts are told of it. */
const about: IqHandler = ({ network, sender, iq }) => {
  const text = textOf(childNamed(iq, 'status'));
  if (iq.attrs.type !== 'set' || text === undefined) return { error: BAD_REQUEST };
  sender.account.about = text;
  return {
    after: () =>
      tellContacts(network, sender.account, 'status', [stanza('set', {}, Buffer.from(text, 'utf8'))]),
  };
};

/**
 * `w:profile:picture`: `to` is the own account, or a group of which the own account is a member. The bytes
 * are not kept, so a query knows no picture; whoever sees it is told of the change.
 */
const profilePicture: IqHandler = ({ network, sender, iq }) => {
  if (iq.attrs.type !== 'set') return { error: NOT_FOUND };
  const { account } = sender;
  const target = iq.attrs.target ?? iq.attrs.to ?? '';
  const group = network.groups.get(target);
  if (target.endsWith('@g.us') && !group?.participants.has(account.user)) return { error: FORBIDDEN };
  const id = childNamed(iq, 'picture') ? String(Date.now()) : undefined;
  if (!group) account.pictureId = id;
  return {
    ...(id === undefined ? {} : { content: [stanza('picture', { id })] }),
    after: () => tellPicture(network, sender, group, id),
  };
};

function tellPicture(
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

/** `w:biz`: no account is a business; `w:biz:catalog` and its like are not there at all. */
const business: IqHandler = ({ iq }) => {
  return childNamed(iq, 'business_profile')
    ? { content: [stanza('business_profile', { v: '244' })] }
    : { error: NOT_IMPLEMENTED };
};

const disappearingMode: IqHandler = () => ({});

const bots: IqHandler = () => ({ content: [stanza('bot', { v: '2' })] });

/** Settings and small facts of the asking account. */
export const accountHandlers: ReadonlyArray<readonly [string, IqHandler]> = [
  ['privacy', privacy],
  ['blocklist', blocklist],
  ['status', about],
  ['w:profile:picture', profilePicture],
  ['w:biz', business],
  ['disappearing_mode', disappearingMode],
  ['bot', bots],
];
