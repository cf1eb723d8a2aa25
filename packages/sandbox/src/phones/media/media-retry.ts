import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildBuffer, proto } from 'baileys';
import type { Cdn } from '../../cdn/cdn.ts';
import type { AddressBook } from '../address-book.ts';
import type { PhoneConnection } from '../connection.ts';
import type { Inbox } from '../inbox.ts';
import { type MediaType, mediaOf } from '../message-content.ts';
import type { MediaClient } from './media-client.ts';

/**
 * What the phone answers when a companion asks it to upload a file again. `error_node` is the plain
 * `<error code="2"/>` that whatsmeow reads as "not available on the phone"; `silent` answers nothing.
 */
export type MediaRetryPolicy =
  | 'reupload'
  | 'not_found'
  | 'general_error'
  | 'decryption_error'
  | 'error_node'
  | 'silent';

export interface MediaRetryRequest {
  readonly messageId: string;
  readonly chat: string;
  /** The chat's name as the companion wrote it in `<rmr>`. */
  readonly address: string;
  readonly participant?: string;
  readonly fromMe: boolean;
  /** The companion's device JID. */
  readonly device: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whether the encrypted receipt inside could be opened with the message's media key. */
  readonly readable: boolean;
}

const { ResultType } = proto.MediaRetryNotification;
const TAG_BYTES = 16;

function retryKey(mediaKey: Uint8Array): Buffer {
  const info = 'WhatsApp Media Retry Notification';
  return Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), info, 32));
}

function seal(plain: Uint8Array, mediaKey: Uint8Array, id: string): { payload: Buffer; iv: Buffer } {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', retryKey(mediaKey), iv);
  cipher.setAAD(Buffer.from(id));
  return { payload: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]), iv };
}

function opens(receipt: BinaryNode, mediaKey: Uint8Array, id: string): boolean {
  const encrypt = getBinaryNodeChild(receipt, 'encrypt');
  const payload = getBinaryNodeChildBuffer(encrypt, 'enc_p');
  const iv = getBinaryNodeChildBuffer(encrypt, 'enc_iv');
  if (!payload || !iv || payload.length < TAG_BYTES) return false;
  try {
    const decipher = createDecipheriv('aes-256-gcm', retryKey(mediaKey), iv);
    decipher.setAAD(Buffer.from(id));
    decipher.setAuthTag(payload.subarray(-TAG_BYTES));
    const plain = Buffer.concat([decipher.update(payload.subarray(0, -TAG_BYTES)), decipher.final()]);
    return proto.ServerErrorReceipt.decode(plain).stanzaId === id;
  } catch {
    return false;
  }
}

/**
 * The phone's side of media retry (whatsmeow mediaretry.go, Baileys messages-media.js): a companion sends
 * `<receipt type="server-error">`, the phone uploads the file again and says where.
 *
 * A real phone has the files of its chats on disk. Here it keeps the ciphertext as it stood on the CDN when
 * the message came or went, so that a test may expire or corrupt the CDN's copy afterwards.
 */
export class MediaRetry {
  policy: MediaRetryPolicy = 'reupload';
  readonly requests: MediaRetryRequest[] = [];
  readonly #connection: PhoneConnection;
  readonly #media: MediaClient;
  readonly #inbox: Inbox;
  readonly #book: AddressBook;
  readonly #cdn: Cdn;
  readonly #kept = new Map<string, Buffer>();

  constructor(parts: {
    connection: PhoneConnection;
    media: MediaClient;
    inbox: Inbox;
    book: AddressBook;
    cdn: Cdn;
  }) {
    this.#connection = parts.connection;
    this.#media = parts.media;
    this.#inbox = parts.inbox;
    this.#book = parts.book;
    this.#cdn = parts.cdn;
  }

  /** Keeps the file of a message that came or went, when it has one and the CDN holds it. */
  keep(id: string, message: proto.IMessage): void {
    const path = mediaOf(message)?.content.directPath;
    const object = path ? this.#cdn.object(path) : undefined;
    if (object) this.#kept.set(id, object.bytes);
  }

  /** Deletes the phone's own copy: the next request is answered with NOT_FOUND. */
  forget(id: string): void {
    this.#kept.delete(id);
  }

  /** Handles one `server-error` receipt. */
  async answer(receipt: BinaryNode): Promise<void> {
    const { id = '', from = '', participant } = receipt.attrs;
    const rmr = getBinaryNodeChild(receipt, 'rmr');
    const device = participant ?? from;
    const known = this.#inbox.find(id);
    // What came by a list is known under that (zapo media-retry.ts).
    const message = known?.list === undefined || known.list === rmr?.attrs.jid ? known : undefined;
    const media = message && mediaOf(message.message);
    const mediaKey = media?.content.mediaKey;
    const readable = mediaKey ? opens(receipt, mediaKey, id) : false;
    this.requests.push({
      messageId: id,
      chat: this.#book.canonical(rmr?.attrs.jid ?? from),
      address: rmr?.attrs.jid ?? from,
      ...(rmr?.attrs.participant === undefined ? {} : { participant: rmr.attrs.participant }),
      fromMe: rmr?.attrs.from_me === 'true',
      device,
      at: Date.now(),
      readable,
    });
    if (this.policy === 'silent') return;
    if (this.policy === 'error_node' || !media || !mediaKey) {
      this.#reply(device, id, rmr, [{ tag: 'error', attrs: { code: '2' } }]);
      return;
    }
    const result = await this.#outcome(id, media.type, readable);
    const plain = proto.MediaRetryNotification.encode({ stanzaId: id, ...result }).finish();
    const { payload, iv } = seal(plain, mediaKey, id);
    this.#reply(device, id, rmr, [
      {
        tag: 'encrypt',
        attrs: {},
        content: [
          { tag: 'enc_p', attrs: {}, content: payload },
          { tag: 'enc_iv', attrs: {}, content: iv },
        ],
      },
    ]);
  }

  async #outcome(id: string, type: MediaType, readable: boolean): Promise<proto.IMediaRetryNotification> {
    if (this.policy === 'general_error') return { result: ResultType.GENERAL_ERROR };
    if (this.policy === 'decryption_error' || !readable) return { result: ResultType.DECRYPTION_ERROR };
    const bytes = this.#kept.get(id);
    if (this.policy === 'not_found' || !bytes) return { result: ResultType.NOT_FOUND };
    const hash = createHash('sha256').update(bytes).digest();
    try {
      const { directPath } = await this.#media.upload(type, bytes, hash);
      return { result: ResultType.SUCCESS, directPath };
    } catch {
      return { result: ResultType.GENERAL_ERROR };
    }
  }

  #reply(device: string, id: string, rmr: BinaryNode | undefined, content: BinaryNode[]): void {
    this.#connection.send({
      tag: 'notification',
      attrs: { to: device, id, type: 'mediaretry' },
      content: rmr ? [...content, { tag: 'rmr', attrs: rmr.attrs }] : content,
    });
  }
}
