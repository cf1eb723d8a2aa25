/**
 * libsignal writes whole session records, private ratchet keys included, to the console whenever a session
 * is closed or replaced (session_record.js `console.info("Closing session:", session)`), and stack traces
 * for each message that it cannot open. It has no switch for it, so its lines are taken out here: by their
 * fixed beginnings, and nothing else.
 */
const LIBSIGNAL_LINES = [
  'Closing session:',
  'Closing open session in favor of incoming prekey bundle',
  'Opening session:',
  'Session already closed',
  'Session already open',
  'Removing old closed session:',
  'Migrating session to:',
  'V1 session storage migration error',
  'Failed to decrypt message with any known session',
  'Session error:',
  'Decrypted message with closed session.',
  'Unhandled bucket type (for naming):',
];

let quiet = false;

/** Takes libsignal's lines out of the console, once for the process. */
export function silenceLibsignal(): void {
  if (quiet) return;
  quiet = true;
  for (const level of ['info', 'warn', 'error'] as const) {
    const write = console[level].bind(console);
    console[level] = (...args: unknown[]) => {
      const [first] = args;
      if (typeof first === 'string' && LIBSIGNAL_LINES.some((line) => first.startsWith(line))) return;
      write(...args);
    };
  }
}
