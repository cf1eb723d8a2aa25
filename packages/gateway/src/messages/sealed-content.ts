/** The encoded content of stored messages: sealed at rest, opened and decoded for who asks. */
import type { Kysely } from 'kysely';
import type { RecordId } from '../ids.ts';
import type { Database } from '../storage/schema.ts';
import { SEALED } from '../storage/sealed.ts';
import type { Vault } from '../storage/vault.ts';
import type { MediaDescriptor } from '../whatsapp/port/media.ts';
import type { WireCodec, WireMessage } from '../whatsapp/port/wire-message.ts';
import { boundedFile } from './bounds.ts';
import { detailsInContext, hasDetails, wireDetails } from './details/wire-details.ts';
import type { StoredMessage } from './stored-message.ts';

export class SealedContent {
  readonly #db: Kysely<Database>;
  readonly #vault: Vault;
  readonly #codec: WireCodec;

  constructor(parts: { db: Kysely<Database>; vault: Vault; codec: WireCodec }) {
    this.#db = parts.db;
    this.#vault = parts.vault;
    this.#codec = parts.codec;
  }

  /** What the row keeps of an encoded message. */
  seal(rowId: RecordId, raw: Uint8Array): Uint8Array {
    // Media keys travel inside the protobuf, and media keys are encrypted at rest.
    return this.#vault.seal(raw, SEALED.message.at({ id: rowId }));
  }

  /** The encoded message again. */
  open(rowId: RecordId, sealed: Uint8Array): Uint8Array {
    return this.#vault.open(sealed, SEALED.message.at({ id: rowId }));
  }

  encode(rowId: RecordId, message: WireMessage): Uint8Array {
    return this.seal(rowId, this.#codec.encode(message));
  }

  /** Encoded waE2E.Message of a stored message; null when the row is gone. Empty when it was never decrypted. */
  async read(
    { tenantId, rowId }: Pick<StoredMessage, 'tenantId' | 'rowId'>,
    db: Kysely<Database> = this.#db,
  ): Promise<Uint8Array | null> {
    const row = await db
      .selectFrom('messages')
      .select('raw')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', rowId)
      .executeTakeFirst();
    return row ? this.open(rowId, row.raw) : null;
  }

  /** The same, decoded; null when it was never decrypted. */
  async decoded(message: Pick<StoredMessage, 'tenantId' | 'rowId'>): Promise<WireMessage | null> {
    const raw = await this.read(message);
    return raw && raw.length > 0 ? this.#codec.decode(raw) : null;
  }

  /** The files of a stored message beside its first, in the order in which they are shown. */
  async furtherFiles(
    message: Pick<StoredMessage, 'tenantId' | 'rowId'>,
  ): Promise<readonly MediaDescriptor[]> {
    const raw = await this.read(message);
    return raw && raw.length > 0 ? (this.#codec.content(raw).furtherMedia ?? []).map(boundedFile) : [];
  }

  /** What the kind of a stored message adds to its answers and events; null for kinds that add nothing. */
  async details(
    message: Pick<StoredMessage, 'tenantId' | 'rowId' | 'kind' | 'context' | 'chatJid'>,
    db: Kysely<Database> = this.#db,
  ): Promise<Record<string, unknown> | null> {
    const known = detailsInContext(message.context);
    const of = { kind: message.kind, chat: message.chatJid };
    if (known || !hasDetails(of)) return known;
    const raw = await this.read(message, db);
    return raw && wireDetails(of, raw, this.#codec);
  }
}
