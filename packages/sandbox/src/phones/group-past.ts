import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { proto } from 'baileys';
import { type AddressBook, toJid } from './address-book.ts';
import type { Group, GroupClient } from './groups.ts';
import type { Inbox } from './inbox.ts';
import type { MediaClient } from './media/media-client.ts';
import { encryptMedia } from './media/media-crypto.ts';
import type { Sender, SentMessage } from './sending.ts';

const compress = promisify(deflate);

/** The apps share so many of the newest messages (zapo spec/abprops `group_history_message_count_limit`). */
const MOST_SHARED = 100;
/** `messages` and `outOfWindowPinnedMessages` of GroupHistory, length-delimited (whatsmeow WAWebProtobufsGroupHistory.proto). */
const MESSAGES_TAG = 0x0a;
const PINNED_TAG = 0x22;

export interface SharedPast {
  /** Instead of what the phone has of the group. */
  readonly messages?: readonly proto.IWebMessageInfo[];
  readonly pinned?: readonly proto.IWebMessageInfo[];
  /** Whom the bundle names, instead of those to whom it is sent. */
  readonly named?: readonly string[];
  /** The file as it lies on the CDN, before it is encrypted: any bytes. */
  readonly file?: Uint8Array;
}

/** What a person lets members see who have come since: the newest messages of the group. */
export class GroupPast {
  readonly #parts: {
    readonly sender: Sender;
    readonly inbox: Inbox;
    readonly book: AddressBook;
    readonly media: MediaClient;
    readonly groups: GroupClient;
  };

  constructor(parts: {
    sender: Sender;
    inbox: Inbox;
    book: AddressBook;
    media: MediaClient;
    groups: GroupClient;
  }) {
    this.#parts = parts;
  }

  /** To the devices of these members alone goes where the messages are; the whole group gets a note that it was done. */
  async share(
    group: Pick<Group, 'jid'>,
    members: readonly (string | { readonly jid: string })[],
    past: SharedPast = {},
  ): Promise<SentMessage> {
    const { sender, book } = this.#parts;
    const jids = members.map((member) => toJid(typeof member === 'string' ? member : member.jid));
    const historyReceivers = past.named ?? (await Promise.all(jids.map((jid) => book.lid(jid))));
    const messages = past.messages ?? this.#newest(group.jid);
    const messageHistoryMetadata = {
      historyReceivers: [...historyReceivers],
      oldestMessageTimestamp: messages[0]?.messageTimestamp ?? null,
      messageCount: messages.length,
    };
    const file = past.file ?? (await compress(groupHistory(messages, past.pinned ?? [])));
    const { ciphertext, mediaKey, fileSha256, fileEncSha256 } = encryptMedia(file, 'group-history');
    const { directPath } = await this.#parts.media.upload('group-history', ciphertext, fileEncSha256);
    const place = { mimetype: 'application/protobuf', mediaKey, fileSha256, fileEncSha256, directPath };
    const messageHistoryBundle = { ...place, messageHistoryMetadata };
    const sent = await sender.send(group.jid, { messageHistoryBundle }, { audience: jids });
    await sender.send(group.jid, { messageHistoryNotice: { messageHistoryMetadata } });
    return sent;
  }

  #newest(group: string): proto.IWebMessageInfo[] {
    const { inbox, book } = this.#parts;
    const shown = inbox.all().filter(({ chat, kind }) => chat === group && kind !== 'protocol');
    return shown.slice(-MOST_SHARED).map(({ id, from, fromMe, message, timestamp }) => ({
      key: { id, remoteJid: group, fromMe, participant: book.knownLid(from) ?? from },
      message,
      messageTimestamp: timestamp,
    }));
  }
}

function groupHistory(
  messages: readonly proto.IWebMessageInfo[],
  pinned: readonly proto.IWebMessageInfo[],
): Buffer {
  return Buffer.concat([
    ...messages.map((info) => record(MESSAGES_TAG, info)),
    ...pinned.map((info) => record(PINNED_TAG, info)),
  ]);
}

function record(tag: number, info: proto.IWebMessageInfo): Buffer {
  const bytes = proto.WebMessageInfo.encode(info).finish();
  const head = [tag];
  for (let left = bytes.length; ; left >>>= 7) {
    head.push(left < 0x80 ? left : (left & 0x7f) | 0x80);
    if (left < 0x80) break;
  }
  return Buffer.concat([Buffer.from(head), bytes]);
}
