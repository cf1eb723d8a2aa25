import type { SessionNotice } from '../../../port/notices.ts';
import type { BinaryNode } from '../../library.ts';
import type { LidDirectory, OwnAccount } from '../message-source.ts';
import { CallStanzas } from './call.ts';
import { aboutNotices, accountNotices, identityNotices, pictureNotices } from './contact.ts';
import { groupNotices } from './group.ts';
import { liveUpdateNotices, mexNotices } from './newsletter-stanzas.ts';
import { offlineNotices } from './offline.ts';
import { chatStateNotices, presenceNotices } from './presence.ts';

/** Names a stanza that comes again while it is not acknowledged; null for those that never do. */
export function causeOf({ tag, attrs }: BinaryNode): string | null {
  if (tag !== 'notification' && tag !== 'call') return null;
  const { id, from = '', type = '', t = '' } = attrs;
  return id ? [tag, from, type, t, id].join('|') : null;
}

/**
 * What stanzas say beside messages and receipts, one connection long. A malformed stanza says nothing: it
 * must be acknowledged, or the server would send it again for ever.
 */
export class StanzaNotices {
  readonly #calls = new CallStanzas();

  /** The notices in one stanza, in its order; empty for everything that is not ours to report. */
  async noticesIn(stanza: BinaryNode, own: OwnAccount, directory: LidDirectory): Promise<SessionNotice[]> {
    switch (stanza.tag) {
      case 'presence':
        return presenceNotices(stanza, directory);
      case 'chatstate':
        return chatStateNotices(stanza, own, directory);
      case 'call':
        return this.#calls.notices(stanza, directory);
      case 'ib':
        return offlineNotices(stanza);
      case 'notification':
        return notificationNotices(stanza, own, directory);
      default:
        return [];
    }
  }
}

async function notificationNotices(
  stanza: BinaryNode,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<SessionNotice[]> {
  switch (stanza.attrs.type) {
    case 'w:gp2':
      return groupNotices(stanza, directory);
    case 'picture':
      return pictureNotices(stanza, directory);
    case 'status':
      return aboutNotices(stanza, directory);
    case 'encrypt':
      return identityNotices(stanza, directory);
    case 'account_sync':
      return accountNotices(stanza, own, directory);
    case 'newsletter':
      return liveUpdateNotices(stanza);
    case 'mex':
      return mexNotices(stanza);
    default:
      return [];
  }
}
