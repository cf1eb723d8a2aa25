import type { SessionNotice } from '../../../port/notices.ts';
import { type BinaryNode, getAllBinaryNodeChildren } from '../../library.ts';
import { countOf } from './stanza-fields.ts';

/**
 * `<ib>` after a login: `<offline_preview>` counts what was kept for us, `<offline>` says that all of it was
 * delivered (whatsmeow connectionevents.go handleIB).
 */
export function offlineNotices(stanza: BinaryNode): SessionNotice[] {
  return getAllBinaryNodeChildren(stanza).flatMap(({ tag, attrs }): SessionNotice[] => {
    if (tag === 'offline') return [{ name: 'offline.sync_completed', count: countOf(attrs.count) }];
    if (tag !== 'offline_preview') return [];
    return [
      {
        name: 'offline.sync_preview',
        total: countOf(attrs.count),
        messages: countOf(attrs.message),
        receipts: countOf(attrs.receipt),
        notifications: countOf(attrs.notification),
        appData: countOf(attrs.appdata),
      },
    ];
  });
}
