import { createDecipheriv } from 'node:crypto';
import type { MediaRetryResult } from '../../whatsapp/port/media.ts';
import { mediaRetryKey } from '../keys.ts';

const GCM_TAG_BYTES = 16;

/** MediaRetryNotification.ResultType (WAMmsRetry.proto). */
const RESULTS = ['general_error', 'success', 'not_found', 'decryption_error'] as const;

interface ProtobufField {
  number: number;
  /** Varint fields. */
  value: number;
  /** Length-delimited fields. */
  bytes: Buffer;
}

/** Reads the varint and length-delimited fields of one message; skips fixed ones. Throws on malformed input. */
function* protobufFields(message: Buffer): Generator<ProtobufField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = message[at];
      if (byte === undefined) throw new Error('truncated protobuf');
      at += 1;
      // Multiplication, not <<: lengths and enums fit in 53 bits, not in a signed 32.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('protobuf varint too long');
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) {
      yield { number, value: varint(), bytes: Buffer.alloc(0) };
    } else {
      const length = wireType === 2 ? varint() : wireType === 1 ? 8 : wireType === 5 ? 4 : -1;
      if (length < 0 || at + length > message.length) throw new Error('malformed protobuf');
      if (wireType === 2) yield { number, value: 0, bytes: message.subarray(at, at + length) };
      at += length;
    }
  }
}

/**
 * Opens the phone's answer to a re-upload request: AES-256-GCM under a key derived from the media key, with
 * the message id as additional data (whatsmeow mediaretry.go DecryptMediaRetryNotification), holding
 * `{1: stanzaId, 2: directPath, 3: result}`.
 *
 * Returns null when it does not open with this key, or speaks of another message.
 */
export function openRetryNotification(
  sealed: { ciphertext: Uint8Array; iv: Uint8Array },
  mediaKey: Uint8Array,
  messageId: string,
): MediaRetryResult | null {
  const cut = sealed.ciphertext.length - GCM_TAG_BYTES;
  let plaintext: Buffer;
  try {
    const decipher = createDecipheriv('aes-256-gcm', mediaRetryKey(mediaKey), sealed.iv, {
      authTagLength: GCM_TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(messageId));
    decipher.setAuthTag(sealed.ciphertext.subarray(cut));
    plaintext = Buffer.concat([decipher.update(sealed.ciphertext.subarray(0, cut)), decipher.final()]);
  } catch {
    // Also where it is shorter than its tag, or has no IV.
    return null;
  }
  let stanzaId: string | null = null;
  let directPath: string | null = null;
  let result: number = 0;
  try {
    for (const field of protobufFields(plaintext)) {
      if (field.number === 1) stanzaId = field.bytes.toString('utf8');
      else if (field.number === 2) directPath = field.bytes.toString('utf8');
      else if (field.number === 3) result = field.value;
    }
  } catch {
    return { result: 'general_error', directPath: null };
  }
  if (stanzaId !== null && stanzaId !== messageId) return null;
  const named = RESULTS[result] ?? 'general_error';
  if (named !== 'success') return { result: named, directPath: null };
  // A success without a path helps nobody.
  return directPath?.startsWith('/')
    ? { result: named, directPath }
    : { result: 'general_error', directPath: null };
}
