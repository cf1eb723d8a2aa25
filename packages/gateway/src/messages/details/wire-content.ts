/** Reading the content of a message as a plain object. */
import { unwrapped } from '../../whatsapp/port/envelopes.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';

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
