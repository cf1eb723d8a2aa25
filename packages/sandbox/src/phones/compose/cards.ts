/** Places and contacts as phones write them. */
import type { proto } from 'baileys';

export interface LocationInput {
  latitude: number;
  longitude: number;
  name?: string;
  address?: string;
}

export interface ContactInput {
  name: string;
  /** Digits. */
  number: string;
}

export function composeLocation(input: LocationInput): proto.IMessage {
  return {
    locationMessage: {
      degreesLatitude: input.latitude,
      degreesLongitude: input.longitude,
      ...(input.name === undefined ? {} : { name: input.name }),
      ...(input.address === undefined ? {} : { address: input.address }),
    },
  };
}

/** A vCard with the `waid` parameter that lets clients open a chat. */
export function composeContact(input: ContactInput): proto.IMessage {
  const vcard = [
    'BEGIN:VCARD',
    'VERSION:3.0',
    `N:;${input.name};;;`,
    `FN:${input.name}`,
    `TEL;type=CELL;type=VOICE;waid=${input.number}:+${input.number}`,
    'END:VCARD',
  ].join('\n');
  return { contactMessage: { displayName: input.name, vcard } };
}
