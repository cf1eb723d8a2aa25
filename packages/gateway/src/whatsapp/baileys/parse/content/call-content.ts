/** What chats show of calls: that there was one, and when one is to be. */
import type { proto } from '../../library.ts';
import type { Parsed } from './parsed.ts';

/** Null for what is none. */
export function parseCall(m: proto.IMessage): Parsed | null {
  if (m.callLogMesssage) return { kind: 'call_log' };
  if (m.scheduledCallCreationMessage) {
    return { kind: 'scheduled_call', text: m.scheduledCallCreationMessage.title };
  }
  // It speaks of the message that announced the call, which stays as it is.
  const change = m.scheduledCallEditMessage;
  return change
    ? { kind: 'scheduled_call', targetId: change.key?.id, targetSender: change.key?.participant }
    : null;
}
