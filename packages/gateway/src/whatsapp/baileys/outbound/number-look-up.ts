import type { NumberLookup } from '../../port/contacts.ts';
import type { Identity } from '../../port/identity.ts';
import {
  type BinaryNode,
  getBinaryNodeChild,
  isLidUser,
  isPnUser,
  jidNormalizedUser,
  type Socket,
} from '../library.ts';
import { textIn } from '../parse/notices/stanza-fields.ts';
import { askUsync } from './usync.ts';

/** Who is on WhatsApp under these numbers, and under which names; the pairs of names are kept. */
export async function lookUpNumbers(socket: Socket, numbers: readonly string[]): Promise<NumberLookup[]> {
  const users = await askUsync(socket, {
    mode: 'query',
    context: 'interactive',
    protocols: [
      { tag: 'contact', attrs: {} },
      { tag: 'lid', attrs: {} },
    ],
    users: numbers.map((number) => ({
      tag: 'user',
      attrs: {},
      content: [{ tag: 'contact', attrs: {}, content: `+${number}` }],
    })),
  });
  const found = users.flatMap((user) => lookUpIn(user) ?? []);
  const pairs = found.flatMap(({ jid, lid }) => (jid && lid ? [{ pn: jid, lid }] : []));
  if (pairs.length > 0) await socket.signalRepository.lidMapping.storeLIDPNMappings(pairs);
  return found;
}

/**
 * The registered JID may differ from the number that was asked for (Brazil's ninth digit): which question this
 * answers says the text of `<contact>`, which comes back as it was sent (whatsmeow user.go IsOnWhatsApp).
 */
function lookUpIn(user: BinaryNode): NumberLookup | null {
  const contact = getBinaryNodeChild(user, 'contact');
  const named = namesIn(user);
  const number = textIn(contact)?.replace(/\D/g, '') || named.jid?.split('@')[0];
  if (!number || !contact?.attrs.type) return null;
  const exists = contact.attrs.type === 'in';
  return { number, exists, ...(exists ? named : { jid: null, lid: null }) };
}

/** `jid` is a name of either kind, `pn_jid` stands beside a LID, `<lid val>` beside a number. */
function namesIn(user: BinaryNode): Identity {
  const given = [user.attrs.jid, user.attrs.pn_jid, getBinaryNodeChild(user, 'lid')?.attrs.val];
  const names = given.flatMap((name) => (name ? jidNormalizedUser(name) : []));
  return { jid: names.find(isPnUser) ?? null, lid: names.find(isLidUser) ?? null };
}
