/** Which account has a number, as WhatsApp says: asked once for a while, for one number or for a list. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { isOneLine, lookUpSpellings } from '../identity/phone-number.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import { MOST_LOOKED_UP, type NumberLookup } from '../whatsapp/port/contacts.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

/** Numbers kept per process: some 200 bytes each. */
const MOST_CACHED = 50_000;
/** A number hardly ever moves to another account. */
export const KNOWN_FOR_MS = 24 * 3600_000;
/** Somebody who was told that a contact is missing tries again after the contact installed WhatsApp. */
const UNKNOWN_FOR_MS = 60_000;
/**
 * Between two questions of a list. Accounts that look up numbers without end are taken for spammers; the figure is our
 * guess, some 40,000 numbers a minute.
 */
const PAUSE_MS = 300;
/** Numbers of lists that wait for their turn on one device: some 15 s of questions. */
const MOST_WAITING = 10_000;

/** The chats that are stored; `KnownChats` fits. */
export interface StoredChats {
  /** The one chat of the device's account that goes by any of the names; null for none, and for several. */
  storedChat(device: MessageDevice, names: readonly Jid[]): Promise<Identity | null>;
}

export interface NumberAnswer {
  /** Null: nobody has it. */
  found: NumberLookup | null;
  /** When WhatsApp said so: milliseconds since the epoch, and of the process. */
  at: number;
  heard: number;
}

/**
 * People write a number in several ways and WhatsApp knows it in one (Brazil's ninth digit, Mexico's 1, Argentina's
 * 9), so all are asked for. Answers are kept per tenant.
 */
export class NumberLookUps {
  readonly #clock: Clock;
  readonly #chats: StoredChats;
  readonly #answers: LRUCache<string, NumberAnswer>;
  /** Sends to one new number at once share one question. */
  readonly #underWay = new Map<string, Promise<NumberAnswer>>();
  /** The lists of a device come one after the other: the end of the last one, and how many numbers wait. */
  readonly #lists = new Map<string, { last: Promise<unknown>; waiting: number }>();

  constructor(parts: { clock: Clock; chats: StoredChats; maxEntries?: number }) {
    this.#clock = parts.clock;
    this.#chats = parts.chats;
    this.#answers = new LRUCache({ max: parts.maxEntries ?? MOST_CACHED });
  }

  /** The account with the number, null when nobody has it. Throws as `onSession`. */
  async one(session: WhatsAppSession, device: MessageDevice, digits: string): Promise<NumberLookup | null> {
    const kept = this.#kept(device, digits, KNOWN_FOR_MS);
    if (kept) return kept.found;
    const key = keyOf(device, digits);
    const running = this.#underWay.get(key);
    if (running) return (await running).found;
    const asked = this.#ask(session, device, [digits])
      .then((answers) => answers.get(digits) ?? silence())
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asked);
    return (await asked).found;
  }

  /**
   * The answers for a list of numbers, by number; without those of which WhatsApp says nothing. `session` is taken
   * when something has to be asked. What was answered is kept when a later question fails: a repetition goes on from
   * there. Throws RATE_LIMITED while too much waits on the device, and as `onSession`.
   * @param maxAgeMs how old an answer may be
   */
  async many(
    session: () => WhatsAppSession,
    device: MessageDevice,
    numbers: readonly string[],
    maxAgeMs: number = KNOWN_FOR_MS,
  ): Promise<Map<string, NumberAnswer>> {
    const wanted = [...new Set(numbers)];
    const answers = new Map<string, NumberAnswer>();
    const take = (digits: string, answer: NumberAnswer | undefined) => answer && answers.set(digits, answer);
    for (const digits of wanted) take(digits, this.#kept(device, digits, maxAgeMs));
    const missing = () => wanted.filter((digits) => !answers.has(digits));
    if (missing().length === 0) return answers;
    const since = this.#clock.monotonic();
    await this.#inTurn(device.id, missing().length, async () => {
      // The list before may have asked for the same.
      for (const digits of missing()) take(digits, this.#kept(device, digits, maxAgeMs, since));
      for (const [index, part] of questions(missing()).entries()) {
        if (index > 0) await this.#pause();
        for (const [digits, answer] of await this.#ask(session(), device, part)) take(digits, answer);
      }
    });
    return answers;
  }

  /** What was heard after `since` counts, however short it may be kept. */
  #kept(device: MessageDevice, digits: string, maxAgeMs: number, since = Number.POSITIVE_INFINITY) {
    const answer = this.#answers.get(keyOf(device, digits));
    if (!answer) return undefined;
    const lasts = answer.found ? maxAgeMs : Math.min(maxAgeMs, UNKNOWN_FOR_MS);
    const age = this.#clock.monotonic() - answer.heard;
    return age < lasts || answer.heard > since ? answer : undefined;
  }

  async #inTurn(deviceId: string, count: number, work: () => Promise<void>): Promise<void> {
    const line = this.#lists.get(deviceId) ?? { last: Promise.resolve(), waiting: 0 };
    if (line.waiting + count > MOST_WAITING) {
      throw new AppError('RATE_LIMITED', {
        message: `${line.waiting} numbers wait to be looked up by this device: try again later`,
        retryAfterSeconds: 10,
      });
    }
    line.waiting += count;
    this.#lists.set(deviceId, line);
    const run = line.last.then(work);
    line.last = run.catch(() => undefined);
    try {
      await run;
    } finally {
      line.waiting -= count;
      if (line.waiting === 0) this.#lists.delete(deviceId);
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(PAUSE_MS, resolve);
    });
  }

  /** One question for all spellings of the numbers. */
  async #ask(
    session: WhatsAppSession,
    device: MessageDevice,
    numbers: readonly string[],
  ): Promise<Map<string, NumberAnswer>> {
    const spellings = [...new Set(numbers.flatMap(lookUpSpellings))];
    const found = await onSession(() => session.contacts.lookUpNumbers(spellings));
    const byNumber = new Map(found.map((each) => [each.number, each]));
    const answers = new Map<string, NumberAnswer>();
    const at = this.#clock.now();
    const heard = this.#clock.monotonic();
    for (const digits of numbers) {
      const those = lookUpSpellings(digits).flatMap((each) => byNumber.get(each) ?? []);
      if (those.length === 0) continue;
      const answer = { found: await this.#meant(device, those), at, heard };
      this.#answers.set(keyOf(device, digits), answer);
      answers.set(digits, answer);
    }
    return answers;
  }

  /** Of several spellings that WhatsApp knows, the one that the account has a chat with is meant. */
  async #meant(device: MessageDevice, answers: readonly NumberLookup[]): Promise<NumberLookup | null> {
    const known = answers.filter(({ exists }) => exists);
    const [first, another] = known;
    if (!first) return null;
    if (!another || !isOneLine(first.number)) return first;
    const stored = await this.#chats.storedChat(
      device,
      known.flatMap(({ jid }) => jid ?? []),
    );
    return known.find(({ jid }) => jid !== null && jid === stored?.jid) ?? first;
  }
}

const keyOf = ({ tenantId }: MessageDevice, digits: string): string => `${tenantId}:${digits}`;

function silence(): never {
  throw new AppError('WHATSAPP_ERROR', { message: 'WhatsApp does not say whether the number is there' });
}

/** The numbers in portions whose spellings fit into one question. */
function questions(numbers: readonly string[]): string[][] {
  const parts: string[][] = [];
  let room = 0;
  for (const digits of numbers) {
    const size = lookUpSpellings(digits).length;
    if (size > room) {
      parts.push([]);
      room = MOST_LOOKED_UP;
    }
    parts.at(-1)?.push(digits);
    room -= size;
  }
  return parts;
}
