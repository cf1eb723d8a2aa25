/** What the runner asks of the network process, and what it gets. Everything is plain JSON. */

/** A business number that the gateway gets linked to, and who writes to it. */
export interface CastMember {
  number: string;
  contacts: string[];
}

export interface NetworkAddress {
  url: string;
  rootKey: string;
  caFile: string;
}

export type SentKind = 'text' | 'image' | 'document' | 'edit' | 'reaction';

/** A message that a phone sent, in the order in which the network took them. */
export interface SentByPhone {
  id: string;
  /** Number of the linked account that receives it, or whose own phone wrote it. */
  account: string;
  /** Same for everything in one chat. */
  chat: string;
  kind: SentKind;
  /** Number of the phone that wrote it. */
  writer: string;
  /** Written on the linked account's own phone. */
  own: boolean;
  text: string;
  /** Of the file, hex. */
  sha256: string | null;
  /** Types of the receipts that the account's companion sent for it. */
  receipts: string[];
}

/** A message of the gateway's API as a phone got it; phones show a repeated id once. */
export interface ReceivedText {
  phone: string;
  account: string;
  id: string;
  text: string;
}

export interface NetworkReport {
  sent: SentByPhone[];
  received: ReceivedText[];
  /** What phones could not send or handle; empty in a healthy run. */
  problems: string[];
}

export interface CompanionState {
  account: string;
  online: boolean;
  /** Stanzas that the companion has not acknowledged. */
  pending: number;
}

/** The calls by name: what goes in, what comes out. */
export interface NetworkCalls {
  open: { in: { cast: CastMember[] }; out: NetworkAddress };
  scan: { in: { number: string; qr: string }; out: null };
  /** Creates each account's group; its JID by the account's number. */
  groups: { in: null; out: Record<string, string> };
  startTraffic: { in: { seed: number; perSecond: number }; out: null };
  /** Resolves when nobody writes any more. */
  stopTraffic: { in: null; out: null };
  /**
   * Kills the process in the moment in which the phones have got so many more receipts from companions:
   * the network runs in this process, so nothing comes in between.
   */
  killAfterReceipts: { in: { pid: number; receipts: number }; out: null };
  /** Takes that back. */
  spare: { in: null; out: null };
  state: { in: null; out: CompanionState[] };
  report: { in: null; out: NetworkReport };
  close: { in: null; out: null };
}

export type CallName = keyof NetworkCalls;

export interface CallMessage {
  id: number;
  name: CallName;
  input: unknown;
}

export interface AnswerMessage {
  id: number;
  output?: unknown;
  error?: string;
}

/** Begins the text of everything sent over the API, so that phones can tell it apart. */
export const API_TEXT = 'api ';
