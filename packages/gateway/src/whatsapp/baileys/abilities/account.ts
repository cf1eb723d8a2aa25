import type { AccountChange, SessionAccount } from '../../port/account.ts';
import { SessionFailed, SessionNotOpen, SessionTimeout } from '../../port/errors.ts';
import { sessionError } from '../connection/engine-errors.ts';
import type { Link } from '../connection/link.ts';
import { cut } from '../connection/socket.ts';
import { accountPatch } from '../outbound/account-patch.ts';

export function account(link: Link): SessionAccount {
  return {
    async change(notice) {
      try {
        await patch(link, notice);
      } catch (error) {
        // The library tries on under the lock that every send takes too (chats.js `appPatch`), and may never end.
        if (error instanceof SessionTimeout && link.socket) cut(link.socket);
        throw error;
      }
      await link.report({ type: 'notice', notice });
    },
  };
}

async function patch(link: Link, change: AccountChange): Promise<void> {
  await link.ask(async (socket) => {
    if (!link.creds.myAppStateKeyId) {
      throw new SessionNotOpen('the phone has not shared the keys of the account state yet');
    }
    try {
      await socket.appPatch(accountPatch(change, link.clock.now()));
    } catch (error) {
      // A refusal and a lost connection speak for themselves; anything else may have changed the state.
      const known = sessionError(error, link.isOpen);
      if (!(known instanceof SessionFailed)) throw known;
      link.warn('the account state was not changed', error);
      throw new SessionTimeout('WhatsApp did not take the change', error);
    }
  });
}
