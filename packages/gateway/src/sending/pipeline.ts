/**
 * The one way a message leaves: device, session, recipient, content, pacing, row, stanza, ack.
 * A new kind of message is a file in `content/` and a schema beside its route.
 */

import { type Clock, stopwatch } from '../clock.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { isNewsletter } from '../identity/jid.ts';
import type { MessageArchive } from '../messages/archive.ts';
import type { MessageDevice, SendState, StoredMessage } from '../messages/stored-message.ts';
import type { DeviceDirectory } from '../messages/visible.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { AccountLimit } from '../whatsapp/port/account.ts';
import { fromSession } from '../whatsapp/port/app-errors.ts';
import { SessionNotOpen } from '../whatsapp/port/errors.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { assertAccount } from './account.ts';
import { assertMayWrite, type LimitParts } from './account-limits.ts';
import { ChosenIds } from './chosen-ids.ts';
import type { Content } from './content.ts';
import {
  type Claim,
  claimedMessage,
  type Delivered,
  deliver,
  earlierDelivery,
  type SendAttempt,
} from './delivery.ts';
import type { OutboundMediaSource } from './outbound-media.ts';
import type { Pacing } from './pacing.ts';
import { conversation, type Quote } from './quoting.ts';
import { type RecipientAddress, type Recipients, writtenNames } from './recipients.ts';
import { respelt, retagged } from './tags.ts';

/** What sending asks of the devices; `Devices` fits. */
export interface SendingDevices extends DeviceDirectory {
  /** Throws DEVICE_NOT_READY unless the device is connected. */
  session(device: MessageDevice): WhatsAppSession;
  /** What WhatsApp lets the account not do, if anything. */
  limitOf(device: MessageDevice): AccountLimit | null;
}

export interface SendRequest {
  deviceId?: string | undefined;
  address: RecipientAddress;
  content: Content;
  /** Seconds to wait first. */
  delay?: number | undefined;
  /** Seconds for which the chat shows "typing…" (or "recording…"). */
  typingDuration?: number | undefined;
  quote?: Quote | null;
  mentions?: Jid[];
  /** Seconds after which it disappears, checked; default: as the chat's timer says. */
  ephemeralSeconds?: number | undefined;
  /** Id to send it under, checked; default: a new one. */
  messageId?: string | undefined;
  attempt?: SendAttempt | undefined;
  /** The account that it was accepted for; by default whichever the device holds. */
  account?: Jid | null | undefined;
  /** Takes no turn of its own: it belongs to a message that has taken one. */
  unpaced?: boolean | undefined;
  /** Ends the preparation of media; once the stanza is on its way, nothing ends it. */
  signal?: AbortSignal | undefined;
}

export interface SentMessage extends Delivered {
  chatJid: Jid;
  deviceId: string;
  userId: string;
  presenceSent: boolean;
  presenceSeconds: number;
  mentionsProcessed: number;
  quotedFound: boolean;
  processingMs: number;
  /** What the kind measured. */
  metadata: Record<string, unknown>;
}

export interface SendingParts {
  devices: SendingDevices;
  archive: MessageArchive;
  recipients: Recipients;
  media: OutboundMediaSource;
  clock: Clock;
  pacing: Pacing;
  /** Counts what became of each message. */
  outcomes?: { inc(labels: { outcome: string }): void } | undefined;
}

/** Bound of `delay` and of `typingDuration`, each; longer ones are cut. */
export const LONGEST_PAUSE_SECONDS = 60;
/** Bound of both together: an answer that takes 120 s is cut off by the server's documented write limit. */
export const LONGEST_HOLD_SECONDS = 90;

export class Sending {
  readonly #parts: SendingParts;
  readonly #chosenIds: ChosenIds;
  readonly #limits: LimitParts;

  constructor(parts: SendingParts) {
    this.#parts = parts;
    this.#chosenIds = new ChosenIds(parts.archive);
    const { archive, clock, devices } = parts;
    this.#limits = { archive, clock, limitOf: (device) => devices.limitOf(device) };
  }

  /**
   * Sends and resolves once WhatsApp's server has the message. Nothing is written or sent before the
   * recipient is known and the content composed. Throws DEVICE_NOT_FOUND, DEVICE_AMBIGUOUS,
   * DEVICE_NOT_READY, ACCOUNT_CHANGED, NOT_ON_WHATSAPP, ALREADY_EXISTS (the chosen id), INVALID_MEDIA, PAYLOAD_TOO_LARGE, UPLOAD_FAILED,
   * REJECTED_BY_WHATSAPP, ACCOUNT_LIMITED, RATE_LIMITED, WHATSAPP_TIMEOUT.
   */
  async send(caller: Caller, request: SendRequest): Promise<SentMessage> {
    try {
      const sent = await this.#send(caller, request);
      this.#parts.outcomes?.inc({ outcome: 'sent' });
      return sent;
    } catch (error) {
      const code: ErrorCode = error instanceof AppError ? error.code : 'INTERNAL_ERROR';
      this.#parts.outcomes?.inc({ outcome: code.toLowerCase() });
      throw error;
    }
  }

  async #send(caller: Caller, request: SendRequest): Promise<SentMessage> {
    const { archive, clock, devices, recipients, media, pacing } = this.#parts;
    const elapsed = stopwatch();
    const { attempt } = request;
    const written = request.mentions ?? [];
    const known = { userId: caller.userId, mentionsProcessed: written.length };
    // What has left is told, whatever the device is by now.
    const earlier = await earlierDelivery(archive, caller.tenantId, attempt);
    if (earlier) return { ...known, ...asSent(earlier), processingMs: elapsed() };
    const device = await devices.resolve(caller, attempt?.claimed?.deviceId ?? request.deviceId);
    assertAccount(device, attempt?.claimed?.account ?? request.account ?? null);
    const session = devices.session(device);
    const recipient = await recipients.resolve(session, device, request.address);
    await assertMayWrite(this.#limits, device, recipient);
    const people = (names: readonly Jid[]) => recipients.people({ session, device, chat: recipient }, names);
    const mentioned = await people(written);
    const mentions = writtenNames(mentioned);
    const context = await conversation(archive, device, recipient, {
      quote: await withAuthor(request.quote ?? null, people),
      mentions,
    });
    const result = {
      ...known,
      chatJid: recipient.chat.jid ?? recipient.to,
      deviceId: device.id,
      quotedFound: context.quotedFound,
    };
    const asked = clock.monotonic();
    if (!request.unpaced) await pacing.turn(device.id, request.signal);
    const waited = (clock.monotonic() - asked) / 1000;
    const id = { chosen: request.messageId, attempt };
    return this.#chosenIds.holding(device, recipient, id, async () => {
      const composed = await composeWith(request.content, {
        session,
        device,
        recipient,
        now: clock.now(),
        media: media.for({ tenantId: device.tenantId, signal: request.signal }, isNewsletter(recipient.to)),
        contextInfo: context.contextInfo,
        signal: request.signal,
        people,
        find: (id, author) => archive.stored.inChat(device, recipient.chat, id, author),
      });
      const presence = await this.#pause(session, recipient.to, request, waited);
      const delivered = await deliver(archive, {
        session,
        device,
        recipient,
        composed: retagged(composed, respelt(written, mentioned)),
        conversation: context,
        mentions: [...new Set([...mentions, ...(composed.mentions ?? [])])],
        ephemeralSeconds: request.ephemeralSeconds,
        ...id,
      });
      return {
        ...delivered,
        ...result,
        ...presence,
        metadata: composed.metadata ?? {},
        processingMs: elapsed(),
      };
    });
  }

  /** What is known of the message that an attempt has claimed; null when nothing of it was stored. */
  async stateOf(tenantId: string, claim: Claim | null): Promise<SendState | null> {
    return (await claimedMessage(this.#parts.archive, tenantId, claim))?.sendState ?? null;
  }

  /** Waits and types as asked, each at most a minute. The seconds that it `waited` for its turn count as delay. */
  async #pause(
    session: WhatsAppSession,
    to: Jid,
    request: Pick<SendRequest, 'delay' | 'typingDuration' | 'content'>,
    waited: number,
  ): Promise<{ presenceSent: boolean; presenceSeconds: number }> {
    const delay = capped(request.delay, LONGEST_PAUSE_SECONDS);
    await this.#sleep(delay - waited);
    const left = Math.max(LONGEST_HOLD_SECONDS - Math.max(delay, waited), 0);
    const seconds = capped(request.typingDuration, Math.min(LONGEST_PAUSE_SECONDS, left));
    // Channels have no chat state.
    if (seconds === 0 || isNewsletter(to)) return { presenceSent: false, presenceSeconds: 0 };
    try {
      await session.presence.sendChatState(to, request.content.chatState);
      await this.#sleep(seconds);
      await session.presence.sendChatState(to, 'paused');
    } catch (error) {
      if (error instanceof SessionNotOpen) throw fromSession(error);
      // The message matters, the decoration does not.
      return { presenceSent: false, presenceSeconds: 0 };
    }
    return { presenceSent: true, presenceSeconds: seconds };
  }

  async #sleep(seconds: number): Promise<void> {
    if (seconds > 0) {
      await new Promise<void>((resolve) => this.#parts.clock.after(seconds * 1000, resolve));
    }
  }
}

/** The answer for a message that an earlier attempt sent. */
function asSent({ message, messageId, recordId, timestamp }: Delivered & { message: StoredMessage }) {
  return {
    messageId,
    recordId,
    timestamp,
    chatJid: message.chatJid,
    deviceId: message.deviceId,
    quotedFound: message.context.quoted !== null,
    presenceSent: false,
    presenceSeconds: 0,
    metadata: {},
  };
}

/** The quote by the name of its author that is the account's. */
async function withAuthor(
  quote: Quote | null,
  people: (names: readonly Jid[]) => Promise<Identity[]>,
): Promise<Quote | null> {
  if (!quote?.participant) return quote;
  const [author] = writtenNames(await people([quote.participant]));
  return { ...quote, participant: author ?? quote.participant };
}

async function composeWith(content: Content, context: Parameters<Content['compose']>[0]) {
  try {
    return await content.compose(context);
  } catch (error) {
    throw fromSession(error);
  }
}

function capped(seconds: number | undefined, most: number): number {
  return Math.min(Math.max(seconds ?? 0, 0), most);
}
