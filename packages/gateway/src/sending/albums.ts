/** Sending an album: what announces it, then its pictures and videos, each with an end of its own. */
import { createHash } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import { type AlbumItem, albumContent, albumItemContent, type ReadyItems } from './content/album.ts';
import type { SendAttempt } from './delivery.ts';
import type { Sending, SendRequest, SentMessage } from './pipeline.ts';

export type AlbumRequest = Omit<SendRequest, 'content'> & { items: readonly AlbumItem[] };

export interface SentItem {
  /** Null for one that could not be made ready. */
  messageId: string | null;
  recordId: string | null;
  /** `pending`: whether WhatsApp has it is not known. */
  status: 'sent' | 'failed' | 'pending';
  /** Why it is not `sent`. */
  error: AppError | null;
}

export interface SentAlbum {
  /** The message that announces it. */
  album: SentMessage;
  /** In their order. */
  items: SentItem[];
}

export class Albums {
  readonly #sending: Sending;

  constructor(sending: Sending) {
    this.#sending = sending;
  }

  /**
   * Sends the album and resolves once each of its items has its end. Throws what `Sending.send` throws when the
   * album itself cannot be sent, or none of its items can be made ready; nothing of it has arrived then.
   *
   * Repeated, it sends what has not arrived: ids of items follow from the album's.
   */
  async send(caller: Caller, { items, ...request }: AlbumRequest): Promise<SentAlbum> {
    const ready: ReadyItems = [];
    const album = await this.#sending.send(caller, { ...request, content: albumContent(items, ready) });
    const sent: SentItem[] = [];
    for (const [index, item] of items.entries()) {
      const composed = ready[index];
      if (composed instanceof AppError) {
        sent.push({ messageId: null, recordId: null, status: 'failed', error: composed });
        continue;
      }
      sent.push(
        await this.#item(caller, {
          address: request.address,
          account: request.account,
          signal: request.signal,
          mentions: request.mentions ?? [],
          ephemeralSeconds: request.ephemeralSeconds,
          deviceId: album.deviceId,
          content: albumItemContent(item, album.messageId, composed),
          attempt: attemptOf(album, index),
          // It is one thing that a person does.
          unpaced: true,
        }),
      );
    }
    return { album, items: sent };
  }

  async #item(caller: Caller, request: SendRequest): Promise<SentItem> {
    try {
      const { messageId, recordId } = await this.#sending.send(caller, request);
      return { messageId, recordId, status: 'sent', error: null };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // It was on its way: a receipt will tell.
      const left = 'message_id' in (error.detail.extra ?? {});
      const unknown = left && (error.code === 'DEVICE_NOT_READY' || error.code === 'WHATSAPP_TIMEOUT');
      const messageId = left ? (request.attempt?.claimed?.messageId ?? null) : null;
      return { messageId, recordId: null, status: unknown ? 'pending' : 'failed', error };
    }
  }
}

/** The id of an item is claimed with the album's. */
function attemptOf({ messageId, deviceId }: SentMessage, index: number): SendAttempt {
  const digest = createHash('sha256').update(`${messageId} ${index}`).digest('hex');
  // As WhatsApp's clients make them (Baileys Utils/generics.js generateMessageIDV2).
  const claimed = { messageId: `3EB0${digest.slice(0, 18).toUpperCase()}`, deviceId, account: null };
  return { claimed, claim: async () => undefined };
}
