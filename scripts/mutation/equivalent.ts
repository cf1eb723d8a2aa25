/** A mutant that no test can notice, because it does the same. */
export interface Equivalent {
  /** Below the gateway's `src`. */
  file: string;
  /** The mutated code as it stands, white space collapsed. */
  code: string;
  /** What the mutant puts there; any replacement when left out. */
  mutant?: string;
  why: string;
}

export const EQUIVALENT: Equivalent[] = [
  {
    file: 'identity/jid.ts',
    code: 'text.length > LONGEST_JID',
    why: 'The limit spares work: nothing that is longer fits a pattern of a user part.',
  },
  {
    file: 'identity/jid.ts',
    code: 'at < 1',
    why: 'Without an @, or with less than two characters before it, no pattern of a user part fits.',
  },
];
