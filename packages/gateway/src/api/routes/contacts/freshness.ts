/** Lists that are kept by what WhatsApp tells. */
import { Type } from 'typebox';
import { Rfc3339 } from '../../schemas.ts';

export const AsOf = {
  ...Rfc3339,
  description: 'Until when this is known to be so: now, or when the device was connected last',
};

export const Refresh = Type.Optional(
  Type.Boolean({ default: false, description: 'Asks WhatsApp, whatever is stored' }),
);
