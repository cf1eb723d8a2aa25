import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { proto } from 'baileys';
import type { AddressBook } from '../address-book.ts';
import type { ChatTimers } from '../chat-timers.ts';
import type { Inbox, PhoneMessage } from '../inbox.ts';
import type { MediaClient } from '../media/media-client.ts';
import { encryptMedia } from '../media/media-crypto.ts';
import type { PhoneIdentity, Sender } from '../sending.ts';
import type { PhoneAppState } from './app-state.ts';
import type { Past } from './past.ts';

const compress = promisify(deflate);
const { Type } = proto.Message.ProtocolMessage;
const { PeerDataOperationRequestType } = proto.Message;
const { HistorySyncType } = proto.HistorySync;
const NotificationType = proto.Message.HistorySyncType;
const { EndOfHistoryTransferType } = proto.Conversation;

/** Newest messages that the first piece brings; the rest follows as `RECENT`. */
const BOOTSTRAP_MESSAGES = 100;
/** Messages per piece after the first. */
const CHUNK_MESSAGES = 500;
/** Payloads up to this size travel inside the notification; larger ones, and all `RECENT`, over the CDN. */
const INLINE_BYTES = 16 * 1024;

/** A history sync with a payload made by hand. */
export interface HistoryBlob {
  readonly bytes: Uint8Array;
  /** Default `INITIAL_BOOTSTRAP`. */
  readonly syncType?: proto.Message.HistorySyncType;
  /** Within the message (default), or as an encrypted file on the CDN. */
  readonly inline?: boolean;
}

/** What a phone sends its companions about the account: app-state keys, history, single old messages. */
export class CompanionSync {
  readonly #self: PhoneIdentity;
  readonly #sender: Sender;
  readonly #inbox: Inbox;
  readonly #book: AddressBook;
  readonly #media: MediaClient;
  readonly #appState: PhoneAppState;
  readonly #timers: ChatTimers;
  readonly #past: Past;
  readonly #rawId: number;
  /** Off: requests for older messages stay without an answer, as from a phone that is out of reach. */
  answersHistoryRequests = true;

  constructor(
    self: PhoneIdentity,
    parts: {
      sender: Sender;
      inbox: Inbox;
      book: AddressBook;
      media: MediaClient;
      appState: PhoneAppState;
      timers: ChatTimers;
      past: Past;
      rawId: number;
    },
  ) {
    this.#self = self;
    this.#sender = parts.sender;
    this.#inbox = parts.inbox;
    this.#book = parts.book;
    this.#media = parts.media;
    this.#appState = parts.appState;
    this.#timers = parts.timers;
    this.#past = parts.past;
    this.#rawId = parts.rawId;
  }

  /**
   * What follows a companion's first login: the app-state sync key, then history: the newest messages of all
   * chats, push names, and the rest piece by piece from new to old. Small pieces travel inside the
   * notification (Baileys announces `inlineInitialPayloadInE2EeMsg`, whatsmeow reads
   * `initialHistBootstrapInlinePayload`), `RECENT` and large ones as encrypted files on the CDN.
   */
  async bootstrap(device: number): Promise<void> {
    await this.shareAppStateKey(device);
    const all = this.#inbox.all();
    const first = Math.max(all.length - BOOTSTRAP_MESSAGES, 0);
    await this.#send(device, NotificationType.INITIAL_BOOTSTRAP, {
      syncType: HistorySyncType.INITIAL_BOOTSTRAP,
      chunkOrder: 0,
      progress: first === 0 ? 100 : this.#progress(all.length - first),
      conversations: this.#conversations(all.slice(first)),
      phoneNumberToLidMappings: this.#mappings(),
    });
    await this.#send(device, NotificationType.PUSH_NAME, {
      syncType: HistorySyncType.PUSH_NAME,
      chunkOrder: 0,
      progress: 100,
      pushnames: this.#pushNames(),
    });
    const pastParticipants = this.#past.pastParticipants();
    if (pastParticipants.length > 0) {
      // Which piece a phone tells them in no capture shows; this kind is for what nobody waits for.
      await this.#send(device, NotificationType.NON_BLOCKING_DATA, {
        syncType: HistorySyncType.NON_BLOCKING_DATA,
        chunkOrder: 0,
        progress: 100,
        pastParticipants,
        phoneNumberToLidMappings: this.#past.pastNames(),
      });
    }
    for (let end = first, chunkOrder = 1; end > 0; end -= CHUNK_MESSAGES, chunkOrder += 1) {
      const begin = Math.max(end - CHUNK_MESSAGES, 0);
      await this.#send(device, NotificationType.RECENT, {
        syncType: HistorySyncType.RECENT,
        chunkOrder,
        progress: this.#progress(all.length - begin),
        conversations: this.#conversations(all.slice(begin, end)),
      });
    }
  }

  async shareAppStateKey(device: number): Promise<void> {
    const { key } = this.#appState;
    await this.#sender.sendPeer(device, {
      protocolMessage: {
        type: Type.APP_STATE_SYNC_KEY_SHARE,
        appStateSyncKeyShare: {
          keys: [
            {
              keyId: { keyId: key.id },
              keyData: {
                keyData: key.data,
                fingerprint: { rawId: this.#rawId, currentIndex: 1, deviceIndexes: [0, 1] },
                timestamp: Date.now(),
              },
            },
          ],
        },
      },
    });
  }

  /** What companions asked for by peer message, as it came. */
  readonly requests: proto.IMessage[] = [];

  /** Answers what a companion asks for by peer message; other requests are ignored. */
  async answer(device: number, request: proto.IMessage, requestId: string): Promise<void> {
    this.requests.push(request);
    // Baileys wraps peer messages as it wraps all messages to own devices, whatsmeow does not.
    const { protocolMessage: protocol } = request.deviceSentMessage?.message ?? request;
    if (protocol?.type === Type.APP_STATE_SYNC_KEY_REQUEST) await this.shareAppStateKey(device);
    const wanted = protocol?.peerDataOperationRequestMessage;
    if (wanted?.historySyncOnDemandRequest) {
      await this.#answerHistory(device, wanted.historySyncOnDemandRequest, requestId);
    }
    const keys = (wanted?.placeholderMessageResendRequest ?? []).map((item) => item.messageKey);
    if (keys.length === 0) return;
    const found = keys.flatMap((key) => this.#named(key) ?? []);
    await this.#sender.sendPeer(device, {
      protocolMessage: {
        type: Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
        peerDataOperationRequestResponseMessage: {
          peerDataOperationRequestType: PeerDataOperationRequestType.PLACEHOLDER_MESSAGE_RESEND,
          stanzaId: requestId,
          peerDataOperationResult: found.map((message) => ({
            placeholderMessageResendResponse: {
              webMessageInfoBytes: proto.WebMessageInfo.encode(this.#asNamed(message)).finish(),
            },
          })),
        },
      },
    });
  }

  /** What came by a list is known under that, as its stanza named it (zapo WaRetryCoordinator buildPlaceholderResendKey). */
  #named(key: proto.IMessageKey | null | undefined): PhoneMessage | undefined {
    const message = key?.id == null ? undefined : this.#inbox.find(key.id);
    return message?.list === undefined || message.list === key?.remoteJid ? message : undefined;
  }

  #asNamed(message: PhoneMessage): proto.IWebMessageInfo {
    const info = this.#webMessage(message);
    if (message.list === undefined) return info;
    const participant = this.#book.knownLid(message.from) ?? message.from;
    return { ...info, participant, key: { ...info.key, remoteJid: message.list, participant } };
  }

  /** The messages before the one that the companion names (whatsmeow BuildHistorySyncRequest). */
  async #answerHistory(
    device: number,
    request: proto.Message.PeerDataOperationRequestMessage.IHistorySyncOnDemandRequest,
    requestId: string,
  ): Promise<void> {
    if (!this.answersHistoryRequests) return;
    const chat = this.#book.canonical(request.chatJid ?? '');
    const messages = this.#inbox.all().filter((message) => this.#book.canonical(message.chat) === chat);
    const position = messages.findIndex((message) => message.id === request.oldestMsgId);
    const before = Number(request.oldestMsgTimestampMs ?? 0) / 1000;
    const older =
      position >= 0 ? messages.slice(0, position) : messages.filter(({ timestamp }) => timestamp < before);
    const count = request.onDemandMsgCount ?? 0;
    const chosen = count > 0 ? older.slice(-count) : [];
    const conversations = chosen.length > 0 ? this.#conversations(chosen) : [this.#conversation(chat, [])];
    for (const conversation of conversations) {
      conversation.endOfHistoryTransferType =
        chosen.length < older.length
          ? EndOfHistoryTransferType.COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY
          : EndOfHistoryTransferType.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY;
    }
    await this.#send(
      device,
      NotificationType.ON_DEMAND,
      { syncType: HistorySyncType.ON_DEMAND, chunkOrder: 0, progress: 100, conversations },
      requestId,
    );
  }

  /** Sends a history sync whose payload is any bytes, which need be neither deflated nor a history. */
  async sendBlob(device: number, { bytes, syncType, inline = true }: HistoryBlob): Promise<void> {
    await this.#sender.sendPeer(device, {
      protocolMessage: {
        type: Type.HISTORY_SYNC_NOTIFICATION,
        historySyncNotification: {
          syncType: syncType ?? NotificationType.INITIAL_BOOTSTRAP,
          ...(inline
            ? { fileLength: bytes.length, initialHistBootstrapInlinePayload: bytes }
            : await this.#upload(Buffer.from(bytes))),
        },
      },
    });
  }

  async #send(
    device: number,
    syncType: proto.Message.HistorySyncType,
    history: proto.IHistorySync,
    peerDataRequestSessionId?: string,
  ): Promise<void> {
    const payload = await compress(proto.HistorySync.encode(history).finish());
    await this.#sender.sendPeer(device, {
      protocolMessage: {
        type: Type.HISTORY_SYNC_NOTIFICATION,
        historySyncNotification: {
          syncType,
          chunkOrder: history.chunkOrder ?? 0,
          progress: history.progress ?? 100,
          ...(peerDataRequestSessionId === undefined ? {} : { peerDataRequestSessionId }),
          ...(payload.length <= INLINE_BYTES && syncType !== NotificationType.RECENT
            ? { fileLength: payload.length, initialHistBootstrapInlinePayload: payload }
            : await this.#upload(payload)),
        },
      },
    });
  }

  async #upload(payload: Buffer): Promise<proto.Message.IHistorySyncNotification> {
    const { ciphertext, mediaKey, fileSha256, fileEncSha256, fileLength } = encryptMedia(
      payload,
      'md-msg-hist',
      randomBytes(32),
    );
    const { directPath } = await this.#media.upload('md-msg-hist', ciphertext, fileEncSha256);
    return { directPath, mediaKey, fileSha256, fileEncSha256, fileLength };
  }

  #progress(sent: number): number {
    return Math.floor((100 * sent) / Math.max(this.#inbox.all().length, 1));
  }

  #conversations(of: readonly PhoneMessage[]): proto.IConversation[] {
    const chats = new Map<string, PhoneMessage[]>();
    for (const message of of) {
      const messages = chats.get(message.chat) ?? [];
      messages.push(message);
      chats.set(message.chat, messages);
    }
    return [...chats].map(([chat, messages]) => this.#conversation(chat, messages));
  }

  #conversation(chat: string, messages: readonly PhoneMessage[]): proto.IConversation {
    const lid = chat.endsWith('@g.us') ? undefined : this.#book.knownLid(chat);
    const timestamp = messages.at(-1)?.timestamp ?? 0;
    const timer = this.#timers.of(chat);
    return {
      ...this.#past.conversation(chat),
      id: lid ?? chat,
      ...(lid === undefined ? {} : { lidJid: lid, pnJid: chat }),
      conversationTimestamp: timestamp,
      lastMsgTimestamp: timestamp,
      ...(timer ? { ephemeralExpiration: timer.seconds, ephemeralSettingTimestamp: timer.setAt } : {}),
      // Newest first, as phones order them.
      messages: messages
        .map((message, index) => ({ message: this.#webMessage(message), msgOrderId: index + 1 }))
        .reverse(),
    };
  }

  #webMessage(message: PhoneMessage): proto.IWebMessageInfo {
    const group = message.chat.endsWith('@g.us');
    const remoteJid = group ? message.chat : (this.#book.knownLid(message.chat) ?? message.chat);
    const author = this.#book.knownLid(message.from) ?? message.from;
    return {
      key: {
        remoteJid,
        fromMe: message.fromMe,
        id: message.id,
        ...(group && !message.fromMe ? { participant: author } : {}),
      },
      ...(group && !message.fromMe ? { participant: author } : {}),
      ...(message.list === undefined ? {} : { broadcast: true }),
      message: message.message,
      messageTimestamp: message.timestamp,
      ...(message.pushName === undefined ? {} : { pushName: message.pushName }),
      status: message.fromMe
        ? proto.WebMessageInfo.Status.SERVER_ACK
        : proto.WebMessageInfo.Status.DELIVERY_ACK,
    };
  }

  #mappings(): proto.IPhoneNumberToLIDMapping[] {
    const pairs = new Map(this.#self.lid === this.#self.jid ? [] : [[this.#self.jid, this.#self.lid]]);
    for (const { chat, from } of this.#inbox.all()) {
      for (const jid of [chat, from]) {
        const lid = jid.endsWith('@s.whatsapp.net') ? this.#book.knownLid(jid) : undefined;
        if (lid !== undefined) pairs.set(jid, lid);
      }
    }
    return [...pairs].map(([pnJid, lidJid]) => ({ pnJid, lidJid }));
  }

  #pushNames(): proto.IPushname[] {
    const names = new Map([[this.#self.jid, this.#self.name]]);
    for (const { from, pushName } of this.#inbox.all()) if (pushName !== undefined) names.set(from, pushName);
    return [...names].map(([id, pushname]) => ({ id, pushname }));
  }
}
