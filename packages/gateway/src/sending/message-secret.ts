/** The secret of a message: what others answer it under, and what reports of abuse are proved by. */
import { randomBytes } from 'node:crypto';
import { member } from '../messages/details/wire-content.ts';
import type { MessageKind } from '../whatsapp/port/content.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';

/** Votes of a poll and answers to an event are sealed under it; whatsmeow send.go and Baileys Utils/messages.js make 32 random bytes. */
const SECRET_BYTES = 32;

/**
 * What speaks of another message has none of its own (Baileys Utils/reporting-utils.js
 * `shouldIncludeReportingToken`; whatsmeow reportingtoken.go leaves reactions and votes out).
 */
const WITHOUT: readonly MessageKind[] = ['edit', 'revoke', 'reaction', 'pin', 'poll_vote', 'protocol'];

/**
 * The message with a secret of its own, unless it has one or its kind has none. In announcement groups comments
 * and reactions are sealed under it: to a message without one nobody can answer.
 */
export function withSecret(kind: MessageKind, message: WireMessage): WireMessage {
  const info = member(message, 'messageContextInfo');
  if (WITHOUT.includes(kind) || info?.messageSecret) return message;
  return { ...message, messageContextInfo: { ...info, messageSecret: randomBytes(SECRET_BYTES) } };
}

/** The message under the secret of an earlier attempt: who kept that one answers under it. */
export function withSecretOf(earlier: WireMessage, message: WireMessage): WireMessage {
  const first = member(earlier, 'messageContextInfo');
  const info = member(message, 'messageContextInfo');
  if (!first?.messageSecret || !info?.messageSecret) return message;
  return { ...message, messageContextInfo: { ...info, messageSecret: first.messageSecret } };
}
