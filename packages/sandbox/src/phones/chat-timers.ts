import { getBinaryNodeChild, proto } from 'baileys';
import type { AddressBook } from './address-book.ts';
import type { PhoneMessage } from './inbox.ts';
import { contentOf } from './message-content.ts';

type GroupNotification = Parameters<typeof getBinaryNodeChild>[0];

/** How long messages of a chat stay. */
export interface ChatTimer {
  /** 0: for ever. */
  readonly seconds: number;
  /** Unix seconds. */
  readonly setAt: number;
}

const { Type } = proto.Message.ProtocolMessage;
/** Members of waE2E.Message that are a message's content. */
const CONTENT = /Message(?:V\d)?$/;

/** The disappearing-message timers of a phone's chats: its own settings, those of others, those of groups. */
export class ChatTimers {
  readonly #book: AddressBook;
  readonly #timers = new Map<string, ChatTimer>();

  /** By chat. */
  kept(): ReadonlyMap<string, ChatTimer> {
    return this.#timers;
  }

  constructor(book: AddressBook) {
    this.#book = book;
  }

  set(chat: string, timer: ChatTimer): void {
    this.#timers.set(this.#book.canonical(chat), timer);
  }

  of(chat: string): ChatTimer | undefined {
    return this.#timers.get(this.#book.canonical(chat));
  }

  /** The other side of a chat, or a companion of ours, set it (Baileys process-message.js EPHEMERAL_SETTING). */
  learn({ chat, message, timestamp }: PhoneMessage): void {
    const setting = contentOf(message).protocolMessage;
    if (setting?.type !== Type.EPHEMERAL_SETTING) return;
    const setAt = Number(setting.ephemeralSettingTimestamp ?? 0) || timestamp;
    this.set(chat, { seconds: setting.ephemeralExpiration ?? 0, setAt });
  }

  /** `<notification type="w:gp2">` with `<ephemeral expiration=…/>` or `<not_ephemeral/>`. */
  learnGroup(node: GroupNotification): void {
    const [from, t] = [node?.attrs.from ?? '', Number(node?.attrs.t ?? 0)];
    const on = getBinaryNodeChild(node, 'ephemeral');
    if (on) this.set(from, { seconds: Number(on.attrs.expiration ?? 0), setAt: t });
    if (getBinaryNodeChild(node, 'not_ephemeral')) this.set(from, { seconds: 0, setAt: t });
  }

  /** The message as a phone sends it into the chat: what has a context says how long it stays. */
  timed(chat: string, message: proto.IMessage): proto.IMessage {
    const timer = this.of(chat);
    if (!timer || timer.seconds === 0) return message;
    const { conversation, ...rest } = message;
    const content = typeof conversation === 'string' ? { extendedTextMessage: { text: conversation } } : {};
    const all: Record<string, unknown> = { ...rest, ...content };
    for (const [name, part] of Object.entries(all)) {
      if (!CONTENT.test(name) || NO_CONTEXT.has(name) || typeof part !== 'object' || part === null) continue;
      const { contextInfo } = part as { contextInfo?: proto.IContextInfo };
      const { seconds: expiration, setAt: ephemeralSettingTimestamp } = timer;
      all[name] = { ...part, contextInfo: { expiration, ephemeralSettingTimestamp, ...contextInfo } };
    }
    return all as proto.IMessage;
  }
}

/** What changes or answers another message, and envelopes. */
const NO_CONTEXT = new Set([
  'protocolMessage',
  'reactionMessage',
  'pollUpdateMessage',
  'pinInChatMessage',
  'editedMessage',
  'viewOnceMessage',
  'viewOnceMessageV2',
  'documentWithCaptionMessage',
  'ephemeralMessage',
]);

/** The setting of a chat of two, as the apps send it (whatsmeow send.go SetDisappearingTimer). */
export function timerSetting({ seconds, setAt }: ChatTimer): proto.IMessage {
  return {
    protocolMessage: {
      type: Type.EPHEMERAL_SETTING,
      ephemeralExpiration: seconds,
      ephemeralSettingTimestamp: setAt,
    },
  };
}
