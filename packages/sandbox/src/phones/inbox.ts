import { type BinaryNode, proto } from 'baileys';
import { contentOf, kindOf, type MessageKind, textOf } from './message-content.ts';

/** One decrypted message as a phone keeps it. */
export interface PhoneMessage {
  readonly id: string;
  /** Bare JID of the chat: the group, or the other side's phone number JID where it is known, else its LID. */
  readonly chat: string;
  /** The broadcast list of its author by which it came; it is shown in the chat with the author. */
  readonly list?: string;
  /** Bare JID of the author, phone number where it is known. */
  readonly from: string;
  /** The author's device as the stanza named it. */
  readonly fromDevice: string;
  /** Written on this account, by this phone or by one of its companions. */
  readonly fromMe: boolean;
  /** Unix seconds, the server's time. */
  readonly timestamp: number;
  readonly pushName?: string;
  readonly kind: MessageKind;
  readonly message: proto.IMessage;
  /** Text, caption, or the new text of an edit. */
  readonly text?: string;
  /** Id of the message that this one edits, revokes, reacts to or votes on. */
  readonly editOf?: string;
  readonly revokeOf?: string;
  readonly reactionTo?: string;
  /** The emoji of a reaction; empty when it was taken back. */
  readonly emoji?: string;
  readonly pollVoteOn?: string;
  /** The album that this picture or video belongs to, and of an album how many of them it announced. */
  readonly albumOf?: string;
  readonly albumSize?: number;
  /** A message that this one pins to the top of the chat, or unpins. */
  readonly pinOf?: string;
  readonly pinned?: boolean;
  /** Names of the options voted for, when this phone knows the poll. */
  readonly votes?: readonly string[];
  /** The ciphertext carried a retry count: it was sent again after this phone asked. */
  readonly resent?: boolean;
  /** What the stanza said outside of the encrypted part; absent for what this phone sent itself. */
  readonly stanza?: StanzaFacts;
}

/** The server reads these to route and to decide what is shown; receivers get them as they were sent. */
export interface StanzaFacts {
  /** `text`, `media`, `poll`, `reaction`, … */
  readonly type: string;
  readonly edit?: string;
  /** `mediatype` of the first `<enc>` that has one. */
  readonly mediaType?: string;
  /** Its children, ciphertexts and keys left out: `<meta>`, `<biz>`, `<bot>`. */
  readonly nodes: readonly BinaryNode[];
}

/** A message of a conversation after its edits, revokes and reactions. */
export interface ConversationMessage {
  readonly id: string;
  readonly from: string;
  readonly fromMe: boolean;
  readonly timestamp: number;
  readonly kind: MessageKind;
  readonly text?: string;
  readonly edited: boolean;
  readonly revoked: boolean;
  /** Emoji by the reacting user's JID. */
  readonly reactions: Readonly<Record<string, string>>;
}

type Facts = Pick<
  PhoneMessage,
  'id' | 'chat' | 'from' | 'fromDevice' | 'fromMe' | 'timestamp' | 'message'
> & {
  list?: string;
  pushName?: string;
  votes?: readonly string[];
  resent?: boolean;
  stanza?: StanzaFacts;
};

/** Fills in what can be read off the content. */
export function describe(facts: Facts): PhoneMessage {
  const content = contentOf(facts.message);
  const kind = kindOf(facts.message);
  const text = textOf(facts.message);
  const target =
    content.reactionMessage?.key?.id ??
    content.pollUpdateMessage?.pollCreationMessageKey?.id ??
    content.pinInChatMessage?.key?.id ??
    content.protocolMessage?.key?.id ??
    '';
  const association = (facts.message.messageContextInfo ?? content.messageContextInfo)?.messageAssociation;
  const albumOf = association?.associationType === MEDIA_ALBUM ? association.parentMessageKey?.id : null;
  const album = content.albumMessage;
  return {
    ...facts,
    kind,
    ...(albumOf ? { albumOf } : {}),
    ...(album ? { albumSize: (album.expectedImageCount ?? 0) + (album.expectedVideoCount ?? 0) } : {}),
    ...(text === undefined ? {} : { text }),
    ...(kind === 'edit' ? { editOf: target } : {}),
    ...(kind === 'revoke' ? { revokeOf: target } : {}),
    ...(kind === 'reaction' ? { reactionTo: target, emoji: content.reactionMessage?.text ?? '' } : {}),
    ...(kind === 'poll_vote' ? { pollVoteOn: target } : {}),
    ...(kind === 'pin' ? { pinOf: target, pinned: content.pinInChatMessage?.type === PIN_FOR_ALL } : {}),
  };
}

const { MEDIA_ALBUM } = proto.MessageAssociation.AssociationType;
const PIN_FOR_ALL = proto.Message.PinInChatMessage.Type.PIN_FOR_ALL;

const NOT_IN_CONVERSATION: ReadonlySet<MessageKind> = new Set([
  'edit',
  'revoke',
  'reaction',
  'poll_vote',
  'pin',
  'protocol',
]);

interface Waiter {
  matches(message: PhoneMessage): boolean;
  resolve(message: PhoneMessage): void;
}

/** A phone's message store: what it received, what it sent, and who waits for what. */
export class Inbox {
  /** Received messages in order of arrival, own companions' messages included. */
  readonly received: PhoneMessage[] = [];
  readonly #all: PhoneMessage[] = [];
  readonly #byId = new Map<string, PhoneMessage>();
  readonly #waiters = new Set<Waiter>();

  /** False when a message with this id by this author is already there (a redelivery). */
  addReceived(message: PhoneMessage): boolean {
    if (this.#byId.has(`${message.from} ${message.id}`)) return false;
    this.#remember(message);
    this.received.push(message);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.matches(message)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(message);
    }
    return true;
  }

  addSent(message: PhoneMessage): void {
    this.#remember(message);
  }

  /** Messages from before, oldest first: they come before everything that is there. */
  addPast(messages: readonly PhoneMessage[]): void {
    for (const message of messages) this.#byId.set(`${message.from} ${message.id}`, message);
    this.#all.unshift(...messages);
  }

  has(from: string, id: string): boolean {
    return this.#byId.has(`${from} ${id}`);
  }

  /** Sent or received, newest first when two authors used one id. */
  find(id: string): PhoneMessage | undefined {
    return this.#all.findLast((message) => message.id === id);
  }

  /** Everything sent and received, in order. */
  all(): readonly PhoneMessage[] {
    return this.#all;
  }

  /** What is shown as one with the album: what belongs to it, in order of arrival. */
  albumItems(id: string): PhoneMessage[] {
    return this.#all.filter(({ albumOf }) => albumOf === id);
  }

  /** Looks at what is there, then waits. Rejects after `timeoutMs`. */
  waitFor(matches: (message: PhoneMessage) => boolean, timeoutMs: number): Promise<PhoneMessage> {
    const present = this.received.find(matches);
    if (present) return Promise.resolve(present);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        matches,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const kinds = this.received.map((message) => `${message.kind} ${message.id}`).slice(-10);
        reject(
          new Error(`no such message within ${timeoutMs} ms; last received: ${kinds.join(', ') || 'none'}`),
        );
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /**
   * What a person would see in the chat: edits and revokes applied, reactions attached. `sameChat` compares
   * JIDs by what is known now, since a phone number may have become known after a message came.
   */
  conversation(sameChat: (chat: string) => boolean): ConversationMessage[] {
    const shown = new Map<string, ConversationMessage>();
    for (const message of this.#all) {
      // What an album announced is shown within it.
      if (!sameChat(message.chat) || (message.albumOf && shown.has(message.albumOf))) continue;
      if (!NOT_IN_CONVERSATION.has(message.kind)) {
        const { id, from, fromMe, timestamp, kind, text } = message;
        const entry = { id, from, fromMe, timestamp, kind, edited: false, revoked: false, reactions: {} };
        shown.set(id, text === undefined ? entry : { ...entry, text });
        continue;
      }
      const targetId = message.editOf ?? message.revokeOf ?? message.reactionTo;
      const target = targetId === undefined ? undefined : shown.get(targetId);
      if (!target) continue;
      shown.set(target.id, apply(message, target));
    }
    return [...shown.values()];
  }

  #remember(message: PhoneMessage): void {
    this.#byId.set(`${message.from} ${message.id}`, message);
    this.#all.push(message);
  }
}

/** Only the author can edit; a revoke of another's message is an admin's, which the group vouches for. */
function apply(change: PhoneMessage, target: ConversationMessage): ConversationMessage {
  if (change.kind === 'reaction') {
    const reactions = { ...target.reactions, [change.from]: change.emoji ?? '' };
    if (change.emoji === '') delete reactions[change.from];
    return { ...target, reactions };
  }
  if (change.kind === 'edit' && change.from === target.from && change.text !== undefined) {
    return { ...target, text: change.text, edited: true };
  }
  if (change.kind === 'revoke') {
    const { text: _gone, ...rest } = target;
    return { ...rest, revoked: true };
  }
  return target;
}
