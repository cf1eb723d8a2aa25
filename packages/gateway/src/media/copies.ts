import { timingSafeEqual } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import type { DeviceId, MessageId, RecordId, TenantId } from '../ids.ts';
import { HotQuery } from '../storage/hot-query.ts';
import type { Database, MediaTable, MessagesTable } from '../storage/schema.ts';
import type { MediaKind } from '../whatsapp/port/media.ts';
import { type MediaVault, openMediaKey } from './descriptor-row.ts';
import type { MediaPromise } from './download/decrypt.ts';
import { mediaKeyFingerprint } from './keys.ts';

/** One device's copy of a message's media. */
export interface MediaCopy {
  rowId: RecordId;
  tenantId: TenantId;
  deviceId: DeviceId;
  messageId: MessageId;
  chatJid: string;
  chatLid: string | null;
  senderJid: string;
  senderLid: string | null;
  /** Our phone knows the chat, in a group the author, by LID. */
  lidAddressed: boolean;
  /** The broadcast list by which it came. */
  broadcastList: string | null;
  fromMe: boolean;
  isGroup: boolean;
  kind: MediaKind;
  mimeType: string;
  fileName: string | null;
  fileLength: number | null;
  /** 32 bytes; empty for channel media. A secret, opened when it is read: a warm download needs none. */
  readonly mediaKey: Uint8Array;
  directPath: string | null;
  /** Hex, as the sender wrote it. */
  sha256: string | null;
  encSha256: string | null;
  /** Hex: the file this copy may be served from, once possession was proved. */
  blobSha256: string | null;
  gone: boolean;
  /** Notes that its file is `sha256` (hex, computed). */
  proved(sha256: string): Promise<void>;
}

const COLUMNS = [
  'messages.id as row_id',
  'messages.tenant_id',
  'messages.device_id',
  'messages.message_id',
  'messages.chat_jid',
  'messages.chat_lid',
  'messages.sender_jid',
  'messages.sender_lid',
  'messages.from_me',
  'messages.is_group',
  'media.message_row_id',
  'media.kind',
  'media.mime_type',
  'media.file_name',
  'media.file_length',
  'media.media_key',
  'media.direct_path',
  'media.sha256',
  'media.enc_sha256',
  'media.blob_sha256',
  'media.lid_addressed',
  'media.broadcast_list',
  'media.outcome',
] as const;

/**
 * The media rows, and the one rule of who may read which cached file.
 *
 * The cache is addressed by content and shared by all tenants, and the hash in a message is whatever its
 * sender wrote. If a hash alone opened the cache, anyone could send a message with the hash of another tenant's
 * file and read that file. So a row is served from the cache only when its `blob_sha256` is set, and that
 * happens in three cases:
 * 1. this row's ciphertext was downloaded, opened with this row's key and verified (`computed` hash, not claimed);
 * 2. another row of the same tenant with the same ciphertext hash and the same media key was: whoever holds
 *    both can open the file anyway;
 * 3. we encrypted it ourselves (own-uploads.ts).
 */
export class MediaCopies {
  readonly #db: Kysely<Database>;
  readonly #vault: MediaVault;
  readonly #clock: Clock;

  constructor(parts: { db: Kysely<Database>; vault: MediaVault; clock: Clock }) {
    this.#db = parts.db;
    this.#vault = parts.vault;
    this.#clock = parts.clock;
  }

  /** Those of the rows that have media, in the order given. */
  async copies(rowIds: readonly string[]): Promise<MediaCopy[]> {
    const copies: MediaCopy[] = [];
    for (const rowId of rowIds) {
      const copy = await this.copy(rowId);
      if (copy) copies.push(copy);
    }
    return copies;
  }

  /** One copy by our own row id, which no one outside of the process chooses. */
  async copy(rowId: RecordId): Promise<MediaCopy | null> {
    const [row] = await COPY.rows(this.#db, { rowId });
    return row ? this.#copy(row) : null;
  }

  /** The file of a copy with the same ciphertext and key whose possession was proved (case 2). */
  async provenTwin(copy: MediaCopy): Promise<string | null> {
    if (copy.blobSha256) return copy.blobSha256;
    if (!copy.encSha256 || copy.mediaKey.length === 0) return null;
    const rows = await this.#db
      .selectFrom('media')
      .select(['message_row_id', 'media_key', 'kind', 'blob_sha256'])
      .where('tenant_id', '=', copy.tenantId)
      .where('enc_sha256', '=', copy.encSha256)
      .where('blob_sha256', 'is not', null)
      .limit(5)
      .execute();
    const mine = Buffer.from(mediaKeyFingerprint(copy.kind, copy.mediaKey));
    for (const row of rows) {
      const theirs = Buffer.from(mediaKeyFingerprint(row.kind, openMediaKey(row, this.#vault)));
      if (!timingSafeEqual(mine, theirs)) continue;
      // The sender's plaintext hash must hold for this copy too.
      if (copy.sha256 === null || copy.sha256 === row.blob_sha256) return row.blob_sha256;
    }
    return null;
  }

  async renewPath(trx: Transaction<Database>, copy: MediaCopy, directPath: string): Promise<void> {
    const change = { direct_path: directPath, outcome: 'available', outcome_at: this.#clock.now() } as const;
    await this.#update(copy.tenantId, copy.rowId, change, trx);
  }

  async markGone(trx: Transaction<Database>, copy: MediaCopy): Promise<void> {
    const change = { outcome: 'gone', outcome_at: this.#clock.now() } as const;
    await this.#update(copy.tenantId, copy.rowId, change, trx);
  }

  async #update(
    tenantId: TenantId,
    rowId: RecordId,
    values: {
      blob_sha256?: string;
      direct_path?: string;
      outcome?: 'available' | 'gone';
      outcome_at?: number;
    },
    db: Kysely<Database> = this.#db,
  ): Promise<void> {
    await db
      .updateTable('media')
      .set(values)
      .where('tenant_id', '=', tenantId)
      .where('message_row_id', '=', rowId)
      .execute();
  }

  #copy(row: JoinedRow): MediaCopy {
    const vault = this.#vault;
    return {
      rowId: row.row_id,
      tenantId: row.tenant_id,
      deviceId: row.device_id,
      messageId: row.message_id,
      chatJid: row.chat_jid,
      chatLid: row.chat_lid,
      senderJid: row.sender_jid,
      senderLid: row.sender_lid,
      lidAddressed: row.lid_addressed === 1,
      broadcastList: row.broadcast_list,
      fromMe: row.from_me === 1,
      isGroup: row.is_group === 1,
      kind: row.kind,
      mimeType: row.mime_type,
      fileName: row.file_name,
      fileLength: row.file_length,
      get mediaKey() {
        return openMediaKey(row, vault);
      },
      directPath: row.direct_path,
      sha256: row.sha256,
      encSha256: row.enc_sha256,
      blobSha256: row.blob_sha256,
      gone: row.outcome === 'gone',
      proved: (sha256) => this.#update(row.tenant_id, row.row_id, { blob_sha256: sha256 }),
    };
  }
}

type JoinedRow = Pick<
  MessagesTable,
  | 'tenant_id'
  | 'device_id'
  | 'message_id'
  | 'chat_jid'
  | 'chat_lid'
  | 'sender_jid'
  | 'sender_lid'
  | 'from_me'
  | 'is_group'
> &
  Omit<MediaTable, 'tenant_id' | 'device_id' | 'seconds' | 'width' | 'height' | 'outcome_at'> & {
    row_id: RecordId;
  };

/** Asked for every download. */
const COPY = new HotQuery<{ rowId: RecordId }, JoinedRow>((db, { rowId }) =>
  db
    .selectFrom('messages')
    .innerJoin('media', 'media.message_row_id', 'messages.id')
    .select(COLUMNS)
    .where('messages.id', '=', rowId),
);

/** What the sender promised about the copy's file. */
export function promiseOf(copy: MediaCopy): MediaPromise {
  return {
    kind: copy.kind,
    mediaKey: copy.mediaKey,
    fileSha256: copy.sha256 ? Buffer.from(copy.sha256, 'hex') : null,
    fileEncSha256: copy.encSha256 ? Buffer.from(copy.encSha256, 'hex') : null,
    fileLength: copy.fileLength,
  };
}
