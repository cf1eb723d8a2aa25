import type { UserFacingSocketConfig } from '../library.ts';
import { markUnanswered, UNANSWERED } from './unanswered.ts';

type LibraryLogger = NonNullable<UserFacingSocketConfig['logger']>;

/** Where the library's lines go; a pino logger fits. */
export interface LogSink {
  debug(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/**
 * The library logs whole stanzas and key material as objects (`logger.error({ node })`), so the objects
 * are dropped: only the text and an error's own message pass. `onUnanswered` hears of each question to which
 * no answer came.
 */
export function quietLogger(sink: LogSink, onUnanswered: () => void): LibraryLogger {
  const forward = (write: (fields: object, text: string) => void) => (first: unknown, second?: unknown) => {
    const text = typeof first === 'string' ? first : typeof second === 'string' ? second : 'library event';
    if (text === UNANSWERED) {
      markUnanswered();
      onUnanswered();
    }
    write(errorField(first), text);
  };
  const debug = forward((fields, text) => sink.debug(fields, text));
  const warn = forward((fields, text) => sink.warn(fields, text));
  const logger: LibraryLogger = {
    level: 'info',
    child: () => logger,
    trace: () => undefined,
    debug: () => undefined,
    info: debug,
    warn: debug,
    error: warn,
  };
  return logger;
}

function errorField(first: unknown): object {
  if (typeof first !== 'object' || first === null) return {};
  const { err, error } = first as { err?: unknown; error?: unknown };
  const cause = err ?? error;
  return cause instanceof Error ? { reason: cause.message } : {};
}
