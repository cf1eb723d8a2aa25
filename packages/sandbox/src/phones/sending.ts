import { randomBytes } from 'node:crypto';
import { type BinaryNode, getBinaryNodeChild, type proto } from 'baileys';
import {
  type AddressBook,
  type Addressing,
  deviceOf,
  toJid,
  type UserDevices,
  withDevice,
} from './address-book.ts';
import { corruptCiphertexts, editAttrs, encAttrs } from './ciphertexts.ts';
import type { PhoneConnection } from './connection.ts';
import type { GroupClient } from './groups.ts';
import { describe, type Inbox } from './inbox.ts';
import { stanzaType, withContext } from './message-content.ts';
import type { SignalClient } from './signal.ts';

/** The chat of stories. */
export const STORIES = 'status@broadcast';

/** Chats that are written to with one key for all: groups, and the chat of stories. */
function sharesKey(chat: string): boolean {
  return chat.endsWith('@g.us') || chat === STORIES;
}

/** A broadcast list: each member gets the message apart, in the chat with its owner. */
export function isList(chat: string): boolean {
  return chat.endsWith('@broadcast') && chat !== STORIES;
}

/** Who the phone is. */
export interface PhoneIdentity {
  readonly number: string;
  /** `…@s.whatsapp.net` */
  readonly jid: string;
  /** `…@lid`; the number's JID of an account without a LID. */
  readonly lid: string;
  readonly name: string;
}

export interface SendOptions {
  /** Message id; a random one of the Android shape when left out. */
  id?: string;
  /** How a 1:1 chat is addressed on the wire. Default `lid`, as current clients do. */
  addressing?: Addressing;
  /**
   * Sends ciphertexts that nobody can open, as after a lost session; receivers ask for the message again
   * and then get it whole. `companions`: only those for companions, in a chat of two. Default false.
   */
  corrupt?: boolean | 'companions';
  /** Of a story: the JIDs of those who are to see it; of a message to a group: the members whom it is for alone. */
  audience?: readonly string[];
}

export interface SentMessage {
  readonly id: string;
  /** Bare JID of the chat, phone number where it is known. */
  readonly chat: string;
  /** Unix seconds from the server's ack. */
  readonly timestamp: number;
}

interface SentRecord {
  /** What `to` of the stanza said. */
  readonly to: string;
  readonly message: proto.IMessage;
  /** Bare LIDs of the users whose devices it was meant for, our own account included. */
  readonly recipients: ReadonlySet<string>;
}

/** whatsmeow retry.go recreateSessionTimeout */
const NEW_SESSION_EVERY_MS = 60 * 60_000;

/** Android clients use 32 upper-case hex digits. */
export function newMessageId(): string {
  return `AC${randomBytes(15).toString('hex').toUpperCase()}`;
}

/** Encrypts messages for every device concerned and sends them; sends again to devices that ask. */
export class Sender {
  readonly #self: PhoneIdentity;
  readonly #connection: PhoneConnection;
  readonly #signal: SignalClient;
  readonly #book: AddressBook;
  readonly #groups: GroupClient;
  readonly #inbox: Inbox;
  readonly #sent = new Map<string, SentRecord>();
  /** Members by list; a phone names a list by when it was made. */
  readonly #lists = new Map<string, readonly string[]>();
  /** Devices that hold the own sender key, by group. */
  readonly #keyHolders = new Map<string, Set<string>>();
  /** When a device that asked without keys last got a new session. */
  readonly #begunAnew = new Map<string, number>();
  #turn: Promise<void> = Promise.resolve();
  /** False: retry receipts are taken and not answered, as by a phone that lost the message. */
  answersRetries = true;

  constructor(
    self: PhoneIdentity,
    parts: {
      connection: PhoneConnection;
      signal: SignalClient;
      book: AddressBook;
      groups: GroupClient;
      inbox: Inbox;
    },
  ) {
    this.#self = self;
    this.#connection = parts.connection;
    this.#signal = parts.signal;
    this.#book = parts.book;
    this.#groups = parts.groups;
    this.#inbox = parts.inbox;
  }

  /** Makes a broadcast list of these JIDs; gives its own, which no server knows. */
  makeList(members: readonly string[]): string {
    const jid = `${Math.floor(Date.now() / 1000) + this.#lists.size}@broadcast`;
    this.#lists.set(jid, members);
    return jid;
  }

  /**
   * Sends to a user, a group or a list of this phone's own and resolves at the server's ack; a refusal rejects with `StanzaError`. `shown`: what this
   * phone keeps of it, where that is another form.
   */
  async send(
    to: string,
    content: proto.IMessage,
    options: SendOptions & { shown?: proto.IMessage } = {},
  ): Promise<SentMessage> {
    // A session that a message just opened must be used, not crossed by one of our own.
    await this.#connection.caughtUp();
    const id = options.id ?? newMessageId();
    const message = withContext(content);
    const shared = sharesKey(to);
    const wireTo = shared || isList(to) ? to : await this.#wireAddress(to, options.addressing ?? 'lid');
    const ack = await this.#submit(async () => {
      const payload = await this.#payload(wireTo, message, options.audience);
      this.#sent.set(id, { to: wireTo, message, recipients: payload.recipients });
      if (options.corrupt) corruptCiphertexts(payload.content, options.corrupt);
      return {
        tag: 'message',
        attrs: { to: wireTo, id, type: stanzaType(message), ...payload.attrs, ...editAttrs(message) },
        content: payload.content,
      };
    });
    const timestamp = Number(ack.attrs.t ?? Math.floor(Date.now() / 1000));
    const chat = this.#book.canonical(wireTo);
    this.#inbox.addSent(
      describe({
        id,
        chat,
        from: this.#self.jid,
        fromDevice: this.#self.lid,
        fromMe: true,
        timestamp,
        message: options.shown ?? message,
      }),
    );
    return { id, chat, timestamp };
  }

  /** Sends a peer message to one own companion (category `peer`: history sync, app-state keys). */
  async sendPeer(device: number, message: proto.IMessage): Promise<string> {
    const id = newMessageId();
    const target = withDevice(this.#self.lid, device);
    await this.#submit(async () => ({
      tag: 'message',
      attrs: {
        to: withDevice(this.#self.jid, device),
        id,
        type: 'text',
        category: 'peer',
        push_priority: 'high_force',
      },
      content: [await this.#encrypt(target, message)],
    }));
    return id;
  }

  /**
   * Answers a `<receipt type="retry">` with the message, for that device alone. Whoever was no recipient of it, or
   * asks in another chat, gets nothing and touches no session: clients look a message up by its chat and id
   * (whatsmeow retry.go getMessageForRetry).
   */
  async sendAgain(receipt: BinaryNode): Promise<void> {
    const record = this.#sent.get(receipt.attrs.id ?? '');
    const { from, participant } = receipt.attrs;
    const asking = participant ?? from;
    if (!record || asking === undefined || !this.answersRetries) return;
    const ofMany = sharesKey(record.to) || isList(record.to);
    if (ofMany ? from !== record.to : participant !== undefined) return;
    const target = await this.#book.lid(asking);
    if (!record.recipients.has(toJid(target))) return;
    await this.#submit(() => this.#resend(receipt, record, { jid: asking, lid: target }));
  }

  /** `asking`: the device as the receipt names it, and by LID. */
  async #resend(
    receipt: BinaryNode,
    record: SentRecord,
    asking: { jid: string; lid: string },
  ): Promise<BinaryNode> {
    const target = asking.lid;
    const { count = '1' } = getBinaryNodeChild(receipt, 'retry')?.attrs ?? {};
    if (!(await this.#signal.takeRetryBundle(target, receipt)) && this.#beginsAnew(target, Number(count))) {
      await this.#fetchBundles([target]);
    }
    const shared = sharesKey(record.to);
    const ofMany = shared || isList(record.to);
    const toCompanion = toJid(target) === this.#self.lid && !shared;
    let message = toCompanion ? this.#deviceSent(record) : record.message;
    if (shared) {
      const key = await this.#signal.distribution(record.to, this.#self.lid);
      message = { ...message, senderKeyDistributionMessage: key };
    }
    const enc = await this.#encrypt(target, message);
    enc.attrs.count = count;
    return {
      tag: 'message',
      attrs: {
        ...(ofMany ? { to: record.to, participant: asking.jid } : { to: asking.jid, device_fanout: 'false' }),
        ...(toCompanion && !ofMany ? { recipient: record.to } : {}),
        id: receipt.attrs.id ?? '',
        type: stanzaType(record.message),
        ...editAttrs(record.message),
      },
      content: [enc],
    };
  }

  /**
   * Who asks without keys gets the message in the session that there is, and in a new one from the second request
   * on, once an hour (whatsmeow retry.go shouldRecreateSession).
   */
  #beginsAnew(device: string, count: number): boolean {
    const now = Date.now();
    if (count < 2 || now - (this.#begunAnew.get(device) ?? 0) < NEW_SESSION_EVERY_MS) return false;
    this.#begunAnew.set(device, now);
    return true;
  }

  /** A member left: the next message to the group uses a new sender key. */
  async membersLeft(group: string): Promise<void> {
    if (!this.#keyHolders.delete(group)) return;
    await this.#signal.rotateSenderKey(group, this.#self.lid);
  }

  /**
   * Builds and sends one message at a time, so that two sends never fetch a bundle for the same new device
   * twice and stanzas leave in the order they were asked for; the ack is awaited outside.
   */
  async #submit(build: () => Promise<BinaryNode>): Promise<BinaryNode> {
    const sent = this.#turn.then(async () => ({ ack: this.#connection.sendMessage(await build()) }));
    this.#turn = sent.then(
      () => undefined,
      () => undefined,
    );
    return (await sent).ack;
  }

  async #wireAddress(to: string, addressing: Addressing): Promise<string> {
    const bare = toJid(to);
    if (addressing === 'lid') return toJid(await this.#book.lid(bare));
    const pn = this.#book.canonical(bare);
    if (!pn.endsWith('@s.whatsapp.net')) throw new Error(`the phone number of ${bare} is not known`);
    return pn;
  }

  #payload(to: string, message: proto.IMessage, audience?: readonly string[]) {
    if (isList(to)) return this.#listPayload(to, message);
    if (!sharesKey(to)) return this.#directPayload(to, message);
    if (audience && to !== STORIES) return this.#memberPayload(to, message, audience);
    return this.#sharedPayload(to, message, audience);
  }

  #deviceSent(record: Pick<SentRecord, 'to' | 'message'>): proto.IMessage {
    return {
      deviceSentMessage: { destinationJid: record.to, message: record.message },
      messageContextInfo: record.message.messageContextInfo ?? null,
    };
  }

  async #directPayload(to: string, message: proto.IMessage) {
    const ownAddress = to.endsWith('@lid') ? this.#self.lid : this.#self.jid;
    const users = await this.#book.devices([...new Set([to, ownAddress])]);
    const { others, own } = this.#devicesOf(users);
    if (others.length === 0 && to !== ownAddress) throw new Error(`${to} has no devices`);
    const participants = [
      ...(await this.#encryptAll(others, message, to)),
      ...(await this.#encryptAll(own, this.#deviceSent({ to, message }), ownAddress)),
    ];
    return {
      attrs: {},
      content: [{ tag: 'participants', attrs: {}, content: participants }],
      recipients: new Set(users.map(({ lid }) => lid)),
    };
  }

  /** Devices of others, and our own beside this phone. */
  #devicesOf(users: readonly UserDevices[]): { others: string[]; own: string[] } {
    const devices = users.flatMap((user) => user.devices.map((device) => withDevice(user.lid, device)));
    const isOwn = (device: string): boolean => toJid(device) === this.#self.lid;
    const own = devices.filter((device) => isOwn(device) && device !== this.#self.lid);
    return { others: devices.filter((device) => !isOwn(device)), own };
  }

  /** To each device of the members apart, without a key for all (Cobalt MessageSenderService sendBroadcastMessage). */
  #listPayload(list: string, message: proto.IMessage) {
    const members = this.#lists.get(list) ?? [];
    return this.#apart(members, message, this.#deviceSent({ to: list, message }));
  }

  /** To some members of a group: to each of their devices apart (zapo publishGroupDirectMessage). */
  async #memberPayload(group: string, message: proto.IMessage, members: readonly string[]) {
    const { addressing } = await this.#groups.metadata(group);
    return { ...(await this.#apart(members, message)), attrs: { addressing_mode: addressing } };
  }

  /** A ciphertext for each device of these people, and `copy` for each of our own. */
  async #apart(people: readonly string[], message: proto.IMessage, copy = message) {
    const users = await this.#book.devices([...(await this.#lids(people)), this.#self.lid]);
    const { others, own } = this.#devicesOf(users);
    const participants = [
      ...(await this.#encryptAll(others, message, this.#self.lid)),
      ...(await this.#encryptAll(own, copy, this.#self.lid)),
    ];
    return {
      attrs: {},
      content: [{ tag: 'participants', attrs: {}, content: participants }],
      recipients: new Set(users.map(({ lid }) => lid)),
    };
  }

  /** To a group, or as a story, whose key is told to all of its audience each time (whatsmeow send.go sendGroup). */
  async #sharedPayload(group: string, message: proto.IMessage, audience: readonly string[] = []) {
    const { members, addressing } =
      group === STORIES
        ? { members: await this.#lids(audience), addressing: 'lid' as const }
        : await this.#groups.metadata(group);
    const users = await this.#book.devices([...members, this.#self.lid]);
    const devices = users.flatMap((user) => user.devices.map((device) => withDevice(user.lid, device)));
    const { ciphertext, distribution } = await this.#signal.encryptForGroup(group, this.#self.lid, message);
    const holders = (group === STORIES ? undefined : this.#keyHolders.get(group)) ?? new Set<string>();
    const missing = devices.filter((device) => device !== this.#self.lid && !holders.has(device));
    const participants = await this.#encryptAll(missing, distribution, this.#self.lid);
    for (const device of missing) holders.add(device);
    this.#keyHolders.set(group, holders);
    const content: BinaryNode[] = [];
    if (participants.length > 0) content.push({ tag: 'participants', attrs: {}, content: participants });
    content.push({ tag: 'enc', attrs: encAttrs('skmsg', message), content: ciphertext });
    const recipients = new Set(users.map(({ lid }) => lid));
    return { attrs: group === STORIES ? {} : { addressing_mode: addressing }, content, recipients };
  }

  #lids(people: readonly string[]): Promise<string[]> {
    return Promise.all(people.map(async (jid) => toJid(await this.#book.lid(jid))));
  }

  /** `<to>` nodes for devices given by LID; `like` says which addressing the stanza uses for them. */
  async #encryptAll(deviceLids: readonly string[], message: proto.IMessage, like: string) {
    const without: string[] = [];
    for (const device of deviceLids) if (!(await this.#signal.hasSession(device))) without.push(device);
    if (without.length > 0) await this.#fetchBundles(without);
    const nodes: BinaryNode[] = [];
    for (const device of deviceLids) {
      // A device the server had no bundle for is left out, as clients do.
      if (!(await this.#signal.hasSession(device))) continue;
      const jid = like.endsWith('@lid') ? device : withDevice(this.#book.canonical(device), deviceOf(device));
      nodes.push({ tag: 'to', attrs: { jid }, content: [await this.#encrypt(device, message)] });
    }
    return nodes;
  }

  async #encrypt(deviceLid: string, message: proto.IMessage): Promise<BinaryNode> {
    if (!(await this.#signal.hasSession(deviceLid))) await this.#fetchBundles([deviceLid]);
    const { type, ciphertext } = await this.#signal.encrypt(deviceLid, message);
    const shown = message.deviceSentMessage?.message ?? message;
    return { tag: 'enc', attrs: encAttrs(type, shown), content: ciphertext };
  }

  /** Encrypts any bytes for one device, by its LID, as if they were a message. */
  async encryptBytes(deviceLid: string, plaintext: Uint8Array): Promise<BinaryNode> {
    if (!(await this.#signal.hasSession(deviceLid))) await this.#fetchBundles([deviceLid]);
    const { type, ciphertext } = await this.#signal.encryptBytes(deviceLid, plaintext);
    return { tag: 'enc', attrs: { v: '2', type }, content: ciphertext };
  }

  async #fetchBundles(deviceLids: readonly string[]): Promise<void> {
    const answer = await this.#connection.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'encrypt' },
      content: [
        { tag: 'key', attrs: {}, content: deviceLids.map((jid) => ({ tag: 'user', attrs: { jid } })) },
      ],
    });
    await this.#signal.takeBundles(answer);
  }
}
