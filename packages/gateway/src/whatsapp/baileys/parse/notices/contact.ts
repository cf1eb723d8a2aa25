import type { SessionNotice } from '../../../port/notices.ts';
import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  isJidGroup,
  jidDecode,
} from '../../library.ts';
import { identity, type LidDirectory, type OwnAccount } from '../message-source.ts';
import { stampOf } from '../stanza-time.ts';
import { textIn } from './stanza-fields.ts';

/**
 * `<notification type="picture">` with `<set jid id author/>`, `<add …/>` or `<delete jid author/>` (whatsmeow
 * notification.go handlePictureNotification). Sometimes a hash stands where the JID should be; then the
 * stanza's sender is meant. For a group the contact is the group, the author who changed its picture.
 */
export async function pictureNotices(stanza: BinaryNode, directory: LidDirectory): Promise<SessionNotice[]> {
  const notices: SessionNotice[] = [];
  for (const { tag, attrs } of getAllBinaryNodeChildren(stanza)) {
    const jid = attrs.jid ?? stanza.attrs.from;
    if (!jid || (tag !== 'set' && tag !== 'add' && tag !== 'delete')) continue;
    notices.push({
      name: 'contact.picture',
      contact: isJidGroup(jid) ? { jid, lid: null } : await identity(jid, undefined, directory),
      pictureId: tag === 'delete' ? null : (attrs.id ?? null),
      removed: tag === 'delete',
      author: attrs.author ? await identity(attrs.author, undefined, directory) : null,
    });
  }
  return notices;
}

/** `<notification type="status"><set>text</set></notification>` (whatsmeow handleStatusNotification). */
export async function aboutNotices(stanza: BinaryNode, directory: LidDirectory): Promise<SessionNotice[]> {
  const { from } = stanza.attrs;
  const set = getBinaryNodeChild(stanza, 'set');
  if (!from || !set) return [];
  const contact = await identity(from, undefined, directory);
  return [{ name: 'contact.about', contact, about: textIn(set) ?? '' }];
}

/**
 * `<notification type="encrypt"><identity/></notification>`: the contact registered again and has a new
 * identity key (whatsmeow handleEncryptNotification). From the server itself the type speaks of our own
 * pre-keys, and from a companion device of the contact of that device alone.
 */
export async function identityNotices(stanza: BinaryNode, directory: LidDirectory): Promise<SessionNotice[]> {
  const { from, lid } = stanza.attrs;
  if (!from?.includes('@') || !getBinaryNodeChild(stanza, 'identity') || jidDecode(from)?.device) return [];
  const contact = await identity(from, lid, directory);
  return [{ name: 'identity.change', contact, timestamp: stampOf(stanza.attrs.t) }];
}

/**
 * `<notification type="account_sync">`: another device of ours changed the account (whatsmeow
 * handleAccountSyncNotification). `<blocklist>` lists changes; one without items (`action="modify"`, types/events
 * Blocklist) only says that the list is another now. Its `<devices>` and the default `<disappearing_mode>` are no events.
 */
export async function accountNotices(
  stanza: BinaryNode,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<SessionNotice[]> {
  const notices: SessionNotice[] = [];
  for (const child of getAllBinaryNodeChildren(stanza)) {
    const entries = getAllBinaryNodeChildren(child).map(({ attrs }) => attrs);
    if (child.tag === 'blocklist') {
      const named = async (action: string) => {
        const jids = entries.filter((each) => each.action === action && each.jid);
        return Promise.all(jids.map(({ jid = '', pn_jid }) => identity(jid, pn_jid, directory)));
      };
      const [blocked, unblocked] = [await named('block'), await named('unblock')];
      const { dhash, prev_dhash } = child.attrs;
      const hashes = { hash: dhash ?? null, previousHash: prev_dhash ?? null };
      notices.push({ name: 'privacy.blocklist', blocked, unblocked, ...hashes, whole: null });
    } else if (child.tag === 'privacy') {
      const pairs = entries.flatMap(({ name, value }) => (name && value ? [[name, value] as const] : []));
      if (pairs.length > 0) notices.push({ name: 'privacy.settings', settings: Object.fromEntries(pairs) });
    } else if (child.tag === 'picture') {
      notices.push({
        name: 'contact.picture',
        contact: { ...own },
        pictureId: child.attrs.id ?? null,
        removed: false,
        author: { ...own },
      });
    }
  }
  return notices;
}
