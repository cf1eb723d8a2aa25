/** How a message names another: waCommon.MessageKey. */
import { invalidField } from '../errors.ts';
import type { StoredMessage } from '../messages/stored-message.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';
import type { ComposeContext } from './content.ts';
import { personJid, writtenNames } from './recipients.ts';

/** Ids are 16–32 characters in practice; bridges make longer ones. */
export const LONGEST_MESSAGE_ID = 200;
const CHOSEN_ID = /^[A-Za-z0-9_-]{8,64}$/;

/** The id of a message as a caller gives it, or VALIDATION_ERROR. */
export function messageIdOf(field: string, text: string): string {
  if (text.trim() === '' || text.length > LONGEST_MESSAGE_ID || text.includes('\0')) {
    throw invalidField(field, 'must be the id of a message, such as 3EB0F8A1B2C3D4E5F6', text.slice(0, 100));
  }
  return text;
}

/**
 * An id that a caller chose for a message to be sent, or VALIDATION_ERROR. WhatsApp's own clients make 20 to
 * 32 hexadecimal digits; these characters go into paths and stanzas as they are, and a UUID fits.
 */
export function chosenMessageId(field: string, id: string): string {
  if (!CHOSEN_ID.test(id)) {
    throw invalidField(field, 'must be 8 to 64 letters, digits, - or _', id.slice(0, 100));
  }
  return id;
}

/** What a caller says of the message; our archive knows better when it has it. */
export interface KeyHints {
  fromMe?: boolean | undefined;
  /** JID of the author, in a group. */
  participant?: string | undefined;
}

/**
 * The key of a message in the chat. In a group it names the author, unless that is us (whatsmeow send.go
 * `BuildMessageKey`). VALIDATION_ERROR for `participant` when nobody says who that is.
 */
export async function messageKey(
  { recipient, find, people }: Pick<ComposeContext, 'recipient' | 'find' | 'people'>,
  id: string,
  hints: KeyHints,
): Promise<WireMessage & { id: string }> {
  const written = hints.participant ? personJid(hints.participant) : null;
  const [said = written] = written ? writtenNames(await people([written])) : [];
  const stored = await find(id, said);
  const fromMe = stored?.fromMe ?? hints.fromMe ?? false;
  const key = { remoteJid: recipient.to, fromMe, id: stored?.messageId ?? id };
  if (!recipient.isGroup || fromMe) return key;
  return { ...key, participant: author(stored, said, hints) };
}

/** The key of a stored message. */
export function storedMessageKey(stored: StoredMessage): WireMessage {
  const { chatJid: remoteJid, fromMe, messageId: id, senderJid: participant } = stored;
  return { remoteJid, fromMe, id, ...(stored.isGroup && !fromMe ? { participant } : {}) };
}

function author(stored: StoredMessage | null, said: Jid | null, hints: KeyHints): Jid {
  if (stored) return stored.senderJid;
  if (said) return said;
  throw invalidField(
    'participant',
    hints.participant
      ? 'must be the JID or phone number of a person'
      : 'is required for a message of somebody else in a group',
    hints.participant,
  );
}
