/** Messages that disappear: what is sent into a chat stays as long as the chat's timer says. */
import { invalidField } from '../errors.ts';
import { isNewsletter, sameIdentity } from '../identity/jid.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { KnownTimer } from '../messages/chat-timers.ts';
import { member } from '../messages/details/wire-content.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { MessageKind } from '../whatsapp/port/content.ts';
import { withContent } from '../whatsapp/port/envelopes.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';
import { isPerson } from './account-limits.ts';
import type { Composed } from './content.ts';
import type { Recipient } from './recipients.ts';

/** 24 hours, 7 days, 90 days; 0 is off. The apps ignore others (whatsmeow send.go SetDisappearingTimer). */
export const TIMERS_SECONDS = [0, 86_400, 604_800, 7_776_000] as const;

/** A time that a caller chose for one message; VALIDATION_ERROR for one that the apps do not know. */
export function checkedTimer(field: string, seconds: number | undefined): number | undefined {
  if (seconds === undefined || (TIMERS_SECONDS as readonly number[]).includes(seconds)) return seconds;
  throw invalidField(field, `must be one of ${TIMERS_SECONDS.join(', ')} (0 is off)`, seconds);
}

/** When a message disappears. */
export interface Disappearing {
  /** More than 0. */
  seconds: number;
  /** Milliseconds: when the chat's timer was set; null when that is not known. */
  setAt: number | null;
  /** The account begins the chat with it, as its default timer says. */
  begun?: true;
}

/** These say nothing of their own: they go with the message that they speak of. */
const STAYS: readonly MessageKind[] = ['revoke', 'reaction', 'pin', 'poll_vote', 'protocol'];
/** Neither do these members of waE2E.Message, which have a key and no context. */
const KEYS_ALONE = ['cancelPaymentRequestMessage', 'declinePaymentRequestMessage'];

function stays({ kind, message }: Pick<Composed, 'kind' | 'message'>): boolean {
  return STAYS.includes(kind) || KEYS_ALONE.some((name) => member(message, name));
}

/**
 * When a message disappears, sent now: as the caller chose, else as the chat's timer says, which for a group is the
 * server's word, and in a chat that the account begins its default timer. Null when it stays.
 */
export async function disappearing(
  archive: MessageArchive,
  { session, device, recipient }: { session: WhatsAppSession; device: MessageDevice; recipient: Recipient },
  composed: Pick<Composed, 'kind' | 'message'>,
  chosen: number | undefined,
): Promise<Disappearing | null> {
  if (chosen === 0 || stays(composed) || isNewsletter(recipient.to)) return null;
  const known = await archive.chats.timerOf(device, recipient.chat);
  if (chosen !== undefined) return { seconds: chosen, setAt: known?.setAt ?? null };
  const timer = recipient.isGroup
    ? await groupTimer(session, recipient, known)
    : (known ?? (await defaultTimer(archive, { session, device, recipient })));
  return timer && timer.seconds > 0 ? timer : null;
}

async function groupTimer(
  session: WhatsAppSession,
  { to }: Recipient,
  known: KnownTimer | null,
): Promise<Disappearing | null> {
  // A group that cannot be asked about refuses the message itself, which says more.
  const seconds = await session.groups.timer(to).catch(() => null);
  if (seconds === null) return known;
  return { seconds, setAt: known?.seconds === seconds ? known.setAt : null };
}

/** Of a chat of two in which nothing was written yet; what others began stays as they have it. */
async function defaultTimer(
  archive: MessageArchive,
  { session, device, recipient }: { session: WhatsAppSession; device: MessageDevice; recipient: Recipient },
): Promise<Disappearing | null> {
  if (!isPerson(recipient) || sameIdentity(recipient.chat, device)) return null;
  if (await archive.chats.hasChat(device, recipient.chat)) return null;
  // The message matters more than when it goes.
  const timer = await session.profile.recentDefaultTimer().catch(() => null);
  return timer && timer.seconds > 0 ? { ...timer, begun: true } : null;
}

/** The message with its timer: in the context of its content (Baileys Utils/messages.js, `expiration`). */
export function withTimer(kind: MessageKind, message: WireMessage, timer: Disappearing | null): WireMessage {
  if (!timer) return message;
  const timed = (content: WireMessage): WireMessage => inContext(content, contextOf(timer));
  return kind === 'edit' ? withNewContent(message, timed) : withContent(message, timed);
}

function contextOf({ seconds, setAt, begun }: Disappearing): WireMessage {
  const at = setAt === null ? {} : { ephemeralSettingTimestamp: Math.floor(setAt / 1000) };
  return { expiration: seconds, ...at, ...(begun ? { disappearingMode: BEGUN_BY_ACCOUNT } : {}) };
}

/** INITIATED_BY_ME and ACCOUNT_SETTING of waE2E.DisappearingMode: the other side's app says why its chat has a timer. */
const BEGUN_BY_ACCOUNT = { initiator: 1, trigger: 2, initiatedByMe: true };

/** Members of waE2E.Message that are content; `messageContextInfo` is none. */
const CONTENT = /Message(?:V\d)?$/;

/** The short form of a text has no place for a context. What the content says already, it keeps. */
function inContext({ conversation, ...rest }: WireMessage, context: WireMessage): WireMessage {
  const content =
    typeof conversation === 'string' ? { ...rest, extendedTextMessage: { text: conversation } } : rest;
  const members = Object.keys(content).map((name) => {
    const part = CONTENT.test(name) ? member(content, name) : null;
    if (!part) return [name, content[name]];
    // A payment has no context: that of its note stands for it (waE2E RequestPaymentMessage, SendPaymentMessage).
    const noteMessage = member(part, 'noteMessage');
    if (noteMessage) return [name, { ...part, noteMessage: inContext(noteMessage, context) }];
    return [name, { ...part, contextInfo: { ...context, ...member(part, 'contextInfo') } }];
  });
  return Object.fromEntries(members);
}

/** The new content of an edit stands in the protocol message that says which one is edited. */
function withNewContent(message: WireMessage, change: (content: WireMessage) => WireMessage): WireMessage {
  return withContent(message, (content) => {
    const protocol = member(content, 'protocolMessage');
    const edited = protocol && member(protocol, 'editedMessage');
    if (!edited) return content;
    return {
      ...content,
      protocolMessage: { ...protocol, editedMessage: withContent(edited, change) },
    };
  });
}
