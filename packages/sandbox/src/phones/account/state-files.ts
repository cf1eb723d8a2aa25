import { proto } from 'baileys';
import type { Cdn } from '../../cdn/cdn.ts';
import { decryptMedia, encryptMedia } from '../media/media-crypto.ts';

/** The server's side of files of app state: it has their keys from the references, and makes snapshots itself. */
export function stateFiles(cdn: Cdn): {
  keep(bytes: Uint8Array): Uint8Array;
  read(reference: proto.IExternalBlobReference): Uint8Array;
} {
  return {
    keep: (bytes) => {
      const { mediaKey, ciphertext, fileSha256, fileEncSha256, fileLength } = encryptMedia(
        bytes,
        'md-app-state',
      );
      const directPath = cdn.keep('md-app-state', ciphertext);
      return proto.ExternalBlobReference.encode({
        mediaKey,
        directPath,
        fileSha256,
        fileEncSha256,
        fileSizeBytes: fileLength,
      }).finish();
    },
    read: ({ directPath, mediaKey }) => {
      const object = cdn.object(directPath ?? '');
      if (!object || !mediaKey) throw new Error('the patch refers to no file');
      return decryptMedia(object.bytes, 'md-app-state', { mediaKey });
    },
  };
}
