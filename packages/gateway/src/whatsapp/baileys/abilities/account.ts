import type { SessionAccount } from '../../port/account.ts';
import { SessionNotOpen, SessionTimeout } from '../../port/errors.ts';
import type { Link } from '../connection/link.ts';
import { starPatch } from '../outbound/star-patch.ts';

export function account(link: Link): SessionAccount {
  return {
    async star(request) {
      await link.ask(async (socket) => {
        if (!link.creds.myAppStateKeyId) {
          throw new SessionNotOpen('the phone has not shared the keys of the account state yet');
        }
        try {
          await socket.appPatch(starPatch(request, link.clock.now()));
        } catch (error) {
          if (!link.isOpen) throw error;
          link.warn('the account state was not changed', error);
          throw new SessionTimeout('WhatsApp did not take the star', error);
        }
      });
      const { author: sender, ...rest } = request;
      await link.report({ type: 'notice', notice: { name: 'message.starred', ...rest, sender } });
    },
  };
}
