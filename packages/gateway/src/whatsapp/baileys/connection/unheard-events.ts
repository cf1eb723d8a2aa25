import type { Socket } from '../library.ts';

/** What the library tells of messages, chats, contacts and history, which is read from stanzas here: nobody listens. */
const UNHEARD: ReadonlySet<string> = new Set([
  'messaging-history.set',
  'chats.upsert',
  'chats.update',
  'chats.delete',
  'contacts.upsert',
  'contacts.update',
  'messages.upsert',
  'messages.update',
  'messages.delete',
  'messages.reaction',
  'message-receipt.update',
  'groups.update',
]);

/**
 * Lets go at once of what nobody listens to. The library holds these events back while stanzas come in fast, for up
 * to 30 s, and goes through all that it holds at each new message (event-buffer.js `emit`): of 1500 messages at once
 * that took 6 % of the CPU, and more of more.
 */
export function dropUnheard(events: Pick<Socket['ev'], 'emit'>): void {
  const emit = events.emit.bind(events);
  events.emit = (event, data) => UNHEARD.has(event) || emit(event, data);
}
