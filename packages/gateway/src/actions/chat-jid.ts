import { invalidField } from '../errors.ts';
import { normaliseJid } from '../identity/jid.ts';
import { normalisePhoneNumber } from '../identity/phone-number.ts';
import type { Jid } from '../whatsapp/port/identity.ts';

/** The JID that a caller means by a JID or phone number in `field`; WhatsApp is not asked. Throws INVALID_FIELD. */
export function chatJid(text: string, field: string): Jid {
  const digits = text.includes('@') ? null : normalisePhoneNumber(text);
  const jid = digits ? `${digits}@s.whatsapp.net` : normaliseJid(text.trim());
  if (!jid) throw invalidField(field, 'must be a JID or phone number', text.slice(0, 100));
  return jid;
}
