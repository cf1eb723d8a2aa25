/** The chat that a request names, and the device whose chat it is. */
import { AppError, type ErrorCode, invalidField } from '../errors.ts';
import { canonicalJid, isGroupJid } from '../identity/jid.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import { namesOfChat, parseRecipient, type Recipients } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { SESSION_FAILURES } from '../whatsapp/port/app-errors.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { type Chat, isListable } from './chat.ts';
import type { ChatStore } from './chat-store.ts';

/** A chat of a device, as a request names both. */
export interface ChatName {
  deviceId: string | undefined;
  /** A phone number, or the JID of a person or group. */
  jid: string;
}

/** How finding the chat of a request can end. */
export const CHAT_FAILURES = [
  'DEVICE_NOT_FOUND',
  'DEVICE_AMBIGUOUS',
  'INVALID_RECIPIENT',
  'NOT_FOUND',
] as const satisfies readonly ErrorCode[];

/** The same, and what WhatsApp answers to a change of it. */
export const CHAT_CHANGE_FAILURES = [
  ...CHAT_FAILURES,
  ...SESSION_FAILURES,
  'NOT_ON_WHATSAPP',
] as const satisfies readonly ErrorCode[];

/** A chat that something is to be done with. */
export interface ChatTarget {
  device: MessageDevice;
  session: WhatsAppSession;
  chat: Identity;
  isGroup: boolean;
  /** Where a stanza for it goes. */
  to: Jid;
  /** Its canonical name. */
  jid: Jid;
  /** What is known of it. */
  known: Chat | null;
}

export class ChatTargets {
  readonly #parts: { devices: SendingDevices; recipients: Recipients; store: ChatStore };

  constructor(parts: { devices: SendingDevices; recipients: Recipients; store: ChatStore }) {
    this.#parts = parts;
  }

  /** What is known of the chat, without asking WhatsApp; NOT_FOUND when that is nothing. */
  async known(caller: Caller, { deviceId, jid }: ChatName): Promise<{ device: MessageDevice; chat: Chat }> {
    // What is wrong with the device is told before the rest.
    const device = await this.#parts.devices.resolve(caller, deviceId);
    const names = namesIn(jid);
    const chat = await this.#parts.store.find(device, names);
    if (!chat) throw new AppError('NOT_FOUND', { message: 'the account knows no such chat' });
    return { device, chat };
  }

  /** A chat that is not known may be begun: NOT_ON_WHATSAPP for a number that nobody uses. */
  async target(caller: Caller, { deviceId, jid }: ChatName): Promise<ChatTarget> {
    const { devices, recipients, store } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    const names = namesIn(jid);
    const session = devices.session(device);
    // Of a number that can be written in two ways WhatsApp says which one is the account's.
    const known = names.length === 1 ? await store.find(device, names) : null;
    if (known) return target({ device, session, known, chat: known.chat });
    const { chat } = await recipients.resolve(session, device, parseRecipient(jid, 'jid'));
    const listed = await store.find(
      device,
      [chat.jid, chat.lid].filter((name) => name !== null),
    );
    return target({ device, session, known: listed, chat: listed?.chat ?? chat });
  }
}

function target(of: Pick<ChatTarget, 'device' | 'session' | 'known' | 'chat'>): ChatTarget {
  const jid = canonicalJid(of.chat) ?? '';
  return { ...of, jid, to: jid, isGroup: isGroupJid(jid) };
}

/** Throws INVALID_RECIPIENT, and VALIDATION_ERROR for a channel. */
function namesIn(jid: string): [Jid, ...Jid[]] {
  const names = namesOfChat(jid, 'jid');
  if (names.every(isListable)) return names;
  throw invalidField('jid', 'must name a person or a group', jid.slice(0, 100));
}
