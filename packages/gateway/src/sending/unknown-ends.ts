/** Gives every send whose end is not known one: it is sent once more under its id, or given up and told. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { isUncertain } from '../messages/send-state.ts';
import { type MessageDevice, type StoredMessage, senderOf } from '../messages/stored-message.ts';
import type { Log } from '../observability/log.ts';
import type { Database } from '../storage/schema.ts';
import type { OutboundMessage } from '../whatsapp/port/messages.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { STORIES } from '../whatsapp/port/stories.ts';
import { holdsAccount } from './account.ts';
import { handOver } from './delivery.ts';
import type { SendingDevices } from './pipeline.ts';
import { parseRecipient, type Recipients } from './recipients.ts';

export interface UnknownEndsParts {
  db: Kysely<Database>;
  archive: MessageArchive;
  devices: Pick<SendingDevices, 'session'>;
  recipients: Recipients;
  clock: Clock;
  log: Log;
  tenantIds(): Promise<string[]>;
  /** Milliseconds after which a message is not sent any more. */
  lateMs: number;
}

const LOOK_EVERY_MS = 30_000;
/** On an open connection receipts and copies come at once, also those of the time without one. */
const PROOF_WITHIN_MS = 60_000;
/** A job is asked for as long (jobs/job-runner.ts). */
const LONGEST_UNKNOWN_MS = 24 * 3600_000;
const BATCH = 500;
const UNCONFIRMED = 'UNCONFIRMED: WhatsApp never confirmed it, and it is not known whether it arrived';

type Stanza = Pick<OutboundMessage, 'editAttribute' | 'extraNodes'>;

/**
 * WhatsApp's apps show the clock and send again under the same id when they are connected again; whatsmeow does so
 * once, within 5 s (request.go retryFrame). Phones show a message that comes twice under one id once, so a send
 * without an ack is not guessed about: it is sent again, and the ack tells. Once on each connection, when nothing
 * has proved by then that the first one arrived, and only as long as a job would be.
 */
export class UnknownEnds {
  readonly #parts: UnknownEndsParts;
  /** On each connection: when a row was seen first (monotonic), or that it was sent again. */
  readonly #seen = new WeakMap<WhatsAppSession, Map<string, number | 'sent again'>>();
  #cancel: () => void = () => undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(parts: UnknownEndsParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.#next();
  }

  /** What is on its way is left to the next start: its row says that its end is not known. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#looking;
  }

  #next(): void {
    if (this.#stopped) return;
    this.#cancel = this.#parts.clock.after(LOOK_EVERY_MS, () => {
      this.#looking = this.#look()
        .catch((err) => this.#parts.log.error({ err }, 'sends without a known end could not be looked for'))
        .finally(() => this.#next());
    });
  }

  async #look(): Promise<void> {
    const { archive, tenantIds } = this.#parts;
    for (const tenantId of await tenantIds()) {
      for (const message of await archive.outbound.uncertain(tenantId, BATCH)) {
        if (this.#stopped) return;
        await this.#conclude(message).catch((err) =>
          this.#parts.log.warn({ err, message_id: message.messageId }, 'a send was not sent again'),
        );
      }
    }
  }

  async #conclude(message: StoredMessage): Promise<void> {
    const { archive, clock, lateMs } = this.#parts;
    const age = clock.now() - message.createdAt;
    if (await this.#belongsToJob(message)) return;
    if (age > LONGEST_UNKNOWN_MS) {
      await archive.outbound.markFailed(message.tenantId, message.rowId, UNCONFIRMED);
      return;
    }
    const stanza = stanzaOf(message);
    // What its author has deleted since is not wanted any more.
    if (!stanza || age > lateMs || message.revokedAt !== null || message.hiddenAt !== null) return;
    const device = await this.#deviceOf(message);
    const session = device && this.#sessionOf(device);
    if (!device || !session || !holdsAccount(device, senderOf(message))) return;
    if (this.#isDue(session, message)) await this.#sendAgain(session, device, message, stanza);
  }

  #isDue(session: WhatsAppSession, { rowId }: StoredMessage): boolean {
    const now = this.#parts.clock.monotonic();
    const rows = this.#seen.get(session) ?? new Map<string, number | 'sent again'>();
    this.#seen.set(session, rows);
    const since = rows.get(rowId) ?? now;
    const due = since !== 'sent again' && now - since >= PROOF_WITHIN_MS;
    rows.set(rowId, due ? 'sent again' : since);
    return due;
  }

  async #sendAgain(
    session: WhatsAppSession,
    device: MessageDevice,
    message: StoredMessage,
    stanza: Stanza,
  ): Promise<void> {
    const { archive, recipients } = this.#parts;
    const wire = await archive.contents.wire(message);
    if (!wire) return;
    const { to } = await recipients.resolve(session, device, parseRecipient(message.chatJid, 'chat'));
    // A caller may have repeated it meanwhile, or a receipt come.
    const rows = await archive.stored.withId(message.tenantId, message.messageId);
    const row = rows.find(({ rowId }) => rowId === message.rowId);
    if (!row || !isUncertain(row)) return;
    await archive.outbound.repeat(row);
    const out = { to, id: row.messageId, message: wire, ...stanza };
    await handOver(archive, session, { row, earlier: row, out }).catch((error: unknown) => {
      // Its row tells of it.
      if (!(error instanceof AppError)) throw error;
    });
  }

  async #belongsToJob({ deviceId, messageId }: StoredMessage): Promise<boolean> {
    const job = await this.#parts.db
      .selectFrom('send_jobs')
      .select('id')
      .where('device_id', '=', deviceId)
      .where('message_id', '=', messageId)
      .where('finished_at', 'is', null)
      .limit(1)
      .executeTakeFirst();
    return job !== undefined;
  }

  async #deviceOf({ tenantId, deviceId }: StoredMessage): Promise<MessageDevice | null> {
    const row = await this.#parts.db
      .selectFrom('devices')
      .select(['id', 'user_id', 'jid', 'lid'])
      .where('tenant_id', '=', tenantId)
      .where('id', '=', deviceId)
      .executeTakeFirst();
    return row ? { id: row.id, tenantId, userId: row.user_id, jid: row.jid, lid: row.lid } : null;
  }

  #sessionOf(device: MessageDevice): WhatsAppSession | null {
    try {
      return this.#parts.devices.session(device);
    } catch (error) {
      if (error instanceof AppError) return null;
      throw error;
    }
  }
}

/** Kinds whose stanza says more than is stored of them: they are given up instead. */
const NOT_AGAIN = new Set(['buttons', 'list', 'template', 'product', 'buttons_response', 'list_response']);

/** What the stanza says beside the message; null when that is not known any more. */
function stanzaOf({ chatJid, kind, context }: StoredMessage): Stanza | null {
  // Who gets a story is known to the one who takes it there (stories/distribution.ts).
  if (NOT_AGAIN.has(kind) || chatJid === STORIES) return null;
  if (kind === 'edit') return { editAttribute: '1' };
  if (kind === 'pin') return { editAttribute: '2' };
  if (kind === 'revoke') return { editAttribute: context.byAdmin ? '8' : '7' };
  if (kind === 'poll') return { extraNodes: [{ tag: 'meta', attrs: { polltype: 'creation' } }] };
  if (kind === 'event') return { extraNodes: [{ tag: 'meta', attrs: { event_type: 'creation' } }] };
  return {};
}
