import type { EventEmitter } from 'node:events';

/** Calls what listened, with the emitter as `this`. */
export type TakenListener = (...told: unknown[]) => unknown;

/**
 * Takes the library's listeners off an event, for somebody who calls them in its place, or does not. In the order in
 * which they were called; what listens once is called once, however often it is called here.
 */
export function takeListeners(ws: EventEmitter, event: string | symbol): TakenListener[] {
  // Node keeps what listens once within a function that calls it no second time, and `listeners` takes it out of that.
  const raw = ws.rawListeners(event) as TakenListener[];
  ws.removeAllListeners(event);
  return raw.map(
    (listener) =>
      (...told) =>
        listener.apply(ws, told),
  );
}
