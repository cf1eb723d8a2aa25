/** How a request names one person, in its query or its body. */
import { Type } from 'typebox';
import { DeviceId } from '../../request/device.ts';

/** `jid` or `number`, as documented: `number` counts when `jid` is absent. */
export const named = {
  jid: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'JID, LID or phone number',
      examples: ['5511999999999@s.whatsapp.net'],
    }),
  ),
  number: Type.Optional(Type.String({ maxLength: 200, description: 'The same, used when `jid` is absent' })),
};

export const NamedQuery = Type.Object({ ...named, device_id: DeviceId });
