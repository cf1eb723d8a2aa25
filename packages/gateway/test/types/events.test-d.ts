/** Events: each name with its own data, and every notice of a session with an event of its name. */

import type { Static } from 'typebox';
import type { ReceiptData } from '../../src/events/catalogue/message.ts';
import type { MessageData } from '../../src/events/catalogue/message-data.ts';
import type { EventName } from '../../src/events/catalogue/names.ts';
import type { EventData } from '../../src/events/catalogue.ts';
import type { noticeData } from '../../src/events/payloads/notice.ts';
import type { NoticeName, SessionNotice } from '../../src/whatsapp/port/notices.ts';
import type { Claims, Fits, Is, Refused } from './expect-type.ts';

type Notice<N extends NoticeName> = Extract<SessionNotice, { name: N }>;

export type EventClaims = Claims<
  [
    Refused<string, EventName>,
    Is<EventData<'message.received'>, MessageData>,
    Is<EventData<'message.read'>, Static<typeof ReceiptData>>,
    // Data of one event is not that of another.
    Refused<EventData<'message.read'>, EventData<'message.received'>>,
    Refused<EventData<'device.connected'>, EventData<'call.offer'>>,
    // What a session reports is told under the same name, with the data of that name.
    Fits<NoticeName, EventName>,
    Is<ReturnType<typeof noticeData<'contact.presence'>>, EventData<'contact.presence'>>,
    Refused<Notice<'contact.presence'>, Notice<'chat.presence'>>,
  ]
>;
