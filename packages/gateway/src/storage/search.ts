/** Finding stored messages by their words: what a database offers, however it keeps the words. */
import type { DeviceId, TenantId } from '../ids.ts';
import type { MessageKind } from '../whatsapp/port/content.ts';
import type { Jid } from '../whatsapp/port/identity.ts';

/** A word, or several in a row. With `prefix` the last one may go on. */
export interface SearchTerm {
  text: string;
  prefix: boolean;
}

/** Which messages, and how many of them: everything that is given must fit. */
export interface MessageChoice {
  /** Names of one chat, any of which may be the right one. */
  chat?: readonly Jid[] | undefined;
  /** Default: all; a list leaves out what only changes another message. */
  kinds?: readonly MessageKind[] | undefined;
  direction?: 'in' | 'out' | undefined;
  starred?: boolean | undefined;
  /** At this time or later, milliseconds. */
  fromMs?: number | undefined;
  /** Before this time, milliseconds. */
  toMs?: number | undefined;
  order: 'asc' | 'desc';
  limit: number;
  cursor?: string | undefined;
}

export interface SearchQuery extends MessageChoice {
  tenantId: TenantId;
  /** Null: all devices of the tenant. */
  deviceIds: readonly DeviceId[] | null;
  /** At least one. */
  terms: readonly SearchTerm[];
}

export interface MessageSearch {
  /**
   * Row ids of one page in the order of time, and the cursor of the next. Hidden and deleted messages are not
   * found. Throws VALIDATION_ERROR for a cursor that is none.
   */
  find(query: SearchQuery): Promise<{ ids: string[]; nextCursor: string | null }>;
  /**
   * Makes some of the messages that were stored or changed since the last time findable, those of the kinds
   * `without` excepted. Returns whether there may be more. Not for two callers at once.
   */
  takeUp(without: readonly MessageKind[]): Promise<boolean>;
}
