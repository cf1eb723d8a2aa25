/** Sending an album: what announces it, then its pictures and videos, each with an end of its own. */
import { createHash } from 'node:crypto';
import { AppError } from '../errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import { type AlbumItem, albumContent, albumItemContent, type ReadyItems } from './content/album.ts';
import type { SendAttempt } from './delivery.ts';
import type { Sending, SendRequest, SentMessage } from './pipeline.ts';
import { type SendFailure, sendFailure } from './send-failure.ts';

export type AlbumRequest = Omit<SendRequest, 'content'> & {
  items: readonly AlbumItem[];
  progress?: AlbumProgress | undefined;
};

export interface SentItem {
  /** Null for one that could not be made ready. */
  messageId: string | null;
  recordId: string | null;
  /** `pending`: whether WhatsApp has it is not known. `waiting`: it was not tried yet. */
  status: 'sent' | 'failed' | 'pending' | 'waiting';
  /** Why it is not `sent`. */
  error: SendFailure | null;
}

export interface SentAlbum {
  /** The message that announces it. */
  album: SentMessage;
  /** In their order. */
  items: SentItem[];
  /** What keeps those that wait from being tried, if anything. */
  heldUp: AppError | null;
}

/** For an album that may take several attempts. */
export interface AlbumProgress {
  /** How its items ended in earlier ones, in their places: only what waits or is pending is tried. */
  known: readonly SentItem[];
  /**
   * Asked before each item, and with what one failed with: what keeps it and those behind it from being tried
   * now. Null: nothing does.
   */
  hindrance(failure: AppError | null): AppError | null;
  /** Remembers how the items stand, before the next one leaves. */
  remember(items: readonly SentItem[]): Promise<void>;
}

const WAITING: SentItem = { messageId: null, recordId: null, status: 'waiting', error: null };

/** Without it, an album has one attempt, in which each item is tried. */
const AT_ONCE: AlbumProgress = {
  known: [],
  hindrance: () => null,
  remember: async () => undefined,
};

export class Albums {
  readonly #sending: Sending;

  constructor(sending: Sending) {
    this.#sending = sending;
  }

  /**
   * Sends the album and resolves once each of its items has its end, or is held up. Throws what `Sending.send`
   * throws when the album itself cannot be sent, or none of its items can be made ready; nothing of it has arrived
   * then.
   *
   * Repeated, it sends what has not arrived: ids of items follow from the album's.
   */
  async send(caller: Caller, { items, progress = AT_ONCE, ...request }: AlbumRequest): Promise<SentAlbum> {
    const ready: ReadyItems = [];
    const album = await this.#sending.send(caller, { ...request, content: albumContent(items, ready) });
    const sent = items.map((_, index) => progress.known[index] ?? WAITING);
    for (const [index, item] of items.entries()) {
      if (sent[index]?.status === 'sent' || sent[index]?.status === 'failed') continue;
      const before = progress.hindrance(null);
      if (before) return { album, items: sent, heldUp: before };
      const { failure, ...end } = await this.#item(caller, ready[index], {
        address: request.address,
        account: request.account,
        signal: request.signal,
        mentions: request.mentions ?? [],
        ephemeralSeconds: request.ephemeralSeconds,
        deviceId: album.deviceId,
        content: albumItemContent(item, album.messageId, ready[index]),
        attempt: attemptOf(album, index),
        // It is one thing that a person does.
        unpaced: true,
      });
      const after = failure && progress.hindrance(failure);
      // Of one that may have left, its id is known; another one waits as before.
      if (!after || end.status === 'pending') sent[index] = end;
      await progress.remember(sent);
      if (after) return { album, items: sent, heldUp: after };
    }
    return { album, items: sent, heldUp: null };
  }

  async #item(
    caller: Caller,
    ready: ReadyItems[number],
    request: SendRequest,
  ): Promise<SentItem & { failure: AppError | null }> {
    if (ready instanceof AppError) return failed(ready, null);
    try {
      const { messageId, recordId } = await this.#sending.send(caller, request);
      return { messageId, recordId, status: 'sent', error: null, failure: null };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // It was on its way: a receipt will tell.
      const left = 'message_id' in (error.detail.extra ?? {});
      const unknown = left && (error.code === 'DEVICE_NOT_READY' || error.code === 'WHATSAPP_TIMEOUT');
      const end = failed(error, left ? (request.attempt?.claimed?.messageId ?? null) : null);
      return unknown ? { ...end, status: 'pending' } : end;
    }
  }
}

function failed(failure: AppError, messageId: string | null): SentItem & { failure: AppError } {
  return { messageId, recordId: null, status: 'failed', error: sendFailure(failure), failure };
}

/** The id of an item is claimed with the album's. */
function attemptOf({ messageId, deviceId }: SentMessage, index: number): SendAttempt {
  const digest = createHash('sha256').update(`${messageId} ${index}`).digest('hex');
  // As WhatsApp's clients make them (Baileys Utils/generics.js generateMessageIDV2).
  const claimed = { messageId: `3EB0${digest.slice(0, 18).toUpperCase()}`, deviceId, account: null };
  return { claimed, claim: async () => undefined };
}
