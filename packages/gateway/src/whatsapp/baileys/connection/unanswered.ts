import { AsyncLocalStorage } from 'node:async_hooks';
import { SessionTimeout } from '../../port/errors.ts';

/** What the library logs when a question got no answer in time (socket.js `waitForMessage`). */
export const UNANSWERED = 'timed out waiting for message';

interface Call {
  unanswered: boolean;
}

const calls = new AsyncLocalStorage<Call>();

/**
 * Runs a call on the library, and throws SessionTimeout when a question within it was not answered.
 *
 * The library gives `undefined` for such a question, and goes on with it: into a TypeError (member list,
 * keys), or, worse, into a message to nobody (`getUSyncDevices`) and a setting that is not the account's
 * (`fetchPrivacySettings`). It says so in its log alone, in the async context of whoever asked.
 */
export async function answered<T>(call: () => Promise<T>): Promise<T> {
  const state: Call = { unanswered: false };
  try {
    const result = await calls.run(state, call);
    if (state.unanswered) throw new SessionTimeout('WhatsApp did not answer');
    return result;
  } catch (error) {
    if (state.unanswered && !(error instanceof SessionTimeout)) {
      throw new SessionTimeout('WhatsApp did not answer', error);
    }
    throw error;
  }
}

/** Throws SessionTimeout when a question of the running call was not answered: before what follows from it. */
export function assertAnswered(): void {
  if (calls.getStore()?.unanswered) throw new SessionTimeout('WhatsApp did not answer');
}

/** Marks the running call, if there is one. */
export function markUnanswered(): void {
  const call = calls.getStore();
  if (call) call.unanswered = true;
}
