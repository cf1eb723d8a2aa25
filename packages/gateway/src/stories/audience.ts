/** Who is to see a story. */
import { canonicalJid, sameIdentity } from '../identity/jid.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

/** The people whom the account has saved under a name. */
export type SavedContacts = (device: MessageDevice) => Promise<Identity[]>;

/**
 * The audience of the account's next story: those who were named, else as its privacy says (whatsmeow broadcast.go
 * getStatusBroadcastRecipients). The account itself is always in it: its phone shows the story by that.
 */
export async function audienceOf(
  { session, device, contacts }: { session: WhatsAppSession; device: MessageDevice; contacts: SavedContacts },
  named: readonly Identity[] | null,
): Promise<Jid[]> {
  const people = named ?? (await byPrivacy(session, () => contacts(device)));
  const own = { jid: device.jid, lid: device.lid };
  const others = people.filter((person) => !sameIdentity(person, own));
  return [...new Set([own, ...others].flatMap(addressOf))];
}

async function byPrivacy(
  session: WhatsAppSession,
  contacts: () => Promise<Identity[]>,
): Promise<readonly Identity[]> {
  const [privacy] = await onSession(() => session.stories.privacy());
  if (privacy?.audience === 'whitelist') return privacy.people;
  const all = await contacts();
  const excluded = new Set(privacy?.audience === 'blacklist' ? privacy.people.flatMap(namesOf) : []);
  return all.filter((person) => !namesOf(person).some((name) => excluded.has(name)));
}

const namesOf = ({ jid, lid }: Identity): Jid[] => [jid, lid].filter((name) => name !== null);

/** By LID where it is known, as stories travel. */
function addressOf(person: Identity): Jid[] {
  const address = person.lid ?? canonicalJid(person);
  return address === null ? [] : [address];
}
