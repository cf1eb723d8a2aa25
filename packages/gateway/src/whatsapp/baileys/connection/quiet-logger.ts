import type { UserFacingSocketConfig } from '../library.ts';
import { followDeparture } from '../outbound/departure.ts';
import { markUnanswered, UNANSWERED } from './unanswered.ts';

type LibraryLogger = NonNullable<UserFacingSocketConfig['logger']>;

/** Where the library's lines go; a pino logger fits. */
export interface LogSink {
  debug(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** The sink for one device: each line names it. */
export function logOf(sink: LogSink, deviceId: string): LogSink {
  const named = (write: LogSink['warn']) => (fields: object, text: string) =>
    write({ device_id: deviceId, ...fields }, text);
  return {
    debug: named((fields, text) => sink.debug(fields, text)),
    warn: named((fields, text) => sink.warn(fields, text)),
    error: named((fields, text) => sink.error(fields, text)),
  };
}

/** What the library says in its log alone. */
export interface LogHearer {
  /** A question has not been answered. */
  onUnanswered(): void;
  /** It is about to ask for a collection of the account's state. What this throws ends the asking. */
  onStateAsked(collection: string): void;
}

/** What it logs then (chats.js `resyncAppState`). */
const STATE_ASKED = /^resyncing (\w+) from v/;

/**
 * The library logs whole stanzas and key material as objects (`logger.error({ node })`), so the objects
 * are dropped: only the text and an error's own message pass.
 */
export function quietLogger(sink: LogSink, hearer: LogHearer): LibraryLogger {
  const forward = (write: (fields: object, text: string) => void) => (first: unknown, second?: unknown) => {
    const text = typeof first === 'string' ? first : typeof second === 'string' ? second : 'library event';
    if (text === UNANSWERED) {
      markUnanswered();
      hearer.onUnanswered();
    }
    const [, collection] = STATE_ASKED.exec(text) ?? [];
    if (collection !== undefined) hearer.onStateAsked(collection);
    followDeparture(text, first);
    write(errorField(first), text);
  };
  const debug = forward((fields, text) => sink.debug(fields, text));
  const warn = forward((fields, text) => sink.warn(fields, text));
  const follow = (first: unknown, second?: unknown): void => {
    if (typeof first === 'string') followDeparture(first, undefined);
    else if (typeof second === 'string') followDeparture(second, first);
  };
  const logger: LibraryLogger = {
    level: 'info',
    child: () => logger,
    trace: follow,
    debug: follow,
    info: debug,
    warn: debug,
    error: warn,
  };
  return logger;
}

function errorField(first: unknown): object {
  if (typeof first !== 'object' || first === null) return {};
  // It stands under `err`, `error`, `ackErr`, `e`…
  const cause = Object.values(first).find((value) => value instanceof Error);
  return cause instanceof Error ? { reason: cause.message } : {};
}
