import type { NumberLookup, SessionContacts } from '../../port/contacts.ts';
import { SessionTimeout } from '../../port/errors.ts';
import type { Link } from '../connection/link.ts';
import { jidNormalizedUser, type Socket, USyncQuery, USyncUser } from '../library.ts';

export function contacts(link: Link): SessionContacts {
  return {
    // One query per number: the answer names the registered JID, which may differ from what was asked
    // (Brazil's ninth digit), and the parsed result no longer says which question it answers.
    lookUpNumbers: (numbers) =>
      link.ask((socket) => Promise.all(numbers.map((number) => lookUp(socket, number)))),
  };
}

/** Registered or not, with both names; a number that the server answers under another JID keeps its asked form. */
async function lookUp(socket: Socket, number: string): Promise<NumberLookup> {
  const query = new USyncQuery()
    .withContactProtocol()
    .withLIDProtocol()
    .withUser(new USyncUser().withPhone(`+${number}`));
  const result = await socket.executeUSyncQuery(query);
  if (!result) throw new SessionTimeout('WhatsApp did not answer the number look-up');
  const found = result.list.find((entry) => entry.contact === true);
  if (!found) return { number, exists: false, jid: null, lid: null };
  const lid = typeof found.lid === 'string' ? jidNormalizedUser(found.lid) : null;
  const jid = jidNormalizedUser(found.id);
  if (lid) await socket.signalRepository.lidMapping.storeLIDPNMappings([{ lid, pn: jid }]);
  return { number, exists: true, jid, lid };
}
