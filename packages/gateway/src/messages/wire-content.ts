/** Finding the content proper inside the envelopes that WhatsApp puts round some messages. */
import type { WireMessage } from '../whatsapp/port/wire-message.ts';

/**
 * Members of waE2E.Message that hold a whole message in `message` (FutureProofMessage); the order in
 * which clients open them is in whatsmeow types/events/events.go `UnwrapRaw`.
 */
const ENVELOPES = [
  'deviceSentMessage',
  'ephemeralMessage',
  'viewOnceMessage',
  'viewOnceMessageV2',
  'viewOnceMessageV2Extension',
  'documentWithCaptionMessage',
] as const;

/** A message nested deeper than this is not one that a client made. */
const DEEPEST = 6;

/** The message inside of its envelopes. */
export function unwrapped(message: WireMessage): WireMessage {
  let inner = message;
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const envelope = ENVELOPES.map((name) => member(inner, name)).find((each) => each !== null);
    const next = envelope ? member(envelope, 'message') : null;
    if (!next) break;
    inner = next;
  }
  return inner;
}

/** A member that is itself a message or part of one; null when it is absent. */
export function member(message: WireMessage, name: string): WireMessage | null {
  const value = message[name];
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Array.isArray(value)) {
    return null;
  }
  return value as WireMessage;
}

/**
 * What goes into `contextInfo.quotedMessage`: the content without its own context, so that a chain of
 * answers does not grow with every link, and without the message's secrets.
 */
export function quotable(message: WireMessage): WireMessage {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(unwrapped(message))) {
    if (name === 'messageContextInfo' || name === 'senderKeyDistributionMessage') continue;
    const part = member({ [name]: value }, name);
    if (!part) {
      result[name] = value;
      continue;
    }
    const { contextInfo: _, ...rest } = part;
    result[name] = rest;
  }
  return result;
}
