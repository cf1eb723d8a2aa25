import type { Jid } from './identity.ts';
import type { Route } from './route.ts';

export type MediaKind = 'image' | 'video' | 'audio' | 'voice' | 'document' | 'sticker' | 'sticker_pack';

/** Everything needed to fetch, decrypt and verify one media file, as the message carried it. */
export interface MediaDescriptor {
  kind: MediaKind;
  mimeType: string;
  fileName: string | null;
  /** Plaintext length in bytes as the sender says; checked after decryption when present. */
  fileLength: number | null;
  /** 32 bytes. A secret: encrypted at rest, never logged. */
  mediaKey: Uint8Array;
  /** Path on the media hosts, or null when the sender never uploaded it. */
  directPath: string | null;
  /** SHA-256 of the plaintext, 32 bytes. */
  fileSha256: Uint8Array | null;
  /** SHA-256 of the ciphertext including its 10-byte MAC, 32 bytes. */
  fileEncSha256: Uint8Array | null;
  seconds: number | null;
  width: number | null;
  height: number | null;
  /** What the host answered to the upload of a file for a channel; with its message it goes to the server, and is not kept. */
  uploadHandle?: string;
}

/** How a phone answers a re-upload request (MediaRetryNotification.ResultType). */
export type MediaRetryResult =
  | { result: 'success'; directPath: string }
  | { result: 'not_found' | 'decryption_error' | 'general_error'; directPath: null };

/** The still encrypted answer: the media key that opens it is with the stored message. */
export interface SealedRetryAnswer {
  messageId: string;
  chat: Jid;
  fromMe: boolean;
  participant: Jid | null;
  /** AES-256-GCM ciphertext and 12-byte IV, or null when the server refused with `errorCode`. */
  encrypted: { ciphertext: Uint8Array; iv: Uint8Array } | null;
  /** Code of the `<error>` element; 2 = the phone does not have the media. */
  errorCode: number | null;
}

/** Where media is stored, and the ticket to upload there (`<media_conn>`). */
export interface MediaConnection {
  /** Host names, best first, possibly with a port: `mmg.whatsapp.net`. */
  hosts: string[];
  auth: string;
  /** Milliseconds since the epoch after which it must be fetched again. */
  expiresAt: number;
  /** The way there, which is the session's own; null: directly. */
  route: Route | null;
}

/** The media hosts, and what our own phone can upload there once more. */
export interface SessionMedia {
  /** Where files are stored, and the ticket to upload there; `refresh` asks the server again. */
  connection(refresh?: boolean): Promise<MediaConnection>;
  /** Sends the `server-error` receipt: asks our account's phone to upload the media again. */
  requestReupload(request: {
    messageId: string;
    chat: Jid;
    fromMe: boolean;
    participant: Jid | null;
    mediaKey: Uint8Array;
  }): Promise<void>;
}
