import type { MediaTable } from '../storage/schema.ts';
import type { MediaDescriptor } from '../whatsapp/port/media.ts';
import { ownUpload } from './own-uploads.ts';

/** The part of `storage/vault.ts` that media needs. */
export interface MediaVault {
  seal(plaintext: Uint8Array, context: string): Uint8Array;
  open(sealed: Uint8Array, context: string): Uint8Array;
}

export interface MediaOwner {
  messageRowId: string;
  tenantId: string;
  deviceId: string;
  /** See `InboundMessage.lidAddressed`. */
  lidAddressed?: boolean;
}

/** Binds a sealed media key to its row: one copied to another row does not open. */
function keyContext(messageRowId: string): string {
  return `media-key:${messageRowId}`;
}

function hex(bytes: Uint8Array | null): string | null {
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
    media_key: vault.seal(descriptor.mediaKey, keyContext(owner.messageRowId)),
    direct_path: descriptor.directPath,
    sha256: hex(descriptor.fileSha256),
    enc_sha256: hex(descriptor.fileEncSha256),
    blob_sha256: ownUpload(descriptor.mediaKey),
    seconds: descriptor.seconds,
    width: descriptor.width,
    height: descriptor.height,
    lid_addressed: owner.lidAddressed ? 1 : 0,
    outcome: 'available',
    outcome_at: null,
  };
}

/** Opens the media key of a row. 32 bytes; empty for channel media. */
export function openMediaKey(
  row: { message_row_id: string; media_key: Uint8Array },
  vault: MediaVault,
): Uint8Array {
  return vault.open(row.media_key, keyContext(row.message_row_id));
}
