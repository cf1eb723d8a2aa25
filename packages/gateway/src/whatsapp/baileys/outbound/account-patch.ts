/**
 * Changes of the account's state as app-state patches (whatsmeow appstate/encode.go). People are named by LID
 * where it is known, as phones do since they moved to LIDs.
 */
import type { AccountChange } from '../../port/account.ts';
import type { Identity } from '../../port/identity.ts';
import { proto, type WAPatchCreate } from '../library.ts';

type Patch = Pick<WAPatchCreate, 'type' | 'index' | 'apiVersion'> & {
  action: Omit<proto.ISyncActionValue, 'timestamp'>;
};

type Builders = {
  [Name in AccountChange['name']]: (change: Extract<AccountChange, { name: Name }>) => Patch;
};

const BUILDERS: Builders = {
  /** `["star", chat, id, "1" if ours, author or "0"]` (`BuildStar`). */
  'message.starred': ({ chat, messageId, fromMe, sender, starred }) => ({
    type: 'regular_high',
    index: ['star', nameOf(chat), messageId, fromMe ? '1' : '0', sender ? nameOf(sender) : '0'],
    apiVersion: 2,
    action: { starAction: { starred } },
  }),
};

/** `at` in milliseconds. */
export function accountPatch(change: AccountChange, at: number): WAPatchCreate {
  const { action, ...patch } = BUILDERS[change.name](change);
  const { SET } = proto.SyncdMutation.SyncdOperation;
  return { ...patch, syncAction: { ...action, timestamp: at }, operation: SET };
}

function nameOf({ jid, lid }: Identity): string {
  return lid ?? jid ?? '';
}
