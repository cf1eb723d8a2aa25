import {
  type BinaryNode,
  encodeBigEndian,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type proto,
} from 'baileys';
import { type AddressBook, toJid } from './address-book.ts';
import type { PhoneConnection } from './connection.ts';
import { describe, type Inbox, type PhoneMessage, type StanzaFacts } from './inbox.ts';
import { kindOf } from './message-content.ts';
import type { ReceiptPolicy, Receipts } from './receipts.ts';
import { votesIn } from './sealed/poll-votes.ts';
import { openChange, sealedTarget } from './sealed/sealed-changes.ts';
import { isList, type PhoneIdentity } from './sending.ts';
import type { SignalClient } from './signal.ts';

/** Clients stop asking after five retries (Baileys maxMsgRetryCount, whatsmeow retry.go). */
const MAX_RETRIES = 5;

export interface ReceiverParts {
  readonly connection: PhoneConnection;
  readonly signal: SignalClient;
  readonly book: AddressBook;
  readonly inbox: Inbox;
  readonly receipts: Receipts;
  readonly policy: ReceiptPolicy;
  /** Called with every new message of a person, after it is in the inbox. */
  onMessage(message: PhoneMessage): void;
  /** Called with a peer message from an own companion; must not hold up the stanzas behind it. */
  onPeerMessage(message: proto.IMessage, device: string, id: string): void;
}

/** Decrypts incoming messages, answers with receipts, and asks again for what it cannot read. */
export class Receiver {
  readonly #self: PhoneIdentity;
  readonly #parts: ReceiverParts;
  readonly #retries = new Map<string, number>();

  constructor(self: PhoneIdentity, parts: ReceiverParts) {
    this.#self = self;
    this.#parts = parts;
  }

  async take(node: BinaryNode): Promise<void> {
    const { book, connection, inbox, receipts, policy } = this.#parts;
    const { attrs } = node;
    const id = attrs.id ?? '';
    const author = attrs.participant ?? attrs.from ?? '';
    this.#learn(node, author);
    const authorLid = await book.lid(author);
    const fromMe = toJid(authorLid) === this.#self.lid;
    const from = book.canonical(author);
    if (inbox.has(from, id)) {
      // A redelivery of what was read before: taken again without decrypting.
      this.#confirm(node, fromMe);
      return;
    }
    let message: proto.IMessage | undefined;
    try {
      message = await this.#decrypt(node, authorLid);
    } catch {
      await this.#askAgain(node);
      if (fromMe) receipts.delivered(node, fromMe);
      connection.acknowledge(node);
      return;
    }
    if (attrs.category === 'peer') {
      receipts.delivered(node, fromMe);
      if (message) this.#parts.onPeerMessage(message, author, id);
      return;
    }
    this.#confirm(node, fromMe);
    if (!message || isOnlyKey(message)) return;
    const sentByCompanion = message.deviceSentMessage;
    const content = this.#opened(sentByCompanion?.message ?? message, authorLid);
    const list = !fromMe && isList(attrs.from ?? '') ? attrs.from : undefined;
    const chat = list === undefined ? this.#chat(node, sentByCompanion?.destinationJid) : from;
    const votes = kindOf(content) === 'poll_vote' ? this.#votes(content, authorLid) : undefined;
    const resent = getBinaryNodeChildren(node, 'enc').some((enc) => enc.attrs.count !== undefined);
    const stored = describe({
      id,
      chat,
      ...(list === undefined ? {} : { list }),
      from,
      fromDevice: author,
      fromMe,
      timestamp: Number(attrs.t ?? 0),
      message: content,
      stanza: factsOf(node),
      ...(attrs.notify === undefined ? {} : { pushName: attrs.notify }),
      ...(votes === undefined ? {} : { votes }),
      ...(resent ? { resent } : {}),
    });
    if (!inbox.addReceived(stored)) return;
    this.#parts.onMessage(stored);
    if (policy.read === 'auto' && !fromMe) {
      receipts.mark(
        'read',
        attrs.participant === undefined ? toJid(author) : (attrs.from ?? ''),
        [id],
        attrs.participant,
      );
    }
  }

  /** The sender's other address travels with the stanza (whatsmeow message.go parseMessageSource). */
  #learn(node: BinaryNode, author: string): void {
    const { book } = this.#parts;
    const { attrs } = node;
    const pn = attrs.participant_pn ?? attrs.sender_pn;
    const lid = attrs.participant_lid ?? attrs.sender_lid;
    book.learn(pn ?? author, lid ?? author);
    if (attrs.recipient !== undefined) {
      book.learn(
        attrs.peer_recipient_pn ?? attrs.recipient_pn ?? attrs.recipient,
        attrs.peer_recipient_lid ?? attrs.recipient_lid ?? attrs.recipient,
      );
    }
  }

  #chat(node: BinaryNode, destination: string | null | undefined): string {
    const { from = '', recipient } = node.attrs;
    if (from.endsWith('@g.us') || from.endsWith('@broadcast')) return from;
    return this.#parts.book.canonical(recipient ?? destination ?? from);
  }

  /** Throws when any `<enc>` of the stanza cannot be decrypted. */
  async #decrypt(node: BinaryNode, authorLid: string): Promise<proto.IMessage | undefined> {
    const { signal } = this.#parts;
    let message: proto.IMessage | undefined;
    for (const enc of getBinaryNodeChildren(node, 'enc')) {
      if (!(enc.content instanceof Uint8Array)) throw new Error('an <enc> without bytes');
      const { type } = enc.attrs;
      let part: proto.IMessage;
      if (type === 'skmsg') {
        part = await signal.decryptFromGroup(node.attrs.from ?? '', authorLid, enc.content);
      } else if (type === 'pkmsg' || type === 'msg') {
        part = await signal.decrypt(authorLid, type, enc.content);
      } else {
        throw new Error(`unknown <enc> type ${type ?? ''}`);
      }
      const key = part.senderKeyDistributionMessage;
      if (key) await signal.takeDistribution(authorLid, key);
      message = message ? { ...message, ...part } : part;
    }
    return message;
  }

  #votes(content: proto.IMessage, voterLid: string): readonly string[] | undefined {
    const { inbox } = this.#parts;
    const id = content.pollUpdateMessage?.pollCreationMessageKey?.id;
    const poll = id == null ? undefined : inbox.find(id);
    if (!poll) return undefined;
    return votesIn(content, poll, this.#addresses(poll.from), this.#addresses(voterLid));
  }

  /** A sealed edit, reaction or comment as if it were open, when its message is here; all else as it is. */
  #opened(content: proto.IMessage, writerLid: string): proto.IMessage {
    const id = sealedTarget(content);
    const about = id === undefined ? undefined : this.#parts.inbox.find(id);
    if (!about) return content;
    return openChange(content, about, this.#addresses(about.from), this.#addresses(writerLid)) ?? content;
  }

  #addresses(jid: string): string[] {
    const { book } = this.#parts;
    const lid = book.knownLid(jid);
    return lid === undefined ? [toJid(jid)] : [toJid(lid), book.canonical(lid)];
  }

  #confirm(node: BinaryNode, fromMe: boolean): void {
    const { connection, receipts, policy } = this.#parts;
    // An own message is taken by its receipt alone.
    if (policy.delivered || fromMe) receipts.delivered(node, fromMe);
    // A real client acknowledges the stanza as well (whatsmeow message.go handleEncryptedMessage).
    connection.acknowledge(node);
  }

  /** The retry receipt (Baileys sendRetryRequest, whatsmeow retry.go sendRetryReceipt). */
  async #askAgain(node: BinaryNode): Promise<void> {
    const { connection, signal } = this.#parts;
    const { id = '', from = '', t = '', participant, recipient } = node.attrs;
    const key = `${participant ?? from} ${id}`;
    const count = (this.#retries.get(key) ?? 0) + 1;
    if (count > MAX_RETRIES) return;
    this.#retries.set(key, count);
    const content: BinaryNode[] = [
      { tag: 'retry', attrs: { count: String(count), id, t, v: '1', error: '0' } },
      { tag: 'registration', attrs: {}, content: encodeBigEndian(signal.registrationId) },
    ];
    // The first request of a pre-key message means that the sender used keys this phone does not have.
    const preKeyMessage = getBinaryNodeChild(node, 'enc')?.attrs.type === 'pkmsg';
    if (count > 1 || preKeyMessage) content.push(await signal.retryKeys());
    connection.send({
      tag: 'receipt',
      attrs: {
        id,
        to: from,
        type: 'retry',
        ...(participant === undefined ? {} : { participant }),
        ...(recipient === undefined ? {} : { recipient }),
      },
      content,
    });
  }
}

/** A stanza that only carried a sender key: nothing to show. */
function isOnlyKey(message: proto.IMessage): boolean {
  const { senderKeyDistributionMessage: _key, messageContextInfo: _info, ...rest } = message;
  return Object.values(rest).every((value) => value === null || value === undefined);
}

const SECRET_NODES = new Set(['enc', 'device-identity', 'tctoken', 'reporting']);

function factsOf({ attrs, content }: BinaryNode): StanzaFacts {
  const children = Array.isArray(content) ? content : [];
  const [mediaType] = children.flatMap(({ tag, attrs }) => (tag === 'enc' ? (attrs.mediatype ?? []) : []));
  return {
    type: attrs.type ?? '',
    ...(attrs.edit === undefined ? {} : { edit: attrs.edit }),
    ...(mediaType === undefined ? {} : { mediaType }),
    nodes: children.filter(({ tag }) => !SECRET_NODES.has(tag)),
  };
}
