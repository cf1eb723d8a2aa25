/**
 * What is encrypted under the secret of a message: votes in polls, what changes or answers a message, and what an
 * assistant answers. Who wrote it and which message is meant are in the clear.
 */
import { createDecipheriv, hkdfSync } from 'node:crypto';
import type { AssistantUse, SealedUse } from '../whatsapp/port/content.ts';
import { levels } from '../whatsapp/port/envelopes.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';
import { member } from './details/wire-content.ts';

/** Of every message secret (whatsmeow send.go makes 32 random bytes). */
const SECRET_BYTES = 32;
const GCM_TAG_BYTES = 16;

/** The use of a key, as it goes into its derivation (whatsmeow msgsecret.go `MsgSecretType`). */
const USES: Record<SealedUse | 'poll_vote', string> = {
  poll_vote: 'Poll Vote',
  message_edit: 'Message Edit',
  event_edit: 'Event Edit',
  poll_edit: 'Poll Edit',
  // As WhatsApp for Android and zapo (use-case-secret.ts) have it; whatsmeow opens it as an edit of the poll.
  poll_add_option: 'Poll Add Option',
  reaction: 'Enc Reaction',
  comment: 'Enc Comment',
  event_response: 'Event Response',
  // Said where the secret is derived: `assistantSecret`.
  assistant_answer: '',
  assistant_piece: '',
};

const ASSISTANT_USES: readonly (SealedUse | 'poll_vote')[] = [
  'assistant_answer',
  'assistant_piece',
] satisfies AssistantUse[];

/** Whose additional data are the id of the message and who wrote; others have none (`generateMsgSecretKey`). */
const WITH_ADDITIONAL_DATA: readonly string[] = ['poll_vote', 'event_response', ...ASSISTANT_USES];

export interface Sealed {
  /** AES-256-GCM ciphertext with its tag. */
  payload: Uint8Array;
  /** 12 bytes. */
  iv: Uint8Array;
}

/** The message under whose secret something is sealed, and who may have written the two. */
export interface SealedUnder {
  /** Id of the message; of an assistant's answer, its own. */
  id: string;
  secret: Uint8Array;
  authors: readonly Jid[];
  /** Names of the one who sealed. */
  writers: readonly Jid[];
}

/**
 * The secret of a message: 32 bytes, or null when it carries none. In which envelope it is, or outside of them all,
 * differs by client (whatsmeow `UnwrapRaw`).
 */
export function messageSecret(message: WireMessage): Uint8Array | null {
  for (const level of levels(message)) {
    const secret = member(level.message, 'messageContextInfo')?.messageSecret;
    if (secret instanceof Uint8Array && secret.length === SECRET_BYTES) return secret;
  }
  return null;
}

/** The two members that all sealed things have; null when either is missing. */
export function sealedIn(part: WireMessage | null): Sealed | null {
  if (!(part?.encPayload instanceof Uint8Array) || !(part.encIv instanceof Uint8Array)) return null;
  return { payload: part.encPayload, iv: part.encIv };
}

/**
 * What was sealed, or null when it does not open. The key is HKDF-SHA256 of the secret over message id, author,
 * writer and use (whatsmeow msgsecret.go `generateMsgSecretKey`). Clients differ in whether the two people are
 * written as LID or as phone number, so every combination of their names is tried.
 */
export function openSealed(sealed: Sealed, use: SealedUse | 'poll_vote', under: SealedUnder): Buffer | null {
  for (const author of under.authors) {
    for (const writer of under.writers) {
      const plaintext = decrypt(sealed, use, under, { author, writer });
      if (plaintext) return plaintext;
    }
  }
  return null;
}

/** Whether it is a part of an assistant's answer. */
export function isAssistantUse(use: SealedUse): use is AssistantUse {
  return ASSISTANT_USES.includes(use);
}

/** What an assistant is told of the secret of a message that asks it (whatsmeow msgsecret.go `applyBotMessageHKDF`). */
export function assistantSecret(secret: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), 'Bot Message', SECRET_BYTES));
}

function decrypt(
  { payload, iv }: Sealed,
  use: SealedUse | 'poll_vote',
  { id, secret }: SealedUnder,
  { author, writer }: { author: Jid; writer: Jid },
): Buffer | null {
  if (payload.length < GCM_TAG_BYTES || iv.length === 0) return null;
  const cut = payload.length - GCM_TAG_BYTES;
  try {
    const info = Buffer.from(`${id}${author}${writer}${USES[use]}`);
    const key = hkdfSync('sha256', secret, new Uint8Array(0), info, 32);
    const decipher = createDecipheriv('aes-256-gcm', new Uint8Array(key), iv, {
      authTagLength: GCM_TAG_BYTES,
    });
    if (WITH_ADDITIONAL_DATA.includes(use)) decipher.setAAD(Buffer.from(`${id}\0${writer}`));
    decipher.setAuthTag(payload.subarray(cut));
    return Buffer.concat([decipher.update(payload.subarray(0, cut)), decipher.final()]);
  } catch {
    // Another pair of names may fit; a message id longer than HKDF takes fits none.
    return null;
  }
}
