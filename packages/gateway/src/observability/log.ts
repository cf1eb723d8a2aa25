import { type DestinationStream, type Logger, pino } from 'pino';
import { mask, maskNumbers } from './mask.ts';
import { pretty } from './pretty.ts';

export type Log = Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
export type LogFormat = 'json' | 'pretty';

export interface LogOptions {
  level: LogLevel;
  format: LogFormat;
  /** Where lines go; standard output by default. */
  destination?: DestinationStream;
}

/**
 * The process's log. Secrets and message content are taken out of every line; phone numbers are
 * masked unless the level is `debug` or `trace`.
 */
export function createLog(options: LogOptions): Log {
  const showNumbers = options.level === 'debug' || options.level === 'trace';
  const clean = (object: Record<string, unknown>): Record<string, unknown> =>
    mask(object, { showNumbers }) as Record<string, unknown>;
  // Synchronous: with lines still under way, a process whose output nobody reads any more could not end
  // (sonic-boom's flushSync at exit tries for ever on EPIPE).
  const destination =
    options.destination ?? (options.format === 'pretty' ? pretty() : pino.destination({ fd: 1, sync: true }));
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: clean,
      },
      // `err` is already a plain object here: `formatters.log` runs before serializers.
      serializers: { err: (value) => value },
      hooks: {
        logMethod(parameters, method) {
          const masked = parameters.map((each: unknown) =>
            typeof each === 'string' && !showNumbers ? maskNumbers(each) : each,
          );
          method.apply(this, masked as Parameters<typeof method>);
        },
      },
    },
    destination,
  );
  // Children inherit this, while `formatters.bindings` would be asked for the first logger only.
  const child = log.child;
  log.child = function cleanChild(this: Log, bindings, options) {
    return child.call(this, clean(bindings), options);
  } as typeof log.child;
  return log;
}
