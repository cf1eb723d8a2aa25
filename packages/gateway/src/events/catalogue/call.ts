/** Category "call". */
import { type Static, Type } from 'typebox';
import { Address, EXAMPLE, entry, Flag, OrNull, Person, Text, Time } from './parts.ts';

const CallData = Type.Object({
  call_id: Text('Given to `POST /calls/reject`'),
  from: Address('The caller'),
  caller: Person,
  group_jid: OrNull(Address('The group that is called')),
  is_group: Flag('A call of a group'),
  video: Flag('A video call'),
  offline: Flag('It rang while the device was offline and is over by now'),
  reason: OrNull(Text("Why it ended, in WhatsApp's word")),
  latency_ms: OrNull(Type.Number({ description: 'Milliseconds to the relay' })),
  timestamp: Time('When it was, as WhatsApp says'),
});

const call: Static<typeof CallData> = {
  call_id: '5F3A9C0B1D2E4F60718293A4B5C6D7E8',
  from: EXAMPLE.jid,
  caller: { ...EXAMPLE.person },
  group_jid: null,
  is_group: false,
  video: false,
  offline: false,
  reason: null,
  latency_ms: null,
  timestamp: EXAMPLE.time,
};

const signal = (summary: string, cause: string, more: Partial<typeof call> = {}) =>
  entry({ summary, cause, schema: CallData, example: { ...call, ...more } });

export const CALL_EVENTS = {
  'call.offer': signal('Somebody calls', 'The phone rings.'),
  'call.accept': signal('A call was accepted', 'Another device of the account took it.'),
  'call.pre_accept': signal(
    'A call is being set up',
    'Another device of the account is about to ring or take it.',
  ),
  'call.reject': signal(
    'A call was refused',
    'The other side, or another device of the account, refused it.',
  ),
  'call.terminate': signal('A call ended', 'Somebody hung up, or nobody answered.', { reason: 'timeout' }),
  'call.relay_latency': entry({
    summary: 'How far the relay of a call is',
    cause: 'The other side measured it.',
    schema: CallData,
    example: { ...call, latency_ms: 42 },
  }),
  'call.transport': signal('A call changes its path', 'The other side offers another path for the media.'),
  'call.unknown': signal('A call signal that is not known', 'WhatsApp sent one that has no name here.'),
};
