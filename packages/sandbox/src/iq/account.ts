import { createHash } from 'node:crypto';
import type { BinaryNode } from 'baileys';
import { setAbout, tellOwnDevices } from '../accounts/account-changes.ts';
import type { NetworkServices } from '../services.ts';
import type { Account } from '../state/directory.ts';
import { alternateJid, jidIn } from '../state/jid.ts';
import { childNamed, childrenNamed, stanza, textOf } from '../wire/stanza.ts';
import { BAD_REQUEST, type IqAnswer, type IqHandler, NOT_FOUND } from './answer.ts';

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
  const before = blocklistHash(blocked);
  if (item.attrs.action === 'block') blocked.add(account.user);
  else blocked.delete(account.user);
  const change = stanza('item', {
    jid: jidIn('lid', account),
    pn_jid: alternateJid('lid', account),
    action: item.attrs.action,
  });
  const hashes = { dhash: blocklistHash(blocked), prev_dhash: before };
  return {
    content: [blocklistStanza(network, blocked)],
    after: () => tellOwnDevices(network, sender, stanza('blocklist', hashes, [change])),
  };
};

function blocklistStanza(network: NetworkServices, blocked: ReadonlySet<string>): BinaryNode {
  const items = [...blocked].flatMap((user) => {
    const account = network.directory.byUser(user);
    return account
      ? [stanza('item', { jid: jidIn('lid', account), pn_jid: alternateJid('lid', account) })]
      : [];
  });
  return stanza('list', { dhash: blocklistHash(blocked) }, items);
}

function blocklistHash(blocked: ReadonlySet<string>): string {
  return createHash('sha256')
    .update([...blocked].sort().join())
    .digest('base64')
    .slice(0, 10);
}

/**
 * `status`: the about text, of which contacts are told; and `<privacy/>`, who sees what is posted to
 * `status@broadcast` (whatsmeow broadcast.go GetStatusPrivacy). It holds nobody to it: clients name whom they post to.
 */
const about: IqHandler = ({ network, sender, iq }) => {
  const lists = childNamed(iq, 'privacy');
  if (lists)
    return storyPrivacy(sender.account, iq.attrs.type === 'set' ? childNamed(lists, 'list') : undefined);
  const text = textOf(childNamed(iq, 'status'));
  if (iq.attrs.type !== 'set' || text === undefined) return { error: BAD_REQUEST };
  return { after: () => setAbout(network, sender.account, text) };
};

/** The default timer (whatsmeow privacysettings.go SetDefaultDisappearingTimer); the account's other devices are told. */
const disappearingMode: IqHandler = ({ network, sender, iq }) => {
  const seconds = Number(childNamed(iq, 'disappearing_mode')?.attrs.duration);
  if (iq.attrs.type !== 'set' || !Number.isSafeInteger(seconds) || seconds < 0) return { error: BAD_REQUEST };
  const set = { seconds, at: Math.floor(Date.now() / 1000) };
  sender.account.defaultTimer = set;
  const mode = stanza('disappearing_mode', { duration: String(seconds), t: String(set.at) });
  return { after: () => tellOwnDevices(network, sender, mode) };
};
/** The answer in the form of whatsmeow broadcast.go; phones set it in the same one, which is our guess. */
function storyPrivacy(account: Account, chosen: BinaryNode | undefined): IqAnswer {
  if (chosen) {
    const people = childrenNamed(chosen, 'user').flatMap(({ attrs }) => attrs.jid ?? []);
    account.storyPrivacy = { type: chosen.attrs.type ?? 'contacts', people };
  }
  const { type, people } = account.storyPrivacy;
  const users = people.map((jid) => stanza('user', { jid }));
  return { content: [stanza('privacy', {}, [stanza('list', { type, default: 'true' }, users)])] };
}

const bots: IqHandler = () => ({ content: [stanza('bot', { v: '2' })] });

/** Settings and small facts of the asking account. */
export const accountHandlers: ReadonlyArray<readonly [string, IqHandler]> = [
  ['privacy', privacy],
  ['blocklist', blocklist],
  ['status', about],
  ['disappearing_mode', disappearingMode],
  ['bot', bots],
];
