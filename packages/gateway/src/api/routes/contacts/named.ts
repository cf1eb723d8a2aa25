/** How a request names one person, in its query or its body. */
import { Type } from 'typebox';
import { refusing } from '../../description/stated.ts';
import { DeviceId } from '../../request/device.ts';

function PersonText(options: { description: string; examples?: string[] }) {
  return refusing(
    'what is no phone number and no JID of a person',
    Type.String({ maxLength: 200, ...options }),
  );
}

/** `jid` or `number`, as documented: `number` counts when `jid` is absent. */
export const named = {
  jid: Type.Optional(
    PersonText({ description: 'JID, LID or phone number', examples: ['5511999999999@s.whatsapp.net'] }),
  ),
  number: Type.Optional(PersonText({ description: 'The same, used when `jid` is absent' })),
};

export const NamedQuery = Type.Object({ ...named, device_id: DeviceId });
