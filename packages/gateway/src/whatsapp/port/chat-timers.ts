import type { Identity } from './identity.ts';

/** How long messages of a chat stay before they disappear, as somebody set it. */
export interface ChatTimer {
  chat: Identity;
  /** 0: for ever. */
  seconds: number;
  /** Milliseconds: when it was set. */
  setAt: number;
}
