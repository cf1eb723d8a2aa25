/** What WhatsApp says of people: their names, about texts, business profiles, pictures. */
import type { ContactProfile, PictureInfo, PictureQuestion, SessionContacts } from '../../port/contacts.ts';
import { RequestRefused } from '../../port/errors.ts';
import { type Identity, sameIdentity } from '../../port/identity.ts';
import { goodToken } from '../account/chat-tokens.ts';
import { storedLids } from '../account/stored-lids.ts';
import type { Link } from '../connection/link.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import { type BinaryNode, getBinaryNodeChild, type Socket } from '../library.ts';
import { askBusinessProfile } from '../outbound/business-profile.ts';
import { lookUpNumbers } from '../outbound/number-look-up.ts';
import { askUsync } from '../outbound/usync.ts';
import { identity } from '../parse/message-source.ts';
import { profileIn } from '../parse/profile.ts';

export function contacts(link: Link): SessionContacts {
  return {
    lookUpNumbers: (numbers) => link.ask((socket) => lookUpNumbers(socket, numbers)),
    namesOf: (people) =>
      link.ask(async (socket) => {
        const directory = storedLids(socket.authState.keys);
        return Promise.all(people.map((jid) => identity(jid, undefined, directory)));
      }),
    profile: (person) => link.ask((socket) => profileOf(socket, person, link.clock.now())),
    picture: (question) => link.ask((socket) => pictureOf(socket, link, question)),
  };
}

/** As whatsmeow user.go GetUserInfo asks; a business is asked for what it says of itself besides. */
async function profileOf(socket: Socket, person: Identity, now: number): Promise<ContactProfile | null> {
  const jid = person.jid ?? person.lid ?? '';
  const token = await goodToken(socket.authState.keys, person, now);
  const [user] = await askUsync(socket, {
    mode: 'full',
    context: 'background',
    protocols: [
      { tag: 'business', attrs: {}, content: [{ tag: 'verified_name', attrs: {} }] },
      { tag: 'status', attrs: {} },
      { tag: 'picture', attrs: {} },
      { tag: 'devices', attrs: { version: '2' } },
      { tag: 'lid', attrs: {} },
    ],
    users: [{ tag: 'user', attrs: { jid }, ...withToken(token) }],
  });
  if (!user) return null;
  const isBusiness = getBinaryNodeChild(user, 'business') !== undefined;
  return { ...profileIn(user), business: isBusiness ? await askBusinessProfile(socket, jid) : null };
}

/**
 * As whatsmeow user.go GetProfilePictureInfo asks. The server never answers a question for the own picture with a
 * token (Baileys chats.js profilePictureUrl).
 */
async function pictureOf(
  socket: Socket,
  link: Link,
  { target, preview, existingId }: PictureQuestion,
): Promise<PictureInfo | null> {
  const own = sameIdentity(target, link.own());
  const token = own ? null : await goodToken(socket.authState.keys, target, link.clock.now());
  const attrs = {
    query: 'url',
    type: preview ? 'preview' : 'image',
    ...(existingId ? { id: existingId } : {}),
  };
  const answer: BinaryNode = await socket.query({
    tag: 'iq',
    attrs: {
      to: '@s.whatsapp.net',
      target: target.jid ?? target.lid ?? '',
      type: 'get',
      xmlns: 'w:profile:picture',
    },
    content: [{ tag: 'picture', attrs, ...withToken(token) }],
  });
  assertAnswered();
  const picture = getBinaryNodeChild(answer, 'picture');
  // 304: it is the known one. 204, or nothing: there is none.
  if (picture?.attrs.status === '304' || (!picture && existingId)) return null;
  const { id, url, type, direct_path: directPath = '' } = picture?.attrs ?? {};
  if (!id || !url) throw new RequestRefused(404, 'item-not-found');
  return { id, url, type: type ?? attrs.type, directPath, route: link.route };
}

function withToken(token: Uint8Array | null): { content?: BinaryNode[] } {
  return token ? { content: [{ tag: 'tctoken', attrs: {}, content: token }] } : {};
}
