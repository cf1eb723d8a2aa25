import type { DeviceId, RecordId, TenantId } from '../ids.ts';
import type { MediaTable } from '../storage/schema.ts';
import { SEALED } from '../storage/sealed.ts';
import type { Vault } from '../storage/vault.ts';
import type { MediaDescriptor } from '../whatsapp/port/media.ts';
import { ownUpload } from './own-uploads.ts';

/** The part of the vault that media needs. */
export type MediaVault = Pick<Vault, 'seal' | 'open'>;

export interface MediaOwner {
  messageRowId: RecordId;
  tenantId: TenantId;
  deviceId: DeviceId;
  /** See `InboundMessage.lidAddressed`. */
  lidAddressed?: boolean;
  /** By which it came. */
  broadcastList?: string | null;
}

/** Null as well for a hash that is empty: protobuf has no other word for none. */
export function hexOfHash(bytes: Uint8Array | null): string | null {
  return bytes && bytes.length > 0 ? Buffer.from(bytes).toString('hex') : null;
}

/** The row that keeps a message's media descriptor; written in the transaction that stores the message. */
export function mediaRow(descriptor: MediaDescriptor, owner: MediaOwner, vault: MediaVault): MediaTable {
  return {
    message_row_id: owner.messageRowId,
    tenant_id: owner.tenantId,
    device_id: owner.deviceId,
    kind: descriptor.kind,
    mime_type: descriptor.mimeType,
    file_name: descriptor.fileName,
    file_length: descriptor.fileLength,
    media_key: vault.seal(descriptor.mediaKey, SEALED.mediaKey.at({ message_row_id: owner.messageRowId })),
    direct_path: descriptor.directPath,
    sha256: hexOfHash(descriptor.fileSha256),
    enc_sha256: hexOfHash(descriptor.fileEncSha256),
    blob_sha256: ownUpload(descriptor.mediaKey),
    seconds: descriptor.seconds,
    width: descriptor.width,
    height: descriptor.height,
    lid_addressed: owner.lidAddressed ? 1 : 0,
    broadcast_list: owner.broadcastList ?? null,
    outcome: 'available',
    outcome_at: null,
  };
}

/** Opens the media key of a row. 32 bytes; empty for channel media. */
export function openMediaKey(
  row: { message_row_id: string; media_key: Uint8Array },
  vault: MediaVault,
): Uint8Array {
  return vault.open(row.media_key, SEALED.mediaKey.at(row));
}
