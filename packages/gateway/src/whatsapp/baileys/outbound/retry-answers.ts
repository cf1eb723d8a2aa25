import { LRUCache } from 'lru-cache';
import { type Identity, sameIdentity } from '../../port/identity.ts';
import { STORIES } from '../../port/stories.ts';
import { checkBundle } from '../connection/checked-signatures.ts';
import type { Link } from '../connection/link.ts';
import { takeListeners } from '../connection/taken-listeners.ts';
import {
  type BinaryNode,
  extractE2ESessionFromRetryReceipt,
  type GroupMetadata,
  getBinaryNodeChild,
  isJidGroup,
  isLidUser,
  isPnUser,
  jidDecode,
  jidNormalizedUser,
  proto,
  type Socket,
} from '../library.ts';
import { decodeProtobuf } from '../parse/bounded-protobuf.ts';
import { identity, isOwn } from '../parse/message-source.ts';
import type { GroupCache } from './group-cache.ts';
import { type Resending, sendAgain, sharesSenderKey } from './resending.ts';

/** A tenth request of one device for one message is dropped (whatsmeow retry.go handleRetryReceipt). */
const MOST_ANSWERS = 9;
/** Clients ask five times (Baileys `maxMsgRetryCount`); a story has thousands of viewers, and each answer costs a turn. */
const MOST_STORY_ANSWERS = 5;
/** Who asks without keys gets a new session at most so often (whatsmeow retry.go recreateSessionTimeout). */
const NEW_SESSION_EVERY_MS = 60 * 60_000;
/** Counters that are kept. Only requests that are answered have one, so strangers drive none out. */
const MOST_COUNTERS = 10_000;

export interface RetryAnswersParts {
  link: Link;
  groups: GroupCache;
  /** Null for what was not sent to that chat, or stands no longer, and for a story that is not for the asker. */
  loadSentMessage(chat: Identity, messageId: string, asker: Identity): Promise<Uint8Array | null>;
}

/** A retry receipt, read. Of the messages that it lists one is meant: whatsmeow reads `<retry id>` alone. */
interface RetryRequest extends Omit<Resending, 'message'> {
  asker: Identity;
  chat: Identity;
}

/**
 * Answers `<receipt type="retry">`: a device that could not read a message of ours gets it once more.
 *
 * The library is not let near these stanzas. It looks a message up by what the receipt says, so that anybody
 * who names an id gets what was sent to somebody else; it takes as many ids as a receipt lists; and for a
 * primary phone it sends to the whole chat again (messages-recv.js sendMessagesAgain). Here as in whatsmeow
 * (retry.go handleRetryReceipt) one message goes to the one device that asked, if it was sent to it.
 */
export class RetryAnswers {
  readonly #parts: RetryAnswersParts;
  readonly #answers = new LRUCache<string, number>({ max: MOST_COUNTERS });
  readonly #newSessions = new LRUCache<string, number>({ max: MOST_COUNTERS });
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: RetryAnswersParts) {
    this.#parts = parts;
  }

  /** Takes the retry receipts from the library's listeners; all others go on to them. */
  attach(socket: Socket): void {
    const event = 'CB:receipt';
    const library = takeListeners(socket.ws, event);
    if (library.length === 0)
      throw new Error(`the library no longer listens to ${event}: see retry-answers.ts`);
    socket.ws.on(event, (node: BinaryNode) => {
      if (node.attrs.type === 'retry') this.#take(socket, node);
      else for (const listener of library) listener(node);
    });
  }

  /** One after the other: each may put a new session in the place of the old one. */
  #take(socket: Socket, stanza: BinaryNode): void {
    this.#turn = this.#turn.then(async () => {
      try {
        await this.#answer(socket, stanza);
      } catch (error) {
        this.#parts.link.warn('a retry receipt was not answered', error);
      }
      // On a connection that has ended it stays unacknowledged, and comes again.
      await socket.sendMessageAck(stanza).catch(() => undefined);
    });
  }

  async #answer(socket: Socket, stanza: BinaryNode): Promise<void> {
    const request = await this.#read(socket, stanza);
    if (!request) return;
    const { messageId, chat, device, asker } = request;
    const raw = await this.#parts.loadSentMessage(chat, messageId, asker);
    if (!raw || !(await this.#isRecipient(socket, request))) return;
    const key = JSON.stringify([nameOf(asker), jidDecode(device)?.device ?? 0, messageId]);
    const answers = (this.#answers.get(key) ?? 0) + 1;
    if (answers > (request.chatJid === STORIES ? MOST_STORY_ANSWERS : MOST_ANSWERS)) return;
    this.#answers.set(key, answers);
    await this.#prepareSession(socket, request);
    await sendAgain(socket, { ...request, message: decodeProtobuf(proto.Message, raw) });
  }

  /**
   * Who asks for what. In a group, and of a story, the asker is the `participant`; a device of ours names the
   * chat in `recipient`; for everybody else the chat is the asker, whatever the receipt says.
   */
  async #read(socket: Socket, receipt: BinaryNode): Promise<RetryRequest | null> {
    const { from = '', participant, recipient } = receipt.attrs;
    const retry = getBinaryNodeChild(receipt, 'retry');
    const messageId = retry?.attrs.id;
    if (!messageId) return null;
    const names = socket.signalRepository.lidMapping;
    const shared = sharesSenderKey(from);
    const device = shared ? (participant ?? '') : from;
    if (!isLidUser(device) && !isPnUser(device)) return null;
    const alt = shared
      ? (receipt.attrs.participant_pn ?? receipt.attrs.participant_lid)
      : (receipt.attrs.sender_pn ?? receipt.attrs.sender_lid);
    const asker = await identity(device, alt, names);
    const own = isOwn(asker, this.#parts.link.own());
    const chatJid = jidNormalizedUser(own && !shared ? recipient : from);
    if (!chatJid) return null;
    const chat = shared ? { jid: from, lid: null } : own ? await identity(chatJid, undefined, names) : asker;
    const count = Math.max(1, Math.trunc(Number(retry.attrs.count)) || 1);
    return { receipt, messageId, count, device, asker, own, chat, chatJid };
  }

  async #isRecipient(socket: Socket, { asker, own, chatJid }: RetryRequest): Promise<boolean> {
    if (own || !isJidGroup(chatJid)) return true;
    const { participants } = await this.#parts.groups.fetched(socket, chatJid);
    return participants.some((member) => sameIdentity(memberNames(member), asker));
  }

  /** A receipt brings keys from the second request on; without them the old session may do. */
  async #prepareSession(socket: Socket, { receipt, device, asker, count }: RetryRequest): Promise<void> {
    const keys = extractE2ESessionFromRetryReceipt(receipt);
    if (keys) {
      const { preKey, ...others } = keys;
      // Nothing is sent in the session that the receipt says cannot be read (whatsmeow retry.go handleRetryReceipt).
      checkBundle(others);
      const session = preKey ? { ...others, preKey } : others;
      return socket.signalRepository.injectE2ESession({ jid: device, session });
    }
    const key = JSON.stringify([nameOf(asker), jidDecode(device)?.device ?? 0]);
    const now = this.#parts.link.clock.now();
    const recent = now - (this.#newSessions.get(key) ?? 0) < NEW_SESSION_EVERY_MS;
    const anew = count > 1 && !recent;
    if (anew) this.#newSessions.set(key, now);
    await socket.assertSessions([device], anew);
  }
}

function memberNames({ id, phoneNumber, lid }: GroupMetadata['participants'][number]): Identity {
  const names = [id, phoneNumber, lid].filter((name) => name !== undefined).map(jidNormalizedUser);
  return { jid: names.find(isPnUser) ?? null, lid: names.find(isLidUser) ?? null };
}

function nameOf({ jid, lid }: Identity): string {
  return lid ?? jid ?? '';
}
