/** The requests and answers of the tag `instances`. */
import { type TSchema, Type } from 'typebox';
import { DEVICE_STATES, type DeviceState } from '../../../devices/state.ts';
import { NOT_READY_REASONS } from '../../../whatsapp/port/not-ready.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceId } from '../../request/device.ts';
import { Jid, Nullable, OneOf, Rfc3339, Unreachable, Uuid } from '../../schemas.ts';
import { PasskeyMember } from './passkey-schemas.ts';

export const DeviceSelection = Type.Object({ device_id: DeviceId });
export const DevicePath = Type.Object({ deviceID: Type.String() });

const Flag = (description: string) => Type.Optional(Type.Boolean({ description }));

const refresh = {
  refresh: Flag('Make a new one instead of the one made before'),
  force_refresh: Flag('Alias of `refresh`'),
  force_new: Flag('Alias of `refresh`'),
};

export const RefreshQuery = Type.Object({ device_id: DeviceId, ...refresh });

export const QrQuery = Type.Object({
  device_id: DeviceId,
  reuse_cache: Flag('Default true: a QR that is still valid is given again'),
  reuse: Flag('Alias of `reuse_cache`'),
  use_cache: Flag('Alias of `reuse_cache`'),
  cached: Flag('Alias of `reuse_cache`'),
  ...refresh,
});

/** Whether the query asks for a new QR or code: any spelling of "refresh", or of "do not reuse". */
export function freshQr(query: {
  reuse_cache?: boolean;
  reuse?: boolean;
  use_cache?: boolean;
  cached?: boolean;
  refresh?: boolean;
  force_refresh?: boolean;
  force_new?: boolean;
}): boolean {
  const asked = [query.refresh, query.force_refresh, query.force_new].includes(true);
  const refused = [query.reuse_cache, query.reuse, query.use_cache, query.cached].includes(false);
  return asked || refused;
}

export const ListQuery = Type.Object({
  scope: Type.Optional(
    OneOf(['own', 'tenant'] as const, {
      description: '`tenant`: every device of the tenant, for admins and managers. Default `own`',
    }),
  ),
});

export const LogoutQuery = Type.Object({
  device_id: DeviceId,
  force: Flag('Forget the credentials here without asking WhatsApp'),
});

export const CreateDeviceBody = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S', examples: ['WhatsApp Loja 01'] }) },
  { examples: [{ name: 'WhatsApp Loja 01' }] },
);

export const PairCodeBody = Type.Object(
  {
    phone: refusing(
      'what is no phone number',
      Type.String({
        description: 'With country code; spaces, dashes, parentheses and a leading + are ignored',
        examples: ['5511999999999'],
      }),
    ),
    device_id: DeviceId,
    reuse_cache: Flag('Default true: a code that is still valid is given again'),
  },
  { examples: [{ phone: '5511999999999' }] },
);

export const State = Type.Unsafe<DeviceState>(
  Type.String({
    title: 'DeviceState',
    enum: [...DEVICE_STATES],
    description: 'State of the connection',
    examples: ['connected'],
  }),
);

const DeviceObject = Type.Object(
  {
    id: Uuid,
    device_id: Uuid,
    user_id: Uuid,
    name: Type.String({ examples: ['WhatsApp Loja 01'] }),
    whatsapp_jid: Nullable(Jid),
    connected: Type.Boolean(),
    linked: Type.Boolean({ description: 'A phone has accepted it' }),
    stray: Type.Boolean({
      description: 'No phone is linked to it, nor being linked: use it for the next number, or remove it',
    }),
    reason: Type.String({ description: 'As in `GET /status`', examples: ['open'] }),
    status: State,
    last_seen: Nullable(Rfc3339),
    webhook_url: Nullable(Type.String()),
    created_at: Rfc3339,
    updated_at: Rfc3339,
  },
  { title: 'Device' },
);

const Success = Type.Literal(true);

function data<T extends TSchema>(schema: T) {
  return Type.Object({ success: Success, data: schema });
}

export const CreatedDevice = Type.Object({
  success: Success,
  message: Type.String(),
  device: DeviceObject,
  data: Type.Object({ device_id: Uuid, name: Type.String() }),
});

export const RenamedDevice = Type.Object({ success: Success, device: DeviceObject });

export const DeviceList = Type.Object({ success: Success, devices: Type.Array(DeviceObject) });

export const MyDevices = data(
  Type.Object({ devices: Type.Array(DeviceObject), count: Type.Integer(), user_id: Uuid }),
);

export const RemoveQuery = Type.Object({
  remove: Flag('Default false: true unlinks and deletes the device, with all that it sent and received'),
});

export const RemovedAnswer = Type.Object({
  success: Success,
  message: Type.String({ examples: ['Device disconnected'] }),
  device_id: Type.Optional(Uuid),
  unlinked: Type.Optional(Type.Boolean({ description: 'With `remove`: no phone lists it any more' })),
  state: Type.Optional(
    Type.String({
      enum: ['deleting', 'deleted'],
      description: 'With `remove`: whether all of its data has gone already',
    }),
  ),
});

export const DoneData = data(Type.Object({ message: Type.String(), device_id: Uuid }));

export const QrData = data(
  Type.Object({
    qr_code: Type.String({ description: 'The code alone, which phones read too', examples: ['2@…'] }),
    qr_url: Type.String({
      description: 'The same as WhatsApp Web draws it: an address, so that any camera opens WhatsApp',
      examples: ['https://wa.me/settings/linked_devices#2@…'],
    }),
    image: Type.String({ description: '`qr_url` as PNG', examples: ['data:image/png;base64,…'] }),
    cached: Type.Boolean({ description: 'Made for an earlier request' }),
    expires_at: Rfc3339,
    ttl: Type.Integer({ description: 'Seconds left', examples: [60] }),
    device_id: Uuid,
  }),
);

export const QrStatusData = data(
  Type.Object({
    exists: Type.Boolean(),
    passkey: PasskeyMember,
    generated_at: Type.Optional(Rfc3339),
    expires_at: Type.Optional(Rfc3339),
  }),
);

export const PairCodeData = data(
  Type.Object({
    code: Type.String({ examples: ['ABCD-1234'] }),
    phone: Type.String({ examples: ['5511999999999'] }),
    expires_in: Type.Integer({ description: 'Seconds left', examples: [160] }),
    cached: Type.Boolean(),
    instructions: Type.String(),
    device_id: Uuid,
  }),
);

export const StatusData = data(
  Type.Object({
    connected: Type.Boolean(),
    status: State,
    device_id: Nullable(Uuid),
    jid: Nullable(Jid),
    phone_number: Nullable(Type.String({ examples: ['5511999999999'] })),
    is_logged_in: Type.Boolean({ description: 'The device is linked to a phone' }),
    last_seen: Nullable(Rfc3339),
    reason: Type.String({
      description:
        `The word to branch on: \`open\` while it is connected, else as beside \`DEVICE_NOT_READY\` (${NOT_READY_REASONS.map((each) => `\`${each}\``).join(', ')}), ` +
        'or why no device is meant',
      examples: ['open'],
    }),
    state_reason: Nullable(
      Type.String({ description: 'What brought it into this state', examples: ['open'] }),
    ),
    hint: Nullable(Type.String({ description: 'What to do next, for people; null while it is connected' })),
    unreachable: Nullable(Unreachable),
    since: Nullable(Rfc3339),
    lid: Nullable(Jid),
    push_name: Nullable(Type.String()),
    device_ids: Type.Optional(
      Type.Array(Uuid, { description: 'With the reason `device_ambiguous`: those that may be meant' }),
    ),
    passkey: PasskeyMember,
    limit: Nullable(
      Type.Object(
        { since: Rfc3339, until: Rfc3339, reason: Type.String({ examples: ['BIZ_QUALITY'] }) },
        { description: 'While WhatsApp lets the account begin no chats' },
      ),
    ),
    ban: Nullable(
      Type.Object(
        {
          until: Nullable(Rfc3339),
          code: Nullable(Type.Integer({ description: "WhatsApp's number for what the account did" })),
          why: Nullable(Type.String({ description: 'What that number means, for people' })),
        },
        { description: 'What WhatsApp said of a ban that it lifts by itself, while there is one' },
      ),
    ),
  }),
);

export const ConnectData = data(
  Type.Object({
    status: State,
    device_id: Uuid,
    needs_qr: Type.Boolean({ description: 'Not linked: get a QR or a pairing code first' }),
  }),
);
