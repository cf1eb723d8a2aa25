import { invalidField } from '../errors.ts';
import { contradicts, identityOf, normaliseJid } from '../identity/jid.ts';
import { personJid, spellingsOf } from '../sending/recipients.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';

/**
 * The names under which the chat or person may be known that a caller means by a JID or phone number in `field`, the
 * given one first. Throws VALIDATION_ERROR.
 */
export function namesMeant(text: string, field: string): [Jid, ...Jid[]] {
  const jid = personJid(text) ?? normaliseJid(text.trim());
  if (!jid) throw invalidField(field, 'must be a JID or phone number', text.slice(0, 100));
  return spellingsOf(jid);
}

/** Whether that is one of the names, as far as is known. */
export function mayBe(identity: Identity, names: readonly Jid[]): boolean {
  return names.some((name) => !contradicts(identity, identityOf(name)));
}
