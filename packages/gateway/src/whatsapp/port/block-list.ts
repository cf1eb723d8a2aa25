import type { Identity } from './identity.ts';

export interface BlockedPeople {
  people: Identity[];
  /** WhatsApp's hash of the list. */
  hash: string | null;
}

/** Whom the account has blocked. */
export interface SessionBlockList {
  read(): Promise<BlockedPeople>;
  /** Blocks a person or lets them in again, and gives the list of then. It is reported as a notice before. */
  set(person: Identity, blocked: boolean): Promise<BlockedPeople>;
}
