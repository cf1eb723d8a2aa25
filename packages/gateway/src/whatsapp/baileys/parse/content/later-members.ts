/** Members of waE2E.Message that the library's schema does not have, read field by field (whatsmeow WAWebProtobufsE2E.proto). */
import { proto } from '../../library.ts';
import { decodeProtobuf } from '../bounded-protobuf.ts';
import { delimitedField, numberField } from '../protobuf-fields.ts';
import type { Parsed } from './parsed.ts';

/** Names as in the schema; texts that are not there are null. */
export interface LaterMembers {
  /** Somebody passes on a calendar event of another chat, or of a call. */
  eventInviteMessage?: {
    contextInfo: proto.IContextInfo | null;
    eventId: string | null;
    eventTitle: string | null;
    caption: string | null;
    /** Unix seconds. */
    startTime: number | null;
    endTime: number | null;
    callLink: string | null;
    isCanceled: boolean;
  };
  /** What its sender has scheduled on the phone: sealed, under a key that is told when it is time. */
  conditionalRevealMessage?: { revealKeyId: string | null };
}

const CONDITIONAL_REVEAL = 120;
const REVEAL_KEY_ID = 4;
const EVENT_INVITE = 122;
const INVITE = {
  context: 1,
  id: 2,
  title: 3,
  startTime: 5,
  caption: 6,
  isCanceled: 7,
  endTime: 8,
  callLink: 9,
};

/** Null when the message has none of them. Throws UnreadableProtobuf. */
export function laterMembers(bytes: Uint8Array): LaterMembers | null {
  const invite = delimitedField(bytes, EVENT_INVITE);
  if (invite) {
    const text = (field: number): string | null => textField(invite, field);
    const context = delimitedField(invite, INVITE.context);
    return {
      eventInviteMessage: {
        contextInfo: context && decodeProtobuf(proto.ContextInfo, context),
        eventId: text(INVITE.id),
        eventTitle: text(INVITE.title),
        caption: text(INVITE.caption),
        startTime: numberField(invite, INVITE.startTime),
        endTime: numberField(invite, INVITE.endTime),
        callLink: text(INVITE.callLink),
        isCanceled: numberField(invite, INVITE.isCanceled) === 1,
      },
    };
  }
  const sealed = delimitedField(bytes, CONDITIONAL_REVEAL);
  return sealed && { conditionalRevealMessage: { revealKeyId: textField(sealed, REVEAL_KEY_ID) } };
}

export function parseLater({ eventInviteMessage: invite }: LaterMembers): Parsed {
  if (!invite) return { kind: 'scheduled' };
  return { kind: 'event_invite', text: invite.caption || invite.eventTitle, context: invite.contextInfo };
}

function textField(bytes: Uint8Array, wanted: number): string | null {
  const value = delimitedField(bytes, wanted);
  return value && Buffer.from(value).toString('utf8');
}
