/** Whom a request means that names one person, or a group. */
import { invalidField } from '../errors.ts';
import { identityOf } from '../identity/jid.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import { parseRecipient, type Recipient, type Recipients } from '../sending/recipients.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

/** As the documented operations name somebody: `jid`, else `number`. */
export interface Named {
  jid?: string | undefined;
  number?: string | undefined;
}

/** The one that is named, as written, and the member that names it. Throws VALIDATION_ERROR without any. */
export function nameGiven({ jid, number }: Named): { text: string; field: 'jid' | 'number' } {
  if (jid) return { text: jid, field: 'jid' };
  if (number) return { text: number, field: 'number' };
  throw invalidField('jid', 'is required: a JID, or a phone number in `number`');
}

/** A person or group with both names, as far as they are known. Throws as `Recipients.resolve`. */
export async function whomMeant(
  recipients: Recipients,
  session: WhatsAppSession,
  device: MessageDevice,
  named: Named,
): Promise<Recipient> {
  const { text, field } = nameGiven(named);
  const recipient = await recipients.resolve(session, device, parseRecipient(text, field));
  if (recipient.isGroup) return recipient;
  return { ...recipient, chat: await bothNames(session, recipient.chat) };
}

/** The same, of a person alone: INVALID_RECIPIENT for a group or channel. */
export async function personMeant(
  recipients: Recipients,
  session: WhatsAppSession,
  device: MessageDevice,
  named: Named,
): Promise<Identity> {
  const { text, field } = nameGiven(named);
  const address = parseRecipient(text, field);
  if (address.kind === 'chat' && identityOf(address.jid).lid === null) {
    throw invalidField(field, 'must name a person', text);
  }
  return (await whomMeant(recipients, session, device, named)).chat;
}

/** A LID has a number beside it where the account has met it. */
async function bothNames(session: WhatsAppSession, person: Identity): Promise<Identity> {
  const name = person.jid ?? person.lid;
  if (!name || (person.jid && person.lid)) return person;
  const [known] = await onSession(() => session.contacts.namesOf([name]));
  return known ?? person;
}
