/** How answers name a person. */
import { Type } from 'typebox';
import { phoneNumber } from '../../../events/payloads/parts.ts';
import type { Identity } from '../../../whatsapp/port/identity.ts';
import { Nullable } from '../../schemas.ts';

/** The names of a person, as members of an answer. */
export const personNames = {
  jid: Nullable(Type.String({ description: '`…@s.whatsapp.net`; null while only the LID is known' })),
  lid: Nullable(Type.String({ description: '`…@lid`; null when it is not known' })),
  phone_number: Nullable(
    Type.String({ description: 'Digits with country code; null while only the LID is known' }),
  ),
};

/** The names of nobody are null. */
export function namesOf(person: Identity | null) {
  return {
    jid: person?.jid ?? null,
    lid: person?.lid ?? null,
    phone_number: phoneNumber(person?.jid ?? null),
  };
}
