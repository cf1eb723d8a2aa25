/** Opening a poll vote: who voted is in the clear, what was chosen is encrypted under the poll's secret. */
import { createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { levels, unwrapped } from '../whatsapp/port/envelopes.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';
import { cutText, LONGEST_NAME, LONGEST_WORD, MOST_OPTIONS } from './bounds.ts';
import { member } from './wire-content.ts';

const GCM_TAG_BYTES = 16;
const HASH_BYTES = 32;
/** Of every message secret (whatsmeow send.go makes 32 random bytes). */
const SECRET_BYTES = 32;

/** The poll creations of waE2E.Message; the fourth is an envelope. */
const CREATIONS = [
  'pollCreationMessage',
  'pollCreationMessageV2',
  'pollCreationMessageV3',
  'pollCreationMessageV5',
] as const;

export interface PollContent {
  name: string;
  options: HashedOption[];
  /** 32 bytes; without it votes stay closed. */
  secret: Uint8Array;
}

/** An option as it is shown, and the hash of its whole name, by which votes choose it. */
export interface HashedOption {
  name: string;
  /** SHA-256, hex. */
  hash: string;
}

export interface EncryptedVote {
  /** AES-256-GCM ciphertext with its tag. */
  payload: Uint8Array;
  /** 12 bytes. */
  iv: Uint8Array;
}

/** What a poll's message says; null when it is no poll or carries no secret. */
export function pollContent(message: WireMessage): PollContent | null {
  const secret = messageSecret(message);
  const poll = pollCreation(unwrapped(message));
  if (!poll || !secret) return null;
  const options = Array.isArray(poll.options) ? (poll.options as WireMessage[]) : [];
  return {
    name: typeof poll.name === 'string' ? cutText(poll.name, LONGEST_WORD) : '',
    options: hashedOptions(options.slice(0, MOST_OPTIONS)),
    secret,
  };
}

/**
 * What changes of a message are sealed under, and votes: 32 bytes, or null when it carries none. In which envelope
 * it is, or outside of them all, differs by client (whatsmeow `UnwrapRaw`).
 */
export function messageSecret(message: WireMessage): Uint8Array | null {
  for (const level of levels(message)) {
    const secret = member(level.message, 'messageContextInfo')?.messageSecret;
    if (secret instanceof Uint8Array && secret.length === SECRET_BYTES) return secret;
  }
  return null;
}

function hashedOptions(options: readonly WireMessage[]): HashedOption[] {
  const hashed = new Map<string, HashedOption>();
  for (const option of options) {
    const name = optionName(option);
    if (name === null) continue;
    const hash = createHash('sha256').update(String(option.optionName)).digest('hex');
    if (!hashed.has(hash)) hashed.set(hash, { name, hash });
  }
  return [...hashed.values()];
}

/** The name of an option as it is shown; null for none. */
export function optionName({ optionName: name }: WireMessage): string | null {
  return typeof name === 'string' ? cutText(name, LONGEST_NAME) : null;
}

/** The poll inside of a message without envelopes, whichever client made it. */
export function pollCreation(message: WireMessage): WireMessage | null {
  for (const name of CREATIONS) {
    const found = member(message, name);
    if (found) return found;
  }
  return null;
}

/** The encrypted part of a vote's message; null when there is none. */
export function encryptedVote(message: WireMessage): EncryptedVote | null {
  const update = member(unwrapped(message), 'pollUpdateMessage');
  const vote = update && member(update, 'vote');
  if (!(vote?.encPayload instanceof Uint8Array) || !(vote.encIv instanceof Uint8Array)) return null;
  return { payload: vote.encPayload, iv: vote.encIv };
}

/**
 * The hashes of the options chosen, or null when the vote does not open. The key is HKDF-SHA256 of the
 * poll's secret over poll id, creator, voter and use; poll id and voter are the additional data (whatsmeow
 * msgsecret.go `generateMsgSecretKey`, use `Poll Vote`). Clients differ in whether creator and voter are
 * written as LID or as phone number, so every combination of their names is tried.
 */
export function openVote(
  vote: EncryptedVote,
  poll: { id: string; secret: Uint8Array; creators: readonly Jid[]; voters: readonly Jid[] },
): Uint8Array[] | null {
  for (const creator of poll.creators) {
    for (const voter of poll.voters) {
      const plaintext = decrypt(vote, poll, creator, voter);
      if (plaintext) return selectedOptions(plaintext);
    }
  }
  return null;
}

function decrypt(
  { payload, iv }: EncryptedVote,
  poll: { id: string; secret: Uint8Array },
  creator: Jid,
  voter: Jid,
): Buffer | null {
  if (payload.length < GCM_TAG_BYTES || iv.length === 0) return null;
  const cut = payload.length - GCM_TAG_BYTES;
  try {
    const use = Buffer.from(`${poll.id}${creator}${voter}Poll Vote`);
    const key = hkdfSync('sha256', poll.secret, new Uint8Array(0), use, 32);
    const decipher = createDecipheriv('aes-256-gcm', new Uint8Array(key), iv, {
      authTagLength: GCM_TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(`${poll.id}\0${voter}`));
    decipher.setAuthTag(payload.subarray(cut));
    return Buffer.concat([decipher.update(payload.subarray(0, cut)), decipher.final()]);
  } catch {
    // Another pair of names may fit; a message id longer than HKDF takes fits none.
    return null;
  }
}

/**
 * waE2E.PollVoteMessage is `{1: repeated bytes selectedOptions}`, each a SHA-256: other shapes are nothing
 * that a client made, and end the reading.
 */
function selectedOptions(message: Buffer): Uint8Array[] {
  const found: Uint8Array[] = [];
  const entry = 2 + HASH_BYTES;
  for (let at = 0; message[at] === 0x0a && message[at + 1] === HASH_BYTES; at += entry) {
    if (at + entry > message.length) break;
    found.push(message.subarray(at + 2, at + entry));
  }
  return found;
}

/** The options' names in the poll's order; `unknown` counts the hashes that are of none of them. */
export function namedOptions(
  options: readonly HashedOption[],
  hashes: readonly Uint8Array[],
): { names: string[]; unknown: number } {
  const chosen = new Set(hashes.map((hash) => Buffer.from(hash).toString('hex')));
  const names = options.filter(({ hash }) => chosen.delete(hash)).map(({ name }) => name);
  return { names, unknown: chosen.size };
}
