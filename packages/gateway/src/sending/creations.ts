/** What a request makes at WhatsApp beside messages, such as a group or a channel: once per `Idempotency-Key`. */
import type { MessageDevice } from '../messages/stored-message.ts';
import { RequestRefused } from '../whatsapp/port/errors.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import { accountOf, assertAccount } from './account.ts';

/** What was asked of WhatsApp, before it was asked. */
export interface Creation {
  readonly deviceId: string;
  /** Null for a device that was not linked. */
  readonly account: Jid | null;
  /** Milliseconds. */
  readonly since: number;
  /** What looks the same and was there before. */
  readonly besides: readonly string[];
  /** What is called so; null while nobody knows whether it was made. */
  readonly made: string | null;
}

/** An attempt of a request that makes something. */
export interface CreationAttempt {
  /** What an earlier attempt has asked for, unless it was refused. */
  readonly creation: Creation | null;
  /** Remembers it, durably, before WhatsApp is asked; and what it is called once that is known. */
  creating(creation: Creation): Promise<void>;
  /** WhatsApp has refused it: nothing was made. */
  notMade(): Promise<void>;
}

/** How far WhatsApp's clock may be behind ours, in milliseconds. */
const CLOCKS_APART_MS = 10 * 60_000;

/**
 * Makes it, unless an earlier attempt may have: then it is looked for first. WhatsApp gives what is made a name of
 * its own, and an answer that is lost takes the name with it, so what is found is what looks as it was asked for
 * and was not there before. WhatsApp takes a connection's questions one after the other, and is asked anew: what is
 * not there by then was not made. Throws ACCOUNT_CHANGED, and what the work throws.
 */
export async function madeOnce<T>(
  attempt: CreationAttempt | undefined,
  device: Pick<MessageDevice, 'id' | 'jid' | 'lid'>,
  work: {
    now: number;
    /** What looks like it already. */
    besides(): Promise<string[]>;
    make(): Promise<T>;
    find(made: string): Promise<T>;
    /** All that looks like it now. */
    alike(): Promise<T[]>;
    nameOf(made: T): string;
    /** Milliseconds; null when WhatsApp does not say. */
    createdAt(made: T): number | null;
  },
): Promise<T> {
  if (!attempt) return work.make();
  const earlier = attempt.creation;
  if (earlier) assertAccount(device, earlier.account);
  if (earlier?.made) return work.find(earlier.made);
  const found = earlier && (await lookedFor(earlier, work));
  if (found) {
    await attempt.creating({ ...earlier, made: work.nameOf(found) });
    return found;
  }
  const asked = earlier ?? {
    deviceId: device.id,
    account: accountOf(device),
    since: work.now,
    besides: await work.besides(),
    made: null,
  };
  if (!earlier) await attempt.creating(asked);
  const made = await unlessRefused(attempt, work.make);
  await attempt.creating({ ...asked, made: work.nameOf(made) });
  return made;
}

/** Asks for it; what WhatsApp refuses was not made, and the key is free for another request. */
export async function unlessRefused<T>(
  attempt: CreationAttempt | undefined,
  make: () => Promise<T>,
): Promise<T> {
  try {
    return await make();
  } catch (error) {
    // WhatsApp's own failures (5xx) do not say what was done.
    if (error instanceof RequestRefused && error.whatsappCode < 500) await attempt?.notMade();
    throw error;
  }
}

async function lookedFor<T>(
  { since, besides }: Creation,
  work: Pick<Parameters<typeof madeOnce<T>>[2], 'alike' | 'nameOf' | 'createdAt'>,
): Promise<T | null> {
  const before = new Set(besides);
  const alike = (await work.alike()).filter((each) => {
    const at = work.createdAt(each);
    return !before.has(work.nameOf(each)) && (at === null || at >= since - CLOCKS_APART_MS);
  });
  return alike[0] ?? null;
}
