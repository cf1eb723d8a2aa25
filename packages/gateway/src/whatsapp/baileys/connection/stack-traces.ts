const FRAMES = 4;

/**
 * Shortens stack traces for the process.
 * The library builds a Boom for each query before it knows whether it is needed (`promiseTimeout` in
 * generics.js); collecting ten frames for each was about a fifth of its active CPU in a profile of a
 * bare receive loop. Four frames still name the place.
 */
export function quickenErrors(): void {
  Error.stackTraceLimit = Math.min(Error.stackTraceLimit, FRAMES);
}
