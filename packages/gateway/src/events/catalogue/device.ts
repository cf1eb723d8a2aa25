/** Categories "device", "connection" and "authentication". */
import { Type } from 'typebox';
import { Count, EXAMPLE, entry, Flag, OrNull, Person, Text, Time } from './parts.ts';

/** The linked account and the state that the device is in from now on. */
const DeviceNow = {
  name: Text('The name of the device'),
  jid: OrNull(Text('`…@s.whatsapp.net` of the linked account')),
  lid: OrNull(Text('`…@lid` of the linked account')),
  phone_number: OrNull(Text('Digits with country code')),
  state: Text('As in `GET /status`: `connected`, `reconnecting`, `disconnected`, `logged_out`, …'),
  reason: Text('Why, in one stable word: `open`, `requested`, `connection_lost`, …'),
  at: Time('Since when'),
};

const Limit = Type.Object({
  since: Time('When the gateway learnt of it'),
  until: Time('When it ends by itself'),
  reason: Text("WhatsApp's word: `BIZ_QUALITY`, `WEB_COMPANION_ONLY`, …"),
});

const Ban = Type.Object({
  until: OrNull(Time('When WhatsApp lifts it; null where it does not say')),
  code: OrNull(Type.Integer({ description: "WhatsApp's number for what the account did" })),
  why: OrNull(Text('What that number means, for people')),
});

/** Beside: what WhatsApp said when it ended or refused the connection. */
const Refused = {
  ...DeviceNow,
  status_code: OrNull(Type.Integer({ description: "WhatsApp's code" })),
  will_retry: Flag('The gateway tries again by itself'),
};

const device = {
  name: 'Counter',
  jid: EXAMPLE.own,
  lid: null,
  phone_number: '5511888888888',
  at: EXAMPLE.time,
};

const unlinked = { ...device, jid: null, phone_number: null };

export const DEVICE_EVENTS = {
  'device.connected': entry({
    summary: 'The device is online',
    cause: 'WhatsApp accepted the connection: messages can be sent, and those that waited arrive now.',
    schema: Type.Object(DeviceNow),
    example: { ...device, state: 'connected', reason: 'open' },
  }),
  'device.disconnected': entry({
    summary: 'The device is offline',
    cause: 'A connected device lost its connection, whatever the reason, or `POST /disconnect` was called.',
    schema: Type.Object({ ...DeviceNow, will_retry: Flag('The gateway connects again by itself') }),
    example: { ...device, state: 'reconnecting', reason: 'connection_lost', will_retry: true },
  }),
  'device.limited': entry({
    summary: 'WhatsApp lets the account begin no chats for a while',
    cause: 'WhatsApp said so, by itself or when it refused a message (463), or changed the end of the limit.',
    schema: Type.Object({ ...DeviceNow, limit: Limit }),
    example: {
      ...device,
      state: 'connected',
      reason: 'open',
      limit: { since: EXAMPLE.time, until: '2026-06-16T12:00:00.000Z', reason: 'BIZ_QUALITY' },
    },
  }),
  'device.limit_lifted': entry({
    summary: 'The account may begin chats again',
    cause: 'The time of the limit is over, or WhatsApp lifted it.',
    schema: Type.Object(DeviceNow),
    example: { ...device, state: 'connected', reason: 'open' },
  }),
  'device.passkey_required': entry({
    summary: 'WhatsApp asks for a passkey before the device is linked',
    cause:
      'A phone has scanned the QR or its user has typed the code, and the account is one that needs a passkey. ' +
      '`GET /devices/{id}/passkey` says what to sign, on web.whatsapp.com. Told again when WhatsApp asks again.',
    schema: Type.Object({ ...DeviceNow, expires_at: Time('Until when it can be signed') }),
    example: {
      ...unlinked,
      state: 'pairing',
      reason: 'passkey_required',
      expires_at: '2026-06-15T12:10:00.000Z',
    },
  }),
  'device.passkey_confirm': entry({
    summary: 'Somebody has to compare a code with the one that the phone shows',
    cause:
      'The passkey was taken, but too late to prove that it is the same linking. When the phone shows the same code, ' +
      '`POST /devices/{id}/passkey/confirm`.',
    schema: Type.Object({
      ...DeviceNow,
      code: Text('What the phone has to show, `XXXX-XXXX`'),
      expires_at: Time('Until when it can be confirmed'),
    }),
    example: {
      ...unlinked,
      state: 'pairing',
      reason: 'passkey_confirm',
      code: 'K7M2-9QXZ',
      expires_at: '2026-06-15T12:12:00.000Z',
    },
  }),
  'device.logged_out': entry({
    summary: 'The device is not linked any more',
    cause: 'The user removed it on the phone, WhatsApp did, or `POST /logout` was called. Link it again.',
    schema: Type.Object(DeviceNow),
    example: { ...device, state: 'logged_out', reason: 'logged_out' },
  }),
};

export const CONNECTION_EVENTS = {
  'connection.pair_error': entry({
    summary: 'Linking failed',
    cause:
      "The phone's answer could not be verified, or WhatsApp refused the new device. Or a pairing code was answered " +
      'under another reference than WhatsApp gave for it: that is ignored, and the code goes on.',
    schema: Type.Object({ reason: Text('What was wrong') }),
    example: { reason: 'the device identity is not signed by the account' },
  }),
  'connection.stream_replaced': entry({
    summary: 'Another program uses the same linked device',
    cause: 'WhatsApp ended the connection because the same credentials connected elsewhere.',
    schema: Type.Object(Refused),
    example: { ...device, state: 'replaced', reason: 'replaced', status_code: 440, will_retry: false },
  }),
  'connection.failure': entry({
    summary: 'WhatsApp refused the connection, or a linking came to nothing',
    cause:
      'A refusal with a code: banned, client too old, credentials that do not work, service unavailable, or any ' +
      "other (`refused`). Or the device's proxy failed: `reason` is `proxy_unreachable` or `proxy_auth`. Or a " +
      'linking ended and no phone was linked: `state` is `disconnected`, `reason` is `qr_timeout`, ' +
      '`connection_lost`, `passkey_expired`, …; `GET /qr` begins anew. ' +
      'Reported when the reason changes, not for each attempt.',
    schema: Type.Object(Refused),
    example: { ...device, state: 'outdated', reason: 'outdated', status_code: 405, will_retry: false },
  }),
  'connection.temporary_ban': entry({
    summary: 'WhatsApp banned the account for a time',
    cause:
      'A refusal with code 402. The gateway tries again once the ban is over, or each hour where it has no end.',
    schema: Type.Object({ ...Refused, ban: OrNull(Ban) }),
    example: {
      ...device,
      state: 'banned',
      reason: 'temporary_ban',
      status_code: 402,
      will_retry: true,
      ban: { until: '2026-06-16T12:00:00.000Z', code: 104, why: 'the same message to too many people' },
    },
  }),
  'connection.manual_reconnect': entry({
    summary: 'Somebody asked for the device to be connected again',
    cause: '`POST /connect` on a device that was offline.',
    schema: Type.Object(DeviceNow),
    example: { ...device, state: 'reconnecting', reason: 'connect_requested' },
  }),
  'connection.keepalive_timeout': entry({
    summary: 'The connection does not answer',
    cause: 'WhatsApp left a ping unanswered for longer than it should.',
    schema: Type.Object({ silent_for_ms: Count('Milliseconds since the last sign of life') }),
    example: { silent_for_ms: 35_000 },
  }),
  'connection.keepalive_restored': entry({
    summary: 'The connection answers again',
    cause: 'After `connection.keepalive_timeout`, on the same connection.',
    schema: Type.Object({}),
    example: {},
  }),
};

export const AUTHENTICATION_EVENTS = {
  'qr.generated': entry({
    summary: 'There is a new QR code to scan',
    cause: 'Linking began, or the last code is not valid any more.',
    schema: Type.Object({
      qr_code: OrNull(Text('The code, null once it has expired; `GET /qr` draws it')),
      qr_url: OrNull(Text('What WhatsApp Web draws: the address with the code in it')),
      expires_at: Time('Until when it can be scanned'),
    }),
    secret: { members: ['qr_code', 'qr_url'], until: 'expires_at' },
    example: {
      qr_code: '2@Zm9v,YmFy,YmF6,cXV4',
      qr_url: 'https://wa.me/settings/linked_devices#2@Zm9v,YmFy,YmF6,cXV4',
      expires_at: '2026-06-15T12:01:00.000Z',
    },
  }),
  'pair.success': entry({
    summary: 'A phone was linked',
    cause:
      'The phone scanned the QR, its user typed the code, or a session that another program has linked moved in. ' +
      '`device.connected` follows.',
    schema: Type.Object({
      jid: Text('`…@s.whatsapp.net` of the account'),
      lid: OrNull(Text('`…@lid` of the account')),
      phone_number: OrNull(Text('Digits with country code')),
      platform: OrNull(Text('What the phone runs')),
    }),
    example: { jid: EXAMPLE.own, lid: null, phone_number: '5511888888888', platform: 'android' },
  }),
  'identity.change': entry({
    summary: "A contact's security code changed",
    cause: 'The contact installed WhatsApp anew or changed the phone.',
    schema: Type.Object({ contact: Person, timestamp: Time('When it was, as WhatsApp says') }),
    example: { contact: { ...EXAMPLE.person }, timestamp: EXAMPLE.time },
  }),
};
