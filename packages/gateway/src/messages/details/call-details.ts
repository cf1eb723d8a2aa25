/** What messages about calls say, in the names of waE2E.Message (WAWebProtobufsE2E.proto). */
import { person } from '../../events/payloads/parts.ts';
import { identityOf, normaliseJid } from '../../identity/jid.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';
import { member } from './wire-content.ts';
import { integer64, list, number, seconds, text } from './wire-fields.ts';

/** By their numbers in CallLogMessage. */
const OUTCOMES = [
  'connected',
  'missed',
  'failed',
  'rejected',
  'accepted_elsewhere',
  'ongoing',
  'silenced_by_dnd',
  'silenced_unknown_caller',
] as const;
const CALL_TYPES = ['regular', 'scheduled_call', 'voice_chat'] as const;

/** In ScheduledCallCreationMessage.CallType and ScheduledCallEditMessage.EditType. */
const VIDEO = 2;
const CANCEL = 1;

/** The readers of these details, by kind of message. */
export const CALL_DETAILS = {
  call_log: (message: WireMessage) => {
    const log = member(message, 'callLogMesssage');
    return {
      video: log?.isVideo === true,
      call_type: word(CALL_TYPES, number(log, 'callType') ?? 0),
      outcome: word(OUTCOMES, number(log, 'callOutcome') ?? 0),
      duration_seconds: integer64(log, 'durationSecs'),
      participants: list(log, 'participants').map((each) => ({
        ...personOf(text(each, 'jid')),
        outcome: word(OUTCOMES, number(each, 'callOutcome') ?? 0),
      })),
    };
  },
  scheduled_call: (message: WireMessage) => {
    const call = member(message, 'scheduledCallCreationMessage');
    const change = member(message, 'scheduledCallEditMessage');
    const at = integer64(call, 'scheduledTimestampMs');
    return {
      title: text(call, 'title'),
      start_time: at === null ? null : seconds({ at: Math.floor(at / 1000) }, 'at'),
      video: call ? number(call, 'callType') === VIDEO : null,
      canceled: change !== null && number(change, 'editType') === CANCEL,
    };
  },
};

function personOf(name: string | null) {
  const jid = normaliseJid(name ?? '');
  return person(jid ? identityOf(jid) : { jid: null, lid: null });
}

/** Of a number that WhatsApp adds tomorrow: `unknown`. */
function word(words: readonly string[], value: number): string {
  return words[value] ?? 'unknown';
}
