import { randomBytes } from 'node:crypto';
import { type BinaryNode, proto } from 'baileys';
import { type AddressBook, withDevice } from './address-book.ts';
import type { GroupClient } from './groups.ts';
import { describe, type Inbox, type PhoneMessage } from './inbox.ts';
import type { PhoneHost } from './linking/host.ts';
import { sealAnswer } from './sealed/message-secret.ts';
import { newMessageId, type PhoneIdentity, type Sender, type SentMessage } from './sending.ts';

/** Meta AI (whatsmeow types/jid.go `NewMetaAIJID`). */
export const META_AI = '867051314767696@bot';

export interface AnswerOptions {
  /** Message id of this stanza; a random one when left out. */
  readonly id?: string;
  /** A further piece of an answer that has begun: its id. What is given is the whole answer by now. */
  readonly pieceOf?: string;
  /** The last piece. */
  readonly last?: boolean;
  /** The author of the question is not named, as long as it was the account itself. Default false. */
  readonly unnamed?: boolean;
  /** Under which JID the assistant writes. */
  readonly from?: string;
  /** Seals it under another secret than that of the question: nobody can open it. */
  readonly forged?: boolean;
}

/**
 * Meta AI as companions see it: what their phone asks, and what is answered. No device of this network is its own: its
 * stanzas are put where the server puts them, in the queues of the companions.
 */
export class AssistantClient {
  readonly #self: PhoneIdentity;
  readonly #parts: {
    readonly host: PhoneHost;
    readonly book: AddressBook;
    readonly sender: Sender;
    readonly inbox: Inbox;
    readonly groups: GroupClient;
  };

  constructor(
    self: PhoneIdentity,
    parts: { host: PhoneHost; book: AddressBook; sender: Sender; inbox: Inbox; groups: GroupClient },
  ) {
    this.#self = self;
    this.#parts = parts;
  }

  /** Asks in the chat with the assistant. `told: false`: the copy for companions is lost. */
  async ask(text: string, { told = true }: { told?: boolean } = {}): Promise<SentMessage> {
    const { inbox } = this.#parts;
    const id = newMessageId();
    const message: proto.IMessage = {
      conversation: text,
      messageContextInfo: { deviceListMetadataVersion: 2, messageSecret: randomBytes(32) },
    };
    const timestamp = Math.floor(Date.now() / 1000);
    const { jid: from, lid: fromDevice } = this.#self;
    inbox.addSent(describe({ id, chat: META_AI, from, fromDevice, fromMe: true, timestamp, message }));
    if (told) await this.tell(id);
    return { id, chat: META_AI, timestamp };
  }

  /** The companions get their copy of a question. */
  async tell(question: string): Promise<void> {
    const { host, sender } = this.#parts;
    const { id, message, timestamp } = this.#question(question);
    const copy = {
      deviceSentMessage: { destinationJid: META_AI, message },
      // whatsmeow looks for the secret here alone (message.go storeMessageSecret).
      messageContextInfo: message.messageContextInfo ?? null,
    };
    const padded = Buffer.concat([proto.Message.encode(copy).finish(), Buffer.from([1])]);
    for (const device of await this.#companions([this.#self.lid])) {
      const enc = await sender.encryptBytes(device, padded);
      const attrs = { from: this.#self.lid, recipient: META_AI, id, type: 'text', t: String(timestamp) };
      host.inject(device, { tag: 'message', attrs, content: [enc] });
    }
  }

  /** The assistant answers a message that this phone sent or got, to the companions in its chat. Gives the id of the stanza. */
  async answer(
    question: string,
    said: string | proto.IMessage,
    { id = newMessageId(), pieceOf, last = false, ...options }: AnswerOptions = {},
  ): Promise<string> {
    const { host, groups } = this.#parts;
    const writer = options.from ?? META_AI;
    const { chat, message, fromMe, fromDevice } = this.#question(question);
    const isGroup = chat.endsWith('@g.us');
    const author = fromMe ? this.#self.lid : withDevice(fromDevice, 0);
    const plain = proto.Message.encode(typeof said === 'string' ? { conversation: said } : said).finish();
    const asked = options.forged ? { messageContextInfo: { messageSecret: randomBytes(32) } } : message;
    const sealed = sealAnswer({ id: pieceOf ?? id, message: asked, author, writer }, plain);
    const part = {
      edit: last ? 'last' : 'inner',
      edit_target_id: pieceOf ?? '',
      sender_timestamp_ms: String(Date.now()),
    };
    const named: Record<string, string> = options.unnamed ? {} : { target_sender_jid: author };
    const content: BinaryNode[] = [
      { tag: 'meta', attrs: { target_id: question, ...named } },
      { tag: 'bot', attrs: pieceOf === undefined ? { edit: last ? 'full' : 'first' } : part },
      {
        tag: 'enc',
        attrs: { v: '2', type: 'msmsg' },
        content: proto.MessageSecretMessage.encode({ version: 1, ...sealed }).finish(),
      },
    ];
    const from = isGroup ? { from: chat, participant: writer, addressing_mode: 'lid' } : { from: writer };
    const t = String(Math.floor(Date.now() / 1000));
    const members = isGroup ? (await groups.metadata(chat)).members : [this.#self.lid];
    for (const device of await this.#companions(members)) {
      host.inject(device, { tag: 'message', attrs: { ...from, id, type: 'text', t }, content });
    }
    return id;
  }

  #question(id: string): PhoneMessage {
    const found = this.#parts.inbox.find(id);
    if (!found) throw new Error(`this phone has no message ${id}`);
    return found;
  }

  async #companions(people: readonly string[]): Promise<string[]> {
    const users = await this.#parts.book.devices(people);
    return users.flatMap(({ lid, devices }) =>
      devices.filter((device) => device !== 0).map((device) => withDevice(lid, device)),
    );
  }
}
