/** The people that a message names, under both names where both are known. */
import type { MessageContent } from '../../port/content.ts';
import type { Identity, Jid } from '../../port/identity.ts';
import type { OwnAccount } from './message-source.ts';

/** Of those who are mentioned; a member of a group can mention everyone in it, and each is a look-up. */
const MOST_LOOKED_UP = 256;

/**
 * Adds who is mentioned, quoted and spoken of. `nameOf` must not ask the server: what a stranger writes into a
 * message would be a query for each name.
 */
export async function withPeople(
  content: MessageContent,
  own: OwnAccount,
  nameOf: (jid: Jid) => Promise<Identity>,
): Promise<MessageContent> {
  const { mentions, quoted, targetSender } = content;
  if (mentions.length === 0 && !quoted?.participant && !targetSender) return content;
  const named = (jid: Jid) => (jid === own.jid || jid === own.lid ? { ...own } : nameOf(jid));
  const mentioned = await Promise.all(mentions.slice(0, MOST_LOOKED_UP).map(named));
  return {
    ...content,
    ...(mentioned.length > 0 ? { mentioned } : {}),
    quoted: quoted && { ...quoted, author: quoted.participant ? await named(quoted.participant) : null },
    ...(targetSender ? { targetAuthor: await named(targetSender) } : {}),
  };
}
