import type { proto } from 'baileys';
import { type AddressBook, type Addressing, toJid } from './address-book.ts';
import { type ChatTimers, timerSetting } from './chat-timers.ts';
import { type ContactInput, composeContact, composeLocation, type LocationInput } from './compose/cards.ts';
import {
  composeEdit,
  composeReaction,
  composeRevoke,
  messageKey,
  type TargetKey,
} from './compose/changes.ts';
import {
  type AudioInput,
  composeAudio,
  composeDocument,
  composeImage,
  composeSticker,
  composeVideo,
  type DocumentInput,
  type ImageInput,
  mediaFields,
  type StickerInput,
  type Uploaded,
  type VideoInput,
} from './compose/media.ts';
import { composePoll, type PollOptions } from './compose/poll.ts';
import { composeStickerPack, packStickers, type StickerPackInput } from './compose/sticker-pack.ts';
import { composeText } from './compose/text.ts';
import type { Inbox, PhoneMessage } from './inbox.ts';
import type { MediaClient } from './media/media-client.ts';
import { encryptMedia } from './media/media-crypto.ts';
import type { MediaRetry } from './media/media-retry.ts';
import type { MediaType } from './message-content.ts';
import type { SealedAbout } from './sealed/message-secret.ts';
import { encryptPollVote } from './sealed/poll-votes.ts';
import {
  sealComment,
  sealEdit,
  sealEventEdit,
  sealEventResponse,
  sealPollEdit,
  sealPollOption,
  sealReaction,
} from './sealed/sealed-changes.ts';
import { isList, type PhoneIdentity, type Sender, type SendOptions, type SentMessage } from './sending.ts';

/** A chat: a phone number, a user JID, or anything with a JID (a group, another phone). */
export type Recipient = string | { readonly jid: string };

/** A message by its id or as it was received or sent. */
export type MessageReference = string | { readonly id: string };

export interface TextSendOptions extends SendOptions {
  /** The message this one answers; it must be in this phone's inbox or sent by it. */
  quoted?: MessageReference;
  /** Phone numbers or JIDs mentioned in the text as `@digits`. */
  mentions?: readonly string[];
}

export interface SealableOptions extends SendOptions {
  /** Under the secret of the message that it speaks of: only who has that one can read it. Default false. */
  sealed?: boolean;
}

const EVENT_ANSWERS = { going: 1, not_going: 2, maybe: 3 } as const;

export interface MessageParts {
  readonly book: AddressBook;
  readonly inbox: Inbox;
  readonly sender: Sender;
  readonly media: MediaClient;
  readonly mediaRetry: MediaRetry;
  readonly timers: ChatTimers;
}

/** Everything a phone can send to a chat. Each method resolves at the server's ack, and rejects on a refusal. */
export class PhoneMessages {
  readonly #self: PhoneIdentity;
  readonly #parts: MessageParts;

  constructor(self: PhoneIdentity, parts: MessageParts) {
    this.#self = self;
    this.#parts = parts;
  }

  /** Whether retry receipts are answered by sending the message again. Default true. */
  get answersRetries(): boolean {
    return this.#parts.sender.answersRetries;
  }

  set answersRetries(answers: boolean) {
    this.#parts.sender.answersRetries = answers;
  }

  /** A broadcast list of this phone, to which every kind of message can be sent. */
  createBroadcastList(members: readonly Recipient[]): { readonly jid: string } {
    return { jid: this.#parts.sender.makeList(members.map(recipientJid)) };
  }

  /** Sends any message content; into a chat with a timer, with that. */
  async sendRaw(to: Recipient, content: proto.IMessage, options: SendOptions = {}): Promise<SentMessage> {
    const jid = recipientJid(to);
    const sent = await this.#parts.sender.send(jid, this.#parts.timers.timed(jid, content), options);
    this.#parts.mediaRetry.keep(sent.id, content);
    return sent;
  }

  /** Encrypts and uploads a file: the fields that name it, wherever in a message they go, for `sendRaw`. */
  async uploadMedia(type: MediaType, bytes: Uint8Array): Promise<ReturnType<typeof mediaFields>> {
    return mediaFields(await this.#upload(type, bytes));
  }

  /** Sets after how many seconds messages of a chat of two disappear; 0 switches it off. */
  async setChatTimer(to: Recipient, seconds: number, options: SendOptions = {}): Promise<SentMessage> {
    const timer = { seconds, setAt: Math.floor(Date.now() / 1000) };
    const sent = await this.sendRaw(to, timerSetting(timer), options);
    this.#parts.timers.set(recipientJid(to), timer);
    return sent;
  }

  async sendText(to: Recipient, text: string, options: TextSendOptions = {}): Promise<SentMessage> {
    const { quoted, mentions, ...rest } = options;
    const content = composeText(text, {
      ...(quoted === undefined ? {} : { quoted: this.#stored(quoted) }),
      ...(mentions === undefined ? {} : { mentions: mentions.map(toJid) }),
    });
    return this.sendRaw(to, content, rest);
  }

  /** A pack of stickers: one file under one key with the picture of the pack, which stands beside it. */
  async sendStickerPack(
    to: Recipient,
    pack: StickerPackInput,
    options: SendOptions = {},
  ): Promise<SentMessage> {
    const { media } = this.#parts;
    const packed = packStickers(pack);
    const { url: _, ...file } = await this.uploadMedia('sticker-pack', packed.zip);
    const cover = encryptMedia(pack.trayIcon, 'thumbnail-sticker-pack', file.mediaKey);
    const stored = await media.upload('thumbnail-sticker-pack', cover.ciphertext, cover.fileEncSha256);
    const thumbnail = {
      thumbnailDirectPath: stored.directPath,
      thumbnailSha256: cover.fileSha256,
      thumbnailEncSha256: cover.fileEncSha256,
    };
    return this.sendRaw(to, composeStickerPack(pack, packed, file, thumbnail), options);
  }

  async sendImage(to: Recipient, image: ImageInput, options: SendOptions = {}): Promise<SentMessage> {
    const content = await composeImage(image, await this.#upload('image', image.bytes));
    return this.sendRaw(to, content, options);
  }

  async sendVideo(to: Recipient, video: VideoInput, options: SendOptions = {}): Promise<SentMessage> {
    return this.sendRaw(to, composeVideo(video, await this.#upload('video', video.bytes)), options);
  }

  /** A voice message (push to talk); the bytes should be Ogg with Opus. */
  async sendVoice(to: Recipient, audio: AudioInput, options: SendOptions = {}): Promise<SentMessage> {
    return this.sendRaw(to, composeAudio(audio, await this.#upload('audio', audio.bytes), true), options);
  }

  async sendAudio(to: Recipient, audio: AudioInput, options: SendOptions = {}): Promise<SentMessage> {
    return this.sendRaw(to, composeAudio(audio, await this.#upload('audio', audio.bytes), false), options);
  }

  async sendDocument(to: Recipient, file: DocumentInput, options: SendOptions = {}): Promise<SentMessage> {
    return this.sendRaw(to, composeDocument(file, await this.#upload('document', file.bytes)), options);
  }

  async sendSticker(to: Recipient, sticker: StickerInput, options: SendOptions = {}): Promise<SentMessage> {
    const content = await composeSticker(sticker, await this.#upload('sticker', sticker.bytes));
    return this.sendRaw(to, content, options);
  }

  /** An empty emoji takes the reaction back. Sealed, as in announcement groups, the target must be known. */
  async sendReaction(
    to: Recipient,
    target: MessageReference,
    emoji: string,
    options: SealableOptions = {},
  ): Promise<SentMessage> {
    const key = await this.#key(to, target, options);
    const open = composeReaction(key, emoji);
    if (!options.sealed) return this.sendRaw(to, open, options);
    const about = await this.#sealedAbout(key, target, options);
    return this.#sendSealed(to, sealReaction(key, about, emoji), { ...options, shown: open });
  }

  /**
   * Edits a text of this account. Not refused when it is too late: the receivers' clients decide. Sealed, as phones
   * do it since May 2026, the target must be known.
   */
  async sendEdit(
    to: Recipient,
    target: MessageReference,
    text: string,
    options: SealableOptions = {},
  ): Promise<SentMessage> {
    const key = { ...(await this.#key(to, target, options)), fromMe: true };
    const open = composeEdit(key, composeText(text));
    if (!options.sealed) return this.sendRaw(to, open, options);
    const about = await this.#sealedAbout(key, target, options);
    return this.#sendSealed(to, sealEdit(key, about, open), { ...options, shown: open });
  }

  /** A comment on a message of an announcement group: any content. */
  async sendComment(
    to: Recipient,
    target: MessageReference,
    comment: string | proto.IMessage,
    options: SealableOptions = {},
  ): Promise<SentMessage> {
    const key = await this.#key(to, target, options);
    const message = typeof comment === 'string' ? composeText(comment) : comment;
    const open = { commentMessage: { message, targetMessageKey: messageKey(key) } };
    if (!options.sealed) return this.sendRaw(to, open, options);
    const about = await this.#sealedAbout(key, target, options);
    return this.#sendSealed(to, sealComment(key, about, message), { ...options, shown: open });
  }

  /** A calendar event. */
  async sendEvent(
    to: Recipient,
    event: proto.Message.IEventMessage,
    options: SendOptions = {},
  ): Promise<SentMessage> {
    return this.sendRaw(to, { eventMessage: event }, options);
  }

  /** The event as it is from now on, sealed. */
  async sendEventEdit(
    to: Recipient,
    target: MessageReference,
    event: proto.Message.IEventMessage,
    options: SendOptions = {},
  ): Promise<SentMessage> {
    const key = { ...(await this.#key(to, target, options)), fromMe: true };
    const about = await this.#sealedAbout(key, target, options);
    return this.#sendSealed(to, sealEventEdit(key, about, { eventMessage: event }), options);
  }

  /** The poll as it is from now on, sealed. */
  async sendPollEdit(
    to: Recipient,
    target: MessageReference,
    { question, choices }: { question: string; choices: readonly string[] },
    options: SendOptions = {},
  ): Promise<SentMessage> {
    const key = { ...(await this.#key(to, target, options)), fromMe: true };
    const about = await this.#sealedAbout(key, target, options);
    return this.#sendSealed(to, sealPollEdit(key, about, composePoll(question, choices)), options);
  }

  /** A further option of a poll that allows its members to add some, sealed. */
  async sendPollOption(
    to: Recipient,
    poll: MessageReference,
    option: string,
    options: SendOptions = {},
  ): Promise<SentMessage> {
    const key = await this.#key(to, poll, options);
    const about = await this.#sealedAbout(key, poll, options);
    return this.#sendSealed(to, sealPollOption(key, about, option), options);
  }

  /** Whether this account's person comes to an event; always sealed. */
  async sendEventResponse(
    to: Recipient,
    target: MessageReference,
    answer: 'going' | 'not_going' | 'maybe',
    options: SendOptions & { extraGuests?: number } = {},
  ): Promise<SentMessage> {
    const key = await this.#key(to, target, options);
    const about = await this.#sealedAbout(key, target, options);
    const response = EVENT_ANSWERS[answer];
    const extra = options.extraGuests === undefined ? {} : { extraGuestCount: options.extraGuests };
    return this.#sendSealed(to, sealEventResponse(key, about, { response, ...extra }), options);
  }

  /** Deletes for everyone: an own message, or in a group as admin one of another member. */
  async sendRevoke(to: Recipient, target: MessageReference, options: SendOptions = {}): Promise<SentMessage> {
    return this.sendRaw(to, composeRevoke(await this.#key(to, target, options)), options);
  }

  async sendLocation(to: Recipient, place: LocationInput, options: SendOptions = {}): Promise<SentMessage> {
    return this.sendRaw(to, composeLocation(place), options);
  }

  async sendContact(to: Recipient, contact: ContactInput, options: SendOptions = {}): Promise<SentMessage> {
    return this.sendRaw(to, composeContact(contact), options);
  }

  async sendPoll(
    to: Recipient,
    question: string,
    choices: readonly string[],
    options: SendOptions & PollOptions = {},
  ): Promise<SentMessage> {
    const { selectable, ...rest } = options;
    const poll = composePoll(question, choices, selectable === undefined ? {} : { selectable });
    return this.sendRaw(to, poll, rest);
  }

  /** Votes by option names; an empty list takes the vote back. The poll must be known to this phone. */
  async sendPollVote(
    to: Recipient,
    poll: MessageReference,
    choices: readonly string[],
    options: SendOptions = {},
  ): Promise<SentMessage> {
    const key = await this.#key(to, poll, options);
    const vote = encryptPollVote(await this.#sealedAbout(key, poll, options), choices);
    return this.sendRaw(
      to,
      {
        pollUpdateMessage: {
          pollCreationMessageKey: messageKey(key),
          vote,
          senderTimestampMs: Date.now(),
        },
      },
      options,
    );
  }

  async #upload(type: MediaType, bytes: Uint8Array): Promise<Uploaded> {
    const encrypted = encryptMedia(bytes, type);
    const stored = await this.#parts.media.upload(type, encrypted.ciphertext, encrypted.fileEncSha256);
    return { encrypted, stored };
  }

  /** What seals an answer to a message or a change of it: both people by LID, or both by phone number. */
  async #sealedAbout(
    { chat }: TargetKey,
    target: MessageReference,
    options: SendOptions,
  ): Promise<SealedAbout> {
    const { id, message, from } = this.#stored(target);
    const byLid = chat.endsWith('@g.us') || (options.addressing ?? 'lid') === 'lid';
    const author = byLid ? await this.#parts.book.lid(from) : this.#parts.book.canonical(from);
    return { id, message, author: toJid(author), writer: byLid ? this.#self.lid : this.#self.jid };
  }

  #sendSealed(
    to: Recipient,
    sealed: proto.IMessage,
    options: SendOptions & { shown?: proto.IMessage },
  ): Promise<SentMessage> {
    return this.#parts.sender.send(recipientJid(to), sealed, options);
  }

  #stored(reference: MessageReference): PhoneMessage {
    const id = typeof reference === 'string' ? reference : reference.id;
    const message = this.#parts.inbox.find(id);
    if (!message) throw new Error(`this phone knows no message ${id}`);
    return message;
  }

  /** A message this phone does not know counts as its own: an edit of something never sent must be possible. */
  async #key(to: Recipient, target: MessageReference, options: SendOptions): Promise<TargetKey> {
    const id = typeof target === 'string' ? target : target.id;
    const known = this.#parts.inbox.find(id);
    const fromMe = known?.fromMe ?? true;
    const jid = recipientJid(to);
    if (jid.endsWith('@g.us')) {
      const participant = known && !fromMe ? toJid(known.fromDevice) : undefined;
      return { chat: jid, id, fromMe, ...(participant === undefined ? {} : { participant }) };
    }
    if (isList(jid)) return { chat: jid, id, fromMe };
    const addressing: Addressing = options.addressing ?? 'lid';
    const chat =
      addressing === 'lid' ? toJid(await this.#parts.book.lid(jid)) : this.#parts.book.canonical(jid);
    return { chat, id, fromMe };
  }
}

function recipientJid(to: Recipient): string {
  return toJid(typeof to === 'string' ? to : to.jid);
}
