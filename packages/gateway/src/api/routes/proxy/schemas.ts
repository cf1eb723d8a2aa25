/** The requests and answers of the tag `proxy`. */
import { Type } from 'typebox';
import { DEVICE_STATES } from '../../../devices/state.ts';
import { LONGEST_PROXY_URL } from '../../../proxies/proxies.ts';
import { UNREACHABLE_CAUSES } from '../../../whatsapp/port/unreachable.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceId } from '../../request/device.ts';
import { Nullable, OneOf, Rfc3339, Uuid } from '../../schemas.ts';

export const DevicePath = Type.Object({ deviceID: Type.String() });

const ProxyUrl = refusing(
  'what is no URL of a proxy, and an address that is not public',
  Type.String({
    minLength: 1,
    maxLength: LONGEST_PROXY_URL,
    description:
      '`http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`, with a user name and password where the proxy asks for them',
    examples: ['socks5://shop:secret@proxy.example.com:1080'],
  }),
);

export const ProxyBody = Type.Object(
  { proxy_url: ProxyUrl },
  { examples: [{ proxy_url: 'socks5://shop:secret@proxy.example.com:1080' }] },
);

export const TestBody = Type.Object(
  { proxy_url: Type.Optional(ProxyUrl), device_id: DeviceId },
  { examples: [{ proxy_url: 'socks5://shop:secret@proxy.example.com:1080' }] },
);

const MaskedUrl = Type.String({
  description: 'The password is `***`',
  examples: ['socks5://shop:***@proxy.example.com:1080'],
});
const ProxyMembers = { proxy_url: MaskedUrl, updated_at: Rfc3339 };
const Success = Type.Literal(true);

export const TenantProxyAnswer = Type.Object({
  success: Success,
  tenant_proxy: Nullable(Type.Object(ProxyMembers)),
  device_overrides: Type.Array(Type.Object({ device_id: Uuid, ...ProxyMembers }), {
    description: 'Of the devices that you may see',
  }),
});

const Reconnecting = Type.Integer({
  description: 'Devices without a proxy of their own that are being connected anew in the background',
  examples: [3],
});

export const TenantProxySet = Type.Object({
  success: Success,
  scope: Type.Literal('tenant'),
  proxy_url: MaskedUrl,
  reconnecting_devices: Reconnecting,
});

export const TenantProxyDeleted = Type.Object({
  success: Success,
  scope: Type.Literal('tenant'),
  deleted: Type.Boolean({ description: 'False when there was none' }),
  reconnecting_devices: Reconnecting,
});

export const DeviceProxyAnswer = Type.Object({
  success: Success,
  device_id: Uuid,
  override: Nullable(Type.Object(ProxyMembers)),
  effective: Type.Object({
    proxy_url: Nullable(MaskedUrl),
    source: OneOf(['device', 'tenant', 'none'] as const, { description: 'Whose it is' }),
  }),
});

const Reconnect = {
  reconnect: OneOf(DEVICE_STATES, {
    description: 'State of the device afterwards; one that was not online stays as it was',
    examples: ['connected'],
  }),
  reason: Type.String({
    description: '`proxy_unreachable` or `proxy_auth` when the proxy failed: the gateway keeps trying it',
    examples: ['open'],
  }),
};

export const DeviceProxySet = Type.Object({
  success: Success,
  scope: Type.Literal('device'),
  device_id: Uuid,
  proxy_url: MaskedUrl,
  ...Reconnect,
});

export const DeviceProxyDeleted = Type.Object({
  success: Success,
  scope: Type.Literal('device'),
  device_id: Uuid,
  deleted: Type.Boolean({ description: 'False when it had none of its own' }),
  ...Reconnect,
});

export const TestAnswer = Type.Object({
  success: Success,
  ok: Type.Boolean({ description: 'WhatsApp answered through it' }),
  proxy_url: Nullable(MaskedUrl),
  took_ms: Type.Integer({ examples: [240] }),
  unreachable: Nullable(
    Type.Object({
      host: Type.String({
        description: 'The proxy, or WhatsApp behind it',
        examples: ['proxy.example.com:1080'],
      }),
      cause: OneOf(UNREACHABLE_CAUSES, { examples: ['proxy_auth'] }),
      detail: Type.String({ examples: ['it does not take the user name and password'] }),
    }),
  ),
  hint: Nullable(Type.String({ description: 'The same for people' })),
});
