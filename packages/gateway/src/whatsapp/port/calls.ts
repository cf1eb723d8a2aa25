import type { Identity } from './identity.ts';

/** Calls are answered on phones; a linked device hears of them, and can refuse them. */
export interface SessionCalls {
  /**
   * Tells the caller that the account does not take the call. The server acknowledges it whether the call is still
   * ringing or not.
   */
  reject(call: { callId: string; from: Identity }): Promise<void>;
}
