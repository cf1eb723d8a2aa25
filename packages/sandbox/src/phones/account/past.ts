import { proto } from 'baileys';
import { type AddressBook, toJid } from '../address-book.ts';
import { describe, type Inbox, type PhoneMessage } from '../inbox.ts';
import { newMessageId, type PhoneIdentity } from '../sending.ts';

/** One message of the past, as a test writes it. */
export interface PastMessage {
  /** Made up when left out. */
  readonly id?: string;
  /** Default: the other side of the chat. In a group the author, or this phone when `fromMe`. */
  readonly from?: string | { readonly jid: string };
  readonly fromMe?: boolean;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly text?: string;
  /** Content other than a text. */
  readonly message?: proto.IMessage;
  readonly pushName?: string;
}

/** What the phone shows of a chat in its list, as history tells it to companions. */
export interface PastChat {
  /** A group's subject, or the name under which a person is saved. */
  readonly name?: string;
  readonly unread?: number;
  readonly markedUnread?: boolean;
  readonly archived?: boolean;
  readonly pinned?: boolean;
  /** Milliseconds; -1: for ever. */
  readonly mutedUntil?: number;
}

/** Somebody who was in a group and went before companions were linked. */
export interface PastMember {
  readonly person: string | { readonly jid: string };
  readonly removed?: boolean;
  /** Unix seconds. */
  readonly at?: number;
  /** False: the phone does not tell which number the LID has. */
  readonly known?: boolean;
}

const { LeaveReason } = proto.PastParticipant;
/** Seconds between two made-up messages. */
const STEP_S = 60;

/** A phone's conversations from before the simulation began. */
export class Past {
  readonly #self: PhoneIdentity;
  readonly #inbox: Inbox;
  readonly #book: AddressBook;
  readonly #chats = new Map<string, PastChat>();
  readonly #members = new Map<string, readonly PastMember[]>();

  constructor(self: PhoneIdentity, parts: { inbox: Inbox; book: AddressBook }) {
    this.#self = self;
    this.#inbox = parts.inbox;
    this.#book = parts.book;
  }

  /** Puts messages of one chat before everything that the phone has; returns them oldest first. */
  async add(
    chat: string | { readonly jid: string },
    messages: readonly PastMessage[],
  ): Promise<PhoneMessage[]> {
    const jid = jidOf(chat);
    // The book must know both names of a person, as a phone knows its contacts.
    if (!jid.endsWith('@g.us')) await this.#book.lid(jid);
    const added: PhoneMessage[] = [];
    for (const past of [...messages].sort((a, b) => a.timestamp - b.timestamp)) {
      const author = past.fromMe ? this.#self.jid : jidOf(past.from ?? jid);
      if (!past.fromMe) await this.#book.lid(author);
      added.push(
        describe({
          id: past.id ?? newMessageId(),
          chat: this.#book.canonical(jid),
          from: this.#book.canonical(author),
          fromDevice: author,
          fromMe: past.fromMe === true,
          timestamp: past.timestamp,
          message: past.message ?? { conversation: past.text ?? '' },
          ...(past.pushName === undefined ? {} : { pushName: past.pushName }),
        }),
      );
    }
    this.#inbox.addPast(added);
    return added;
  }

  /** How a chat stands in the phone's list. It is told with the messages that the chat has. */
  async show(chat: string | { readonly jid: string }, shown: PastChat): Promise<void> {
    const jid = jidOf(chat);
    if (!jid.endsWith('@g.us')) await this.#book.lid(jid);
    this.#chats.set(this.#book.canonical(jid), shown);
  }

  /** Who was in a group. It is told under LIDs, as groups name people, when a companion is linked. */
  async left(group: string | { readonly jid: string }, members: readonly PastMember[]): Promise<void> {
    for (const { person } of members) await this.#book.lid(jidOf(person));
    this.#members.set(jidOf(group), members);
  }

  /** Which numbers the LIDs of past members have. */
  pastNames(): proto.IPhoneNumberToLIDMapping[] {
    return [...this.#members.values()].flat().flatMap(({ person, known = true }) => {
      const pnJid = jidOf(person);
      const lidJid = known ? this.#book.knownLid(pnJid) : undefined;
      return lidJid === undefined ? [] : [{ pnJid, lidJid }];
    });
  }

  pastParticipants(): proto.IPastParticipants[] {
    const { LEFT, REMOVED } = LeaveReason;
    return [...this.#members].map(([groupJid, members]) => ({
      groupJid,
      pastParticipants: members.map(({ person, removed, at }) => ({
        userJid: this.#book.knownLid(jidOf(person)) ?? jidOf(person),
        leaveReason: removed ? REMOVED : LEFT,
        ...(at === undefined ? {} : { leaveTs: at }),
      })),
    }));
  }

  /** What `show` was told of the chat, as history has it. */
  conversation(chat: string): proto.IConversation {
    const { name, unread, markedUnread, archived, pinned, mutedUntil } = this.#chats.get(chat) ?? {};
    return {
      ...(name === undefined ? {} : { name }),
      ...(unread === undefined ? {} : { unreadCount: unread }),
      ...(markedUnread ? { markedAsUnread: true } : {}),
      ...(archived ? { archived } : {}),
      ...(pinned ? { pinned: Math.floor(Date.now() / 1000) } : {}),
      ...(mutedUntil === undefined ? {} : { muteEndTime: mutedUntil }),
    };
  }

  /** So many texts, by turns of both sides, a minute apart and ending at `until` (unix seconds, default a day ago). */
  fill(chat: string | { readonly jid: string }, count: number, until?: number): Promise<PhoneMessage[]> {
    const end = until ?? Math.floor(Date.now() / 1000) - 86_400;
    const messages = Array.from({ length: count }, (_, index) => ({
      fromMe: index % 2 === 1,
      text: `message ${index + 1} of ${count}`,
      timestamp: end - (count - 1 - index) * STEP_S,
    }));
    return this.add(chat, messages);
  }
}

function jidOf(target: string | { readonly jid: string }): string {
  return toJid(typeof target === 'string' ? target : target.jid);
}
