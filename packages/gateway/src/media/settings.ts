import type { MediaKind } from '../whatsapp/port/media.ts';

/** The `media` part of the configuration; each is documented where it is parsed. */
export interface MediaSettings {
  prefetch: boolean;
  /** Larger files wait until someone asks for them. */
  prefetchMaxBytes: number;
  prefetchKinds: MediaKind[];
  /** Largest file, in plaintext bytes, that is downloaded or uploaded at all. */
  maxBytes: number;
  cacheMaxBytes: number;
  /** Milliseconds since the last use. */
  cacheMaxAgeMs: number;
  /** Milliseconds for one whole download, resumptions included. */
  downloadTimeoutMs: number;
  /** Milliseconds after which an unanswered re-upload request counts as lost and may be sent again. */
  retryExpiryMs: number;
}
