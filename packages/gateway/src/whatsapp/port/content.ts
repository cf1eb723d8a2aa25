/** What a message says, in our own terms. */
import type { Broadcast } from './broadcasts.ts';
import type { Identity, Jid } from './identity.ts';
import type { MediaDescriptor } from './media.ts';

export const MESSAGE_KINDS = [
  'text',
  'image',
  'video',
  'audio',
  'voice',
  'document',
  'sticker',
  'sticker_pack',
  'location',
  'live_location',
  'contact',
  'contacts',
  'reaction',
  'poll',
  'poll_vote',
  'poll_option',
  'poll_result',
  'buttons',
  'buttons_response',
  'list',
  'list_response',
  'template',
  'interactive',
  'product',
  'order',
  'event',
  'event_invite',
  'album',
  'event_response',
  'group_invite',
  'newsletter_invite',
  'newsletter_follow_invite',
  'payment',
  'payment_invite',
  'call_log',
  'scheduled_call',
  'phone_number_request',
  'placeholder',
  'edit',
  'revoke',
  'pin',
  'comment',
  'scheduled',
  'protocol',
  'undecryptable',
  'unknown',
] as const;

export type MessageKind = (typeof MESSAGE_KINDS)[number];

export interface QuotedMessage {
  id: string;
  participant: Jid | null;
  /** The same person under every known name. */
  author?: Identity | null;
  text: string | null;
  /** Where it is, when that is another chat: that of stories, or a group that is answered in private. */
  chat?: Jid | null;
}

/** Where a chat was begun from, as the app of the one who writes says; null for what it does not say. */
export interface Referral {
  title: string | null;
  body: string | null;
  /** `ad`, `post`… */
  sourceType: string | null;
  sourceId: string | null;
  sourceUrl: string | null;
  /** `facebook`, `instagram`… */
  sourceApp: string | null;
  mediaType: 'image' | 'video' | null;
  mediaUrl: string | null;
  thumbnailUrl: string | null;
  /** Meta's id of the click on the ad. */
  ctwaClid: string | null;
  ref: string | null;
  conversionSource: string | null;
  /** `ctwa_ad`, `click_to_chat_link`… */
  entryPoint: string | null;
  entryPointApp: string | null;
  entryPointExternalSource: string | null;
  entryPointExternalMedium: string | null;
  utmSource: string | null;
  utmCampaign: string | null;
}

/**
 * What a phone sealed under the secret of another message, by its use: nobody reads it who does not have that
 * message. Until then the kind is `edit`, `reaction`, `comment`, `poll_option` or `event_response`, and the rest is not known.
 */
export type SealedUse =
  | 'message_edit'
  | 'event_edit'
  | 'poll_edit'
  | 'poll_add_option'
  | 'reaction'
  | 'comment'
  | 'event_response'
  | AssistantUse;

/**
 * An assistant's answer, sealed under the secret of the message that asked, and a further piece of it: the answer as
 * it is by now. The answer is `undecryptable` until it is open, a piece an `edit`.
 */
export type AssistantUse = 'assistant_answer' | 'assistant_piece';

/** Whether somebody comes to an event. */
export interface EventResponse {
  response: 'going' | 'not_going' | 'maybe' | 'unknown';
  extraGuests: number;
}

/** The parts of a message's content that we understand; the raw protobuf goes beside it. */
export interface MessageContent {
  kind: MessageKind;
  /** Text or caption; for `edit` the new text; for `reaction` the emoji (empty removes it); for `event_response` the answer; for `poll_option` its name. */
  text: string | null;
  /** Its file; of several the first. */
  media: MediaDescriptor | null;
  /** The others, in the order in which they are shown: in the cards of a carousel. */
  furtherMedia?: readonly MediaDescriptor[];
  quoted: QuotedMessage | null;
  mentions: Jid[];
  /** The same people in the same order, each under every known name; may be shorter, of very many. */
  mentioned?: readonly Identity[];
  /** All members of the group are mentioned, by one word. */
  mentionsAll?: boolean;
  referral?: Referral | null;
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
  /** The same person under every known name. */
  targetAuthor?: Identity | null;
  /** Set for what was sent to a broadcast list, by its owner to us or by our own phone. */
  broadcast?: Broadcast | null;
  /** A revoke that the server let pass as an admin's of the group: the message need not be the sender's. */
  byAdmin?: boolean;
  /** Set while it is sealed. */
  sealed?: SealedUse | null;
  /** Of a piece of an assistant's answer, while it is sealed: the answer that it is a piece of. */
  pieceOf?: string | null;
  eventResponse?: EventResponse | null;
}
