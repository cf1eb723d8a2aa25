import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../clock.ts';
import { SessionTimeout } from '../../port/errors.ts';
import type { SignalRepositoryWithLIDStore, UserFacingSocketConfig } from '../library.ts';
import { answered, markUnanswered } from './unanswered.ts';

/** The library's question to the server for the LIDs of numbers. */
export type AskLids = Parameters<NonNullable<UserFacingSocketConfig['makeSignalRepository']>>[2];

/** Numbers kept per session: some 100 bytes each. */
const MOST_KEPT = 20_000;
/** Somebody who gets a LID is mostly heard of with it, by a message or a device list; this is for the others. */
const ASKED_AGAIN_AFTER_MS = 10 * 60_000;

/**
 * The same question, without the numbers for which the server has just given no LID. The library asks anew at each
 * reading and writing of a session that is kept under a number (libsignal.js `resolveLIDSignalAddress`): several
 * times for each message.
 */
export function askingOnce(ask: AskLids, clock: Clock): AskLids {
  if (!ask) return ask;
  const without = new LRUCache<string, true>({
    max: MOST_KEPT,
    ttl: ASKED_AGAIN_AFTER_MS,
    ttlResolution: 0,
    perf: { now: () => clock.monotonic() },
  });
  return async (numbers) => {
    const unknown = numbers.filter((number) => !without.has(number));
    if (unknown.length === 0) return [];
    try {
      const found = (await answered(() => ask(unknown))) ?? [];
      const named = new Set(found.map(({ pn }) => pn));
      for (const number of unknown) if (!named.has(number)) without.set(number, true);
      return found;
    } catch (error) {
      if (!(error instanceof SessionTimeout)) throw error;
      // Silence is no answer: neither kept, nor the end of a call that hears of it by itself.
      markUnanswered();
      return [];
    }
  };
}

/**
 * Lets the library ask for the keys of devices whose LID nobody knows, under the name that there is, as whatsmeow
 * does (send.go encryptMessageForDevices). It asks for those alone that it gets a LID of (messages-send.js
 * `assertSessions`): a message to such a person could not be encrypted, and in a group they got no sender key.
 */
export function nameableByNumber(lidMapping: SignalRepositoryWithLIDStore['lidMapping']): void {
  const lidsOf = lidMapping.getLIDsForPNs.bind(lidMapping);
  lidMapping.getLIDForPN = async (number) => (await lidsOf([number]))?.[0]?.lid ?? null;
  // `assertSessions` is the one caller.
  lidMapping.getLIDsForPNs = async (numbers) => {
    const found = (await lidsOf(numbers)) ?? [];
    const named = new Set(found.map(({ pn }) => pn));
    return [...found, ...numbers.flatMap((pn) => (named.has(pn) ? [] : { pn, lid: pn }))];
  };
}
