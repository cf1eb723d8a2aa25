/** Opening a poll vote: who voted is in the clear, what was chosen is encrypted under the poll's secret. */
import { createHash } from 'node:crypto';
import { unwrapped } from '../../whatsapp/port/envelopes.ts';
import type { WireMessage } from '../../whatsapp/port/wire-message.ts';
import { cutText, LONGEST_NAME, LONGEST_WORD, MOST_OPTIONS } from '../bounds.ts';
import { member } from '../details/wire-content.ts';
import { messageSecret, openSealed, type Sealed, type SealedUnder, sealedIn } from '../message-secrets.ts';

const HASH_BYTES = 32;

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

/** The poll with further options: an edit changes them, and votes name those of either time. */
export function withOptions(poll: PollContent, names: readonly string[]): PollContent {
  const added = hashedOptions(names.slice(0, MOST_OPTIONS).map((optionName) => ({ optionName })));
  const known = new Set(poll.options.map(({ hash }) => hash));
  return { ...poll, options: [...poll.options, ...added.filter(({ hash }) => !known.has(hash))] };
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
export function encryptedVote(message: WireMessage): Sealed | null {
  const update = member(unwrapped(message), 'pollUpdateMessage');
  return sealedIn(update && member(update, 'vote'));
}

/** The hashes of the options chosen, or null when the vote does not open. */
export function openVote(vote: Sealed, under: SealedUnder): Uint8Array[] | null {
  const plaintext = openSealed(vote, 'poll_vote', under);
  return plaintext && selectedOptions(plaintext);
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
