/** Whom the account has blocked: asked and changed. */
import type { BlockedPeople, SessionBlockList } from '../../port/block-list.ts';
import type { Identity } from '../../port/identity.ts';
import { storedLids } from '../account/stored-lids.ts';
import type { Link } from '../connection/link.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren, type Socket } from '../library.ts';
import { identity } from '../parse/message-source.ts';

export function blockList(link: Link): SessionBlockList {
  return {
    read: () => link.ask((socket) => ask(socket, { type: 'get' })),
    async set(person, blocked) {
      const list = await link.ask((socket) => ask(socket, { type: 'set', item: itemOf(person, blocked) }));
      // The server tells the other devices alone.
      const notice = {
        name: 'privacy.blocklist' as const,
        blocked: blocked ? [person] : [],
        unblocked: blocked ? [] : [person],
        hash: list.hash,
        previousHash: null,
        whole: list.people,
      };
      await link.report({ type: 'notice', notice });
      return list;
    },
  };
}

/**
 * Named by LID, with the number beside it when somebody is blocked (whatsmeow user.go UpdateBlocklist). An account
 * without a LID has its number alone.
 */
function itemOf({ jid, lid }: Identity, blocked: boolean): BinaryNode {
  const attrs: Record<string, string> = { jid: lid ?? jid ?? '', action: blocked ? 'block' : 'unblock' };
  if (blocked && lid && jid) attrs.pn_jid = jid;
  return { tag: 'item', attrs };
}

/** Both questions are answered with the list (whatsmeow user.go parseBlocklist). */
async function ask(
  socket: Socket,
  { type, item }: { type: 'get' | 'set'; item?: BinaryNode },
): Promise<BlockedPeople> {
  const answer: BinaryNode = await socket.query({
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type, xmlns: 'blocklist' },
    ...(item ? { content: [item] } : {}),
  });
  assertAnswered();
  const list = getBinaryNodeChild(answer, 'list');
  const directory = storedLids(socket.authState.keys);
  const items = getBinaryNodeChildren(list, 'item').filter(({ attrs }) => attrs.jid);
  return {
    people: await Promise.all(items.map(({ attrs }) => identity(attrs.jid ?? '', attrs.pn_jid, directory))),
    hash: list?.attrs.dhash ?? null,
  };
}
