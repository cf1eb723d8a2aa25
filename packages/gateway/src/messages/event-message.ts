/** A stored message in the form in which events and answers speak of it. */
import type { Kysely } from 'kysely';
import type { EventMedia, EventMessage } from '../events/payloads/message.ts';
import { mayHaveFile } from '../media/keys.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { MessageContent } from '../whatsapp/port/content.ts';
import type { MediaDescriptor, MediaKind } from '../whatsapp/port/media.ts';
import { chatOf, type StoredMessage, senderOf } from './stored-message.ts';

/** The files of a message: the first, and the others. */
export interface EventFiles {
  media: EventMedia | null;
  furtherMedia: EventMedia[];
}

export const NO_FILES: EventFiles = { media: null, furtherMedia: [] };

/** `details`: what its kind adds (`wire-details.ts`). */
export function eventMessage(
  row: StoredMessage,
  files: EventFiles,
  details: Record<string, unknown> | null,
): EventMessage {
  return {
    ...eventHead(row),
    kind: row.kind,
    text: row.text,
    editedAt: row.editedAt,
    revokedAt: row.revokedAt,
    ...row.context,
    ...files,
    details,
  };
}

/** Who wrote what where and when. */
export function eventHead(row: StoredMessage) {
  return {
    messageId: row.messageId,
    recordId: row.rowId,
    account: row.accountJid,
    chat: chatOf(row),
    sender: senderOf(row),
    fromMe: row.fromMe,
    isGroup: row.isGroup,
    pushName: row.pushName,
    source: row.source,
    timestamp: row.timestamp,
    serverId: row.serverId,
  };
}

/** The files of a message as it says. */
export function filesOf(content: Pick<MessageContent, 'media' | 'furtherMedia'>): EventFiles {
  return {
    media: content.media && fromDescriptor(content.media),
    furtherMedia: (content.furtherMedia ?? []).map(fromDescriptor),
  };
}

export function fromDescriptor(media: MediaDescriptor): EventMedia {
  const { kind, mimeType, fileName, fileLength, fileSha256, seconds, width, height } = media;
  const sha256 = fileSha256 && Buffer.from(fileSha256).toString('hex');
  return { kind, mimeType, fileName, size: fileLength, sha256, seconds, width, height };
}

/** The first files of one tenant's messages, by row id. */
export async function loadMedia(
  db: Kysely<Database>,
  tenantId: string,
  rows: readonly Pick<StoredMessage, 'rowId' | 'kind'>[],
): Promise<Map<string, EventMedia>> {
  const ids = rows.filter(({ kind }) => mayHaveFile(kind)).map(({ rowId }) => rowId);
  if (ids.length === 0) return new Map();
  const found = await db
    .selectFrom('media')
    .select([
      'message_row_id',
      'kind',
      'mime_type',
      'file_name',
      'file_length',
      'sha256',
      'seconds',
      'width',
      'height',
    ])
    .where(checkedTenant(tenantId))
    .where('message_row_id', 'in', ids)
    .execute();
  return new Map(
    found.map((media) => [
      media.message_row_id,
      {
        kind: media.kind as MediaKind,
        mimeType: media.mime_type,
        fileName: media.file_name,
        size: media.file_length,
        sha256: media.sha256,
        seconds: media.seconds,
        width: media.width,
        height: media.height,
      },
    ]),
  );
}
