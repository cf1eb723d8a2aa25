/** What a message says, in our own terms. */
import type { Jid } from './identity.ts';
import type { MediaDescriptor } from './media.ts';

export const MESSAGE_KINDS = [
  'text',
  'image',
  'video',
  'audio',
  'voice',
  'document',
  'sticker',
  'location',
  'live_location',
  'contact',
  'contacts',
  'reaction',
  'poll',
  'poll_vote',
  'buttons',
  'buttons_response',
  'list',
  'list_response',
  'template',
  'interactive',
  'product',
  'order',
  'event',
  'album',
  'event_response',
  'group_invite',
  'payment',
  'edit',
  'revoke',
  'pin',
  'comment',
  'protocol',
  'undecryptable',
  'unknown',
] as const;

export type MessageKind = (typeof MESSAGE_KINDS)[number];

export interface QuotedMessage {
  id: string;
  participant: Jid | null;
  text: string | null;
}

/**
 * What a phone sealed under the secret of another message, by its use: nobody reads it who does not have that
 * message. Until then the kind is `edit`, `reaction`, `comment` or `event_response`, and the rest is not known.
 */
export type SealedUse = 'message_edit' | 'event_edit' | 'reaction' | 'comment' | 'event_response';

/** Whether somebody comes to an event. */
export interface EventResponse {
  response: 'going' | 'not_going' | 'maybe' | 'unknown';
  extraGuests: number;
}

/** The parts of a message's content that we understand; the raw protobuf goes beside it. */
export interface MessageContent {
  kind: MessageKind;
  /** Text or caption; for `edit` the new text; for `reaction` the emoji (empty removes it); for `event_response` the answer. */
  text: string | null;
  /** Its file; of several the first. */
  media: MediaDescriptor | null;
  /** The others, in the order in which they are shown: in the cards of a carousel. */
  furtherMedia?: readonly MediaDescriptor[];
  quoted: QuotedMessage | null;
  mentions: Jid[];
  forwarded: boolean;
  viewOnce: boolean;
  /** Disappearing-message timer in seconds, null when the chat has none. */
  ephemeralSeconds: number | null;
  /** Milliseconds: when that timer was set, where the message says so. */
  ephemeralSetAt?: number | null;
  /** The message that an edit, revoke, reaction, pin or poll vote speaks of. */
  targetId: string | null;
  /** The author of that message, where it is named beside the id: in groups. */
  targetSender?: Jid | null;
  /** A revoke that the server let pass as an admin's of the group: the message need not be the sender's. */
  byAdmin?: boolean;
  /** Set while it is sealed. */
  sealed?: SealedUse | null;
  eventResponse?: EventResponse | null;
}
