import { AsyncLocalStorage } from 'node:async_hooks';
import { SessionTimeout } from '../../port/errors.ts';

/** What the library logs when a question got no answer in time (socket.js `waitForMessage`). */
export const UNANSWERED = 'timed out waiting for message';

interface Call {
  unanswered: boolean;
  /** Ends the call for whoever waits for it. */
  end(): void;
}

const calls = new AsyncLocalStorage<Call>();
const notAnswered = (): SessionTimeout => new SessionTimeout('WhatsApp did not answer');

/**
 * Runs a call on the library, and throws SessionTimeout as soon as a question within it was not answered.
 *
 * The library gives `undefined` for such a question, and goes on with it: into a TypeError (member list,
 * keys), into the next try, which waits as long again (`appPatch`), or, worse, into a message to nobody
 * (`getUSyncDevices`) and a setting that is not the account's (`fetchPrivacySettings`). It says so in its
 * log alone, in the async context of whoever asked.
 */
export function answered<T>(call: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const state: Call = { unanswered: false, end: () => reject(notAnswered()) };
    calls.run(state, call).then(resolve, reject);
  });
}

/** Throws SessionTimeout when a question of the running call was not answered: before what follows from it. */
export function assertAnswered(): void {
  if (calls.getStore()?.unanswered) throw notAnswered();
}

/** Ends the running call, if there is one. */
export function markUnanswered(): void {
  const call = calls.getStore();
  if (!call) return;
  call.unanswered = true;
  call.end();
}
