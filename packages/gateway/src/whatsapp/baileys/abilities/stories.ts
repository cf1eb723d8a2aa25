/** Stories, and who sees them. */
import { RequestRefused } from '../../port/errors.ts';
import type { SessionStories, StoryAudience, StoryPrivacy } from '../../port/stories.ts';
import type { Link } from '../connection/link.ts';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren, type Socket } from '../library.ts';
import { identity } from '../parse/message-source.ts';

const SERVER = '@s.whatsapp.net';
const NOT_FOUND = 404;
const AUDIENCES: readonly string[] = ['contacts', 'whitelist', 'blacklist'] satisfies StoryAudience[];
/** An account that never chose (whatsmeow broadcast.go DefaultStatusPrivacy). */
const NEVER_CHOSEN: StoryPrivacy = { audience: 'contacts', isDefault: true, people: [] };

export function stories(link: Link): SessionStories {
  return {
    privacy: () =>
      link.ask(async (socket) => {
        const lists = await askLists(socket);
        const found = await Promise.all(lists.flatMap((list) => described(socket, list)));
        const told = found
          .filter((each) => each !== null)
          .sort((a, b) => Number(b.isDefault) - Number(a.isDefault));
        return told.length > 0 ? told : [NEVER_CHOSEN];
      }),
  };
}

/** whatsmeow broadcast.go GetStatusPrivacy; 404 is an account that never chose. */
async function askLists(socket: Socket): Promise<BinaryNode[]> {
  try {
    const answer: BinaryNode = await socket.query({
      tag: 'iq',
      attrs: { id: socket.generateMessageTag(), type: 'get', to: SERVER, xmlns: 'status' },
      content: [{ tag: 'privacy', attrs: {} }],
    });
    return getBinaryNodeChildren(getBinaryNodeChild(answer, 'privacy'), 'list');
  } catch (error) {
    if ((error as { data?: unknown }).data === NOT_FOUND) return [];
    if (error instanceof RequestRefused && error.whatsappCode === NOT_FOUND) return [];
    throw error;
  }
}

async function described(socket: Socket, list: BinaryNode): Promise<StoryPrivacy | null> {
  const { type = '', default: isDefault } = list.attrs;
  if (!AUDIENCES.includes(type)) return null;
  const names = socket.signalRepository.lidMapping;
  const jids = getBinaryNodeChildren(list, 'user').flatMap(({ attrs }) => attrs.jid ?? []);
  return {
    audience: type as StoryAudience,
    isDefault: isDefault === 'true',
    people: await Promise.all(jids.map((jid) => identity(jid, undefined, names))),
  };
}
