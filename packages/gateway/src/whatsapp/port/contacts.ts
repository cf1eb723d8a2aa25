import type { Jid } from './identity.ts';

export interface NumberLookup {
  /** As asked: digits. */
  number: string;
  exists: boolean;
  jid: Jid | null;
  lid: Jid | null;
}

/** Who is on WhatsApp. */
export interface SessionContacts {
  /** Asks the server which numbers are registered. */
  lookUpNumbers(numbers: string[]): Promise<NumberLookup[]>;
}
