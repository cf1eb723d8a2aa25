import type { StarRequest } from '../../port/account.ts';
import type { Identity } from '../../port/identity.ts';
import { proto, type WAPatchCreate } from '../library.ts';

/**
 * The app-state change that stars a message: `["star", chat, id, "1" if ours, author or "0"]` in `regular_high`
 * (whatsmeow appstate/encode.go `BuildStar`). People are named by LID where it is known, as phones do since
 * they moved to LIDs. `at` in milliseconds.
 */
export function starPatch(request: StarRequest, at: number): WAPatchCreate {
  const { chat, messageId, fromMe, author, starred } = request;
  return {
    type: 'regular_high',
    index: ['star', nameOf(chat), messageId, fromMe ? '1' : '0', author ? nameOf(author) : '0'],
    syncAction: { starAction: { starred }, timestamp: at },
    apiVersion: 2,
    operation: proto.SyncdMutation.SyncdOperation.SET,
  };
}

function nameOf({ jid, lid }: Identity): string {
  return lid ?? jid ?? '';
}
