/** The account's state: changed by patches, fetched anew. */
import type { SessionAccount, StateCollection } from '../../port/account.ts';
import {
  AnswerUnreadable,
  RequestRefused,
  SessionFailed,
  SessionNotOpen,
  SessionTimeout,
} from '../../port/errors.ts';
import { AppStateConflict } from '../account/app-state-tap.ts';
import { sessionError } from '../connection/engine-errors.ts';
import type { Link } from '../connection/link.ts';
import { cut } from '../connection/socket.ts';
import type { Socket, WAPatchCreate } from '../library.ts';
import { accountPatch } from '../outbound/account-patch.ts';

/** How often a change is made again because another device was quicker; whatsmeow does it once. */
const MOST_TRIES = 5;

/** Fetches collections; resolves with those that could not be had. */
type Refresh = (socket: Socket, names: readonly StateCollection[], anew: boolean) => Promise<string[]>;

export function account(link: Link, refresh: Refresh): SessionAccount {
  return {
    async change(notice) {
      await applyPatch(link, () => accountPatch(notice, link.clock.now()));
      await link.report({ type: 'notice', notice });
    },
    sync: (collections, { anew = false } = {}) =>
      link.ask(async (socket) => {
        assertShared(link);
        const left = await refresh(socket, collections, anew);
        if (left.length > 0) throw new AnswerUnreadable(`a readable ${left.join(', ')}`);
      }),
  };
}

/** Changes the state by a patch, which is made for each try. */
export async function applyPatch(link: Link, patch: () => WAPatchCreate): Promise<void> {
  try {
    await tryPatch(link, patch);
  } catch (error) {
    // The library tries on under the lock that every send takes too (chats.js `appPatch`), and may never end.
    if (error instanceof SessionTimeout && link.socket) cut(link.socket);
    throw error;
  }
}

async function tryPatch(link: Link, patch: () => WAPatchCreate): Promise<void> {
  await link.ask(async (socket) => {
    assertShared(link);
    for (let tries = 1; ; tries += 1) {
      try {
        return await socket.appPatch(patch());
      } catch (error) {
        if (error instanceof AppStateConflict && tries < MOST_TRIES) continue;
        throw refusal(link, error);
      }
    }
  });
}

/** Of a change that WhatsApp did not take. */
function refusal(link: Link, error: unknown): unknown {
  if (error instanceof AppStateConflict) return new RequestRefused(409, error.message, error);
  // A refusal and a lost connection speak for themselves; anything else may have changed the state.
  const known = sessionError(error, link.isOpen);
  if (!(known instanceof SessionFailed)) return known;
  link.warn('the account state was not changed', error);
  return new SessionTimeout('WhatsApp did not take the change', error);
}

function assertShared(link: Link): void {
  if (link.creds.myAppStateKeyId) return;
  throw new SessionNotOpen('the phone has not shared the keys of the account state yet');
}
