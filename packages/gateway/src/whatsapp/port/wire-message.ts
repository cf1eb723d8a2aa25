import type { MessageContent, SealedUse } from './content.ts';

/**
 * A waE2E.Message as a plain object: the field names are those of WhatsApp's public protobuf
 * schema in camelCase (`conversation`, `extendedTextMessage`, `imageMessage`…), bytes are Uint8Array.
 * Content builders in `sending/content/` produce it; the engine encodes it. Keeping the schema's
 * names means that a new kind of message is one file, and no engine's types are needed to write it.
 */
export interface WireMessage {
  readonly [field: string]: unknown;
}

/** A change as it would have been without a seal. */
export interface OpenedChange {
  /** Encoded waE2E.Message; may be put behind the sealed one. Empty where there is no such form. */
  bytes: Uint8Array;
  content: MessageContent;
}

/** Turns a WireMessage into the bytes that are stored and sent, and back. The engine provides it. */
export interface WireCodec {
  /** Encoded waE2E.Message, without padding. */
  encode(message: WireMessage): Uint8Array;
  /** Fields that were not set are absent; bytes are Uint8Array. Throws on bytes that are no message. */
  decode(bytes: Uint8Array): WireMessage;
  /** What an encoded message says in our terms. Throws on bytes that are no message. */
  content(bytes: Uint8Array): MessageContent;
  /** What a sealed change says, once it is open; null for bytes that make no sense for the use. */
  openedChange(use: SealedUse, plaintext: Uint8Array): OpenedChange | null;
}
